"""How far rows are read, as a bar on a terminal; nothing where it goes quickly or nobody looks."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from .data import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

_PATIENCE = 1.0  # seconds before the bar is shown
_REFRESH = 0.2  # seconds between two drawings


@contextmanager
def reading_bar(out: TextIO | None = None) -> Iterator[Progress | None]:
    """What to give to `read_data` or `open_project`; None where stderr is no terminal."""
    out = out or sys.stderr
    if not out.isatty():
        yield None
        return
    bar = _Bar(out)
    try:
        yield bar.update
    finally:
        bar.close()


class _Bar:
    def __init__(self, out: TextIO) -> None:
        self._out, self._began, self._drawn = out, time.monotonic(), 0.0
        self._bar: RichProgress | None = None

    def update(self, rows: int, read: int, total: int) -> None:
        """Show how far it is, if the last drawing is old enough."""
        now = time.monotonic()
        if now - self._began < _PATIENCE or now - self._drawn < _REFRESH:
            return
        self._drawn = now
        with suppress(OSError):  # a terminal that is gone
            bar = self._bar or self._begin()
            said = f"{rows:,} rows, {read / 1e6:,.0f} of {total / 1e6:,.0f} MB"
            bar.update(bar.task_ids[0], completed=read, total=total, said=said)
            bar.refresh()

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            with suppress(OSError):
                self._bar.stop()

    def _begin(self) -> RichProgress:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as RichProgress

        columns = (TextColumn("reading"), BarColumn(bar_width=24), TextColumn("{task.fields[said]}", markup=False))
        self._bar = RichProgress(*columns, console=Console(file=self._out), auto_refresh=False, transient=True)
        self._bar.add_task("", total=None, said="")
        self._bar.start()
        return self._bar
