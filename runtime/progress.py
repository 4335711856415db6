"""Live progress on stderr: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO

from .records import Metric

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

_REFRESH = 0.5  # seconds between two drawings of the bar
_PLAIN = 1.0  # seconds between two plain lines of training


class Progress(Protocol):
    """Where a run shows how it goes."""

    def note(self, text: str) -> None:
        """Say a sentence."""

    def update(self, step: int, total: int | None, fresh: Sequence[Metric]) -> None:
        """Show a step and the metrics that came with it."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class Silent:
    """Shows nothing."""

    def note(self, text: str) -> None: ...

    def update(self, step: int, total: int | None, fresh: Sequence[Metric]) -> None: ...

    def close(self) -> None: ...


class Enduring:
    """Shows what another does, and goes on in a file once that one's terminal or pipe is gone.

    Whoever closes a terminal has lost sight of the run; the run itself, and who looks after it, must not notice.
    """

    def __init__(self, inner: Progress, file: Path) -> None:
        self._inner, self._path = inner, file
        self._file: TextIO | None = None

    def note(self, text: str) -> None:
        """Say a sentence."""
        self._show(lambda progress: progress.note(text))

    def update(self, step: int, total: int | None, fresh: Sequence[Metric]) -> None:
        """Show a step and the metrics that came with it."""
        self._show(lambda progress: progress.update(step, total, fresh))

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._show(lambda progress: progress.close())
        if self._file is not None:
            self._inner = Silent()
            self._file.close()

    def _show(self, what: Callable[[Progress], None]) -> None:
        try:
            what(self._inner)
        except OSError:
            with suppress(OSError):  # even a full disk is no reason to leave a trainer alone
                self._inner = Silent()
                self._file = self._path.open("a", encoding="utf-8")
                self._inner = Plain(self._file)
                self._inner.note("the terminal is gone; the run goes on")
                what(self._inner)


class Pace:
    """Seconds a step, over the last readings."""

    def __init__(self) -> None:
        self._readings: deque[tuple[float, int]] = deque(maxlen=40)

    def add(self, step: int, at: float) -> None:
        """Note that a step was reached."""
        if not self._readings or step > self._readings[-1][1]:
            self._readings.append((at, step))

    def seconds(self) -> float | None:
        """Seconds a step; None as long as there is nothing to compare."""
        if len(self._readings) < 2:
            return None
        (began, first), (ended, last) = self._readings[0], self._readings[-1]
        return (ended - began) / (last - first)

    def text(self, left: int | None) -> str:
        """The speed, and the time left."""
        pace = self.seconds()
        if pace is None:
            return ""
        speed = f"{pace:.1f} s/step" if pace >= 1 else f"{60 / max(pace, 1e-6):.0f} steps/min"
        return speed if left is None else f"{speed}, {duration(pace * left)} left"


class Plain:
    """One line a logged step, without escape codes; training lines at most once a second."""

    def __init__(self, out: TextIO) -> None:
        self._out, self._pace, self._last = out, Pace(), 0.0

    def note(self, text: str) -> None:
        """Write a line."""
        print(text, file=self._out, flush=True)

    def update(self, step: int, total: int | None, fresh: Sequence[Metric]) -> None:
        """Write what was logged, one line a step and split."""
        at = time.monotonic()
        self._pace.add(step, at)
        for split in ("train", "eval"):
            loss = _latest(fresh, split, "loss")
            if loss is None or (split == "train" and at - self._last < _PLAIN):
                continue
            if split == "train":
                self._last = at
            self.note(self._line(split, loss, total))

    def close(self) -> None:
        """Nothing to clean up."""

    def _line(self, split: str, loss: Metric, total: int | None) -> str:
        where = f"step {loss.step}" + (f"/{total}" if total else "")
        what = f"{'loss' if split == 'train' else 'eval loss'} {shown(loss)}"
        pace = self._pace.text(total - loss.step if total and loss.step is not None else None)
        return f"{where}  {what}" + (f"  {pace}" if pace else "")


class Bar:
    """A bar that draws itself anew at most twice a second."""

    def __init__(self, out: TextIO) -> None:
        self._out, self._pace, self._drawn = out, Pace(), 0.0
        self._losses: dict[str, str] = {}
        self._state: tuple[int, int | None] = (0, None)
        self._bar: RichProgress | None = None

    def note(self, text: str) -> None:
        """Write a line above the bar."""
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False)
        else:
            print(text, file=self._out, flush=True)

    def update(self, step: int, total: int | None, fresh: Sequence[Metric]) -> None:
        """Show the state, if the last drawing is old enough."""
        at = time.monotonic()
        self._state = (step, total)
        self._pace.add(step, at)
        for split, label in (("train", "loss"), ("eval", "eval loss")):
            loss = _latest(fresh, split, "loss")
            if loss is not None:
                self._losses[label] = shown(loss)
        if at - self._drawn >= _REFRESH:
            self._drawn = at
            self._draw()

    def close(self) -> None:
        """Draw a last time and give the cursor back."""
        if self._bar is not None:
            self._draw()
            self._bar.stop()
            self._bar = None

    def _draw(self) -> None:
        step, total = self._state
        bar = self._bar or self._begin()
        losses = "  ".join(f"{label} {value}" for label, value in self._losses.items())
        pace = self._pace.text(total - step if total else None)
        counted = f"{step}/{total or '?'}"
        bar.update(bar.task_ids[0], completed=step, total=total, said=f"{counted}  {losses}  {pace}".rstrip())
        bar.refresh()

    def _begin(self) -> RichProgress:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as RichProgress

        columns = (BarColumn(bar_width=24), TextColumn("{task.fields[said]}", markup=False))
        self._bar = RichProgress(*columns, console=Console(file=self._out), auto_refresh=False)
        self._bar.add_task("", total=None, said="")
        self._bar.start()
        return self._bar


def on(out: TextIO) -> Progress:
    """The progress that suits a stream."""
    return Bar(out) if out.isatty() else Plain(out)


def shown(metric: Metric) -> str:
    """A value for people."""
    return f"{metric.value:.4g}" if metric.value is not None else str(metric.note)


def duration(seconds: float) -> str:
    """A length of time for people: 45 s, 12 min, 3 h 20 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _latest(fresh: Sequence[Metric], split: str, name: str) -> Metric | None:
    return next((m for m in reversed(fresh) if m.split == split and m.name == name), None)
