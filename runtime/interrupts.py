"""Signals while a run is followed: Ctrl-C and SIGTERM ask for a stop, a closed terminal asks for nothing."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

_TICK = 0.25  # seconds between two looks at whether a stop was asked for in another way


class Interrupts:
    """Counts requests to stop. Until `count_only` one simply interrupts, as it would without this.

    Until then `asked` is looked at as well, so that a request of another process ends the wait for an environment.
    """

    def __init__(self, asked: Callable[[], bool] | None = None) -> None:
        self.count = 0
        self._asked, self._counting = asked, False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._listen(signal.SIGINT, self._handle)
            self._listen(signal.SIGTERM, self._handle)
            if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
                self._listen(signal.SIGHUP, _go_on)
            if self._asked is not None:
                self._listen(signal.SIGALRM, self._tick)
                signal.setitimer(signal.ITIMER_REAL, _TICK, _TICK)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.count_only()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def count_only(self) -> None:
        """From now on a request is only counted: a trainer is about to run, and must not be left behind."""
        self._counting = True
        if signal.SIGALRM in self._before:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _listen(self, number: signal.Signals, handler: Callable[[int, FrameType | None], None]) -> None:
        self._before[number] = signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self._counting:
            raise KeyboardInterrupt
        self.count += 1

    def _tick(self, number: int, frame: FrameType | None) -> None:
        if not self._counting and self._asked is not None and self._asked():
            self._counting = True  # one interrupt is enough
            raise KeyboardInterrupt


def _go_on(number: int, frame: FrameType | None) -> None:
    """The terminal is closed. A handler, as an ignored signal would be ignored by the trainer as well."""
