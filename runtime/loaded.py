"""A source of rows, and what reading it gave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..spec.diagnostics import Span
from .places import Places
from .problems import Place
from .spool import Spool

Told = Callable[[int, int], None]
"""Is told, now and then, how many rows and how many bytes of a file were read."""


@dataclass(frozen=True)
class Source:
    """A file of rows, or a folder or pattern of them, as the spec names it."""

    path: Path  # absolute
    shown: str  # as written
    format: str = "auto"
    columns: dict[str, str] = field(default_factory=dict)  # key of the format -> the user's column
    weight: float = 1.0
    span: Span | None = None  # where the spec names it
    named: Path | str | None = None  # what messages call the file, where `path` is a copy: its path, or a dataset's id
    at: Callable[[str], str] = field(default=str, repr=False, compare=False)  # where the bytes of a folder's file are


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row left out because of `on_bad_row: skip`."""

    file: str
    line: int
    row: int
    code: str
    reason: str


@dataclass
class Loaded:
    """What a source gave. Its rows are lines of the spool from `start` to `end`; of each there is a digest."""

    source: Source
    place: Place
    spool: Spool
    format: str | None = None
    evidence: str = ""
    shape: str | None = None
    variant: str = ""  # preference rows are plain texts or conversations
    start: int = 0
    end: int = 0
    keys: bytearray = field(default_factory=bytearray)  # digests, one after another
    places: Places = field(default_factory=Places)
    skipped: list[Skipped] = field(default_factory=list)
    ignored: set[str] = field(default_factory=set)

    def __len__(self) -> int:
        return self.places.count

    def span(self, row: int) -> Span:
        """Where a row stands in its file; rows are counted from 0 among these."""
        number = self.places.index(row) if self.places.on_one_line else 0
        return Span(self.place.file, self.places.line(row), 1, 2, number)

    def add(self, lines: bytes, keys: bytes) -> None:
        """Append rows; their places are added apart."""
        self.spool.add(lines)
        self.keys += keys
        self.end = self.spool.size

    def lines(self) -> Iterator[bytes]:
        """The rows as canonical lines, without their ends."""
        return (line[:-1] for some in self.spool.lines(self.start, self.end) for line in some)
