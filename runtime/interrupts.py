"""Ctrl-C and SIGTERM while a run is followed."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self


class Interrupts:
    """Counts requests to stop. Until `count_only` one simply interrupts, as it would without this."""

    def __init__(self) -> None:
        self.count = 0
        self._counting = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def count_only(self) -> None:
        """From now on a request is only counted: a trainer is about to run, and must not be left behind."""
        self._counting = True

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self._counting:
            raise KeyboardInterrupt
        self.count += 1
