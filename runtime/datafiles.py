"""Canonical rows as bytes: one JSON line each, the same for the same rows wherever they came from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from ..spec.rows.fastjson import is_plain
from ..spec.rows.rowcheck import Row
from .spool import Spool

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False).encode
# Control characters are escaped by JSON itself.
_BREAKS = tuple((c.encode(), f"\\u{ord(c):04x}".encode()) for c in "\x85\u2028\u2029")


def encode(row: Row) -> bytes:
    """A canonical row as one line, without its end. No character in it ends a line for any reader."""
    return unbroken(pack(row))


def pack(row: Row) -> bytes:
    """A canonical row as JSON, in which characters may be that some readers end a line at."""
    if is_plain(row):
        try:
            return orjson.dumps(row)
        except orjson.JSONEncodeError:  # an integer of more than 64 bits
            pass
    return _compact(row).encode()


def unbroken(line: bytes) -> bytes:
    """JSON with those characters escaped."""
    if breaks(line):
        for character, escape in _BREAKS:
            line = line.replace(character, escape)
    return line


def breaks(text: bytes) -> bool:
    """Whether such a character is in JSON text."""
    if text.isascii() or (0xE2 not in text and 0xC2 not in text):  # their first bytes
        return False
    return any(character in text for character, _ in _BREAKS)


@dataclass(frozen=True, slots=True)
class Part:
    """Lines of a spool, or some of them: `chosen` has a byte for each, not 0 where the line is taken."""

    spool: Spool
    start: int
    end: int
    rows: int
    chosen: bytes | None = None

    def blocks(self) -> Iterator[bytes]:
        """The lines with their ends, some at a time."""
        if self.chosen is None:
            yield from self.spool.blocks(self.start, self.end)
            return
        row = 0
        for lines in self.spool.lines(self.start, self.end):
            marks = self.chosen[row : row + len(lines)]
            row += len(lines)
            yield b"".join(line for line, mark in zip(lines, marks, strict=True) if mark)

    def lines(self) -> Iterator[bytes]:
        """The lines without their ends."""
        row = 0
        for lines in self.spool.lines(self.start, self.end):
            marks = self.chosen[row : row + len(lines)] if self.chosen else b"\1" * len(lines)
            row += len(lines)
            yield from (line[:-1] for line, mark in zip(lines, marks, strict=True) if mark)


class Rows:
    """Rows of one split, in order. They lie in a temporary file, as lines, and are written as they are."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = tuple(parts)
        self._sha256: str | None = None

    def __len__(self) -> int:
        return sum(part.rows for part in self._parts)

    def __iter__(self) -> Iterator[Row]:
        return map(json.loads, self.lines())

    def lines(self) -> Iterator[bytes]:
        """The rows as canonical lines, without their ends."""
        return (line for part in self._parts for line in part.lines())

    @property
    def sha256(self) -> str:
        """Digest of the rows, which is also that of the file that `write` makes."""
        if self._sha256 is None:
            for _ in self._hashed():
                pass
        assert self._sha256 is not None
        return self._sha256

    def write(self, path: Path) -> dict[str, int | str]:
        """Write the rows as JSON lines; returns what a manifest says of the file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for block in self._hashed():
                file.write(block)
        return {"rows": len(self), "sha256": self.sha256}

    def _hashed(self) -> Iterator[bytes]:
        digest = hashlib.sha256()
        for part in self._parts:
            for block in part.blocks():
                digest.update(block)
                yield block
        self._sha256 = digest.hexdigest()


def rows_of(lines: Sequence[bytes]) -> Rows:
    """Rows that are few, out of their lines."""
    spool = Spool()
    for line in lines:
        spool.add(line + b"\n")
    return Rows([Part(spool, 0, spool.size, len(lines))])


NO_ROWS = Rows(())
