"""Reads the log of a Hugging Face trainer as it grows: printed dicts, and the state of its progress bar."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

_SEPARATOR = re.compile(rb"[\r\n]+")
_BAR = re.compile(r"^\s*\d+%\|[^|]*\| *(\d+)/(\d+) \[[^\]]*\]")  # a bar with a description is not the trainer's
_NESTED = "\x1b[A"  # tqdm moves up after drawing a bar below another one: evaluation, or saving
_LONGEST = 1 << 20  # a "line" longer than this is no trainer's output


@dataclass(frozen=True, slots=True)
class Logged:
    """A dict that the trainer printed, values as printed."""

    values: dict[str, object]


@dataclass(frozen=True, slots=True)
class Bar:
    """A reading of the training bar."""

    step: int
    total: int


class LogReader:
    """Turns pieces of a log, cut anywhere, into what they say."""

    def __init__(self, total: int | None = None) -> None:
        self.total = total  # of training steps; the first bar tells where the caller does not know
        self._rest = b""

    def feed(self, piece: bytes) -> Iterator[Logged | Bar]:
        """Read on. What follows the last line end is kept for the next piece."""
        *segments, self._rest = _SEPARATOR.split(self._rest + piece)
        for segment in segments:
            yield from self._read(segment)
        if len(self._rest) > _LONGEST:
            self._rest = b""

    def close(self) -> Iterator[Logged | Bar]:
        """Read what is left when no more will come."""
        yield from self._read(self._rest)
        self._rest = b""

    def peek(self) -> Bar | None:
        """The bar as last drawn, which has no line end yet."""
        return self._bar(self._rest.decode("utf-8", "replace"))

    def _read(self, segment: bytes) -> Iterator[Logged | Bar]:
        if b"{'" not in segment and b"%|" not in segment:
            return
        text = segment.decode("utf-8", "replace")
        bar = self._bar(text)
        if bar is not None:
            yield bar
        logged = logged_dict(text)
        if logged is not None:
            yield Logged(logged)

    def _bar(self, text: str) -> Bar | None:
        found = _BAR.match(text)
        if found is None or _NESTED in text:
            return None
        step, total = int(found[1]), int(found[2])
        if self.total is None and step == 0:
            self.total = total
        return Bar(step, total) if total == self.total else None


def logged_dict(text: str) -> dict[str, object] | None:
    """The dict in a line, wherever a progress bar left it. The trainer's own always have an epoch."""
    start, end = text.find("{'"), text.rfind("}")
    if start < 0 or end < start:
        return None
    try:
        found = ast.literal_eval(text[start : end + 1])
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    if not isinstance(found, dict) or "epoch" not in found or not all(isinstance(key, str) for key in found):
        return None
    return found
