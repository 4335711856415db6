"""How far work on rows is, as a bar on a terminal; nothing where it goes quickly or nobody looks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, TextIO

from .sofar import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

Phases = Callable[[str], Progress | None]
"""What to tell how far a phase of the work is, by the phase's name; None where nobody looks."""

_PATIENCE = 1.0  # seconds before the bar is shown
_REFRESH = 0.2  # seconds between two drawings


@contextmanager
def reading_bar(out: TextIO | None = None) -> Iterator[Progress | None]:
    """What to give to `read_data` or `open_project`; None where stderr is no terminal."""
    with phases_bar(out) as phases:
        yield phases("reading")


@contextmanager
def phases_bar(out: TextIO | None = None) -> Iterator[Phases]:
    """For work of several phases, such as reading, counting and writing."""
    out = out or sys.stderr
    if not out.isatty():
        yield unseen
        return
    bar = _Bar(out)
    try:
        yield bar.phase
    finally:
        bar.close()


def unseen(name: str) -> None:
    """The phases of work that nobody looks at."""


class _Bar:
    def __init__(self, out: TextIO) -> None:
        self._out, self._began, self._drawn = out, time.monotonic(), 0.0
        self._bar: RichProgress | None = None

    def phase(self, name: str) -> Progress:
        """What to tell how far a phase is."""
        return partial(self.update, name)

    def update(self, name: str, rows: int, done: int, total: int) -> None:
        """Show how far it is, if the last drawing is old enough."""
        now = time.monotonic()
        if now - self._began < _PATIENCE or now - self._drawn < _REFRESH:
            return
        self._drawn = now
        with suppress(OSError):  # a terminal that is gone
            bar = self._bar or self._begin()
            said = f"{rows:,} rows, {done / 1e6:,.0f} of {total / 1e6:,.0f} MB"
            bar.update(bar.task_ids[0], description=name, completed=done, total=total, said=said)
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

        name = TextColumn("{task.description}", markup=False)
        columns = (name, BarColumn(bar_width=24), TextColumn("{task.fields[said]}", markup=False))
        self._bar = RichProgress(*columns, console=Console(file=self._out), auto_refresh=False, transient=True)
        self._bar.add_task("", total=None, said="")
        self._bar.start()
        return self._bar
