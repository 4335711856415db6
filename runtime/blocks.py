"""Blocks of lines, converted at once. A block's outcome follows from its lines and the settings alone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson

from ..spec.rows.fastjson import loads_object
from ..spec.rows.needs import Needs
from ..spec.rows.rowcheck import Row, RowError
from ..spec.rows.shapes import converter
from ..spec.rows.strictjson import Flaw
from .datafiles import breaks, pack, unbroken
from .readers.lines import read_line

KEY = 16  # bytes of a row's digest
_new = hashlib.blake2b(digest_size=KEY).copy  # faster than to set one up
_TEXTS = ("instruction", "prompt_completion", "text")  # formats whose canonical rows hold texts alone
ONE_VARIANT = ("preference", "unpaired_preference", "prompt")
"""Shapes whose rows are all plain texts or all conversations."""


@dataclass(frozen=True)
class How:
    """What is settled about a source, once its first row is known."""

    format: str
    shape: str
    columns: Mapping[str, str]
    needs: Needs
    turns_in: str | None  # the column that conversations are in
    variant: str  # plain texts or conversations, where a shape's rows are all of one kind
    limit: int  # bytes of a line


@dataclass
class Done:
    """What became of so many lines: the good rows as canonical lines with their digests, and the other lines."""

    count: int
    lines: bytes = b""
    keys: bytes = b""
    odd: list[tuple[int, bytes]] = field(default_factory=list)  # lines that are no good rows, with their places
    ignored: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)


def convert_block(lines: Sequence[bytes], how: How, unseen: frozenset[str] = frozenset()) -> Done:
    """Convert lines to canonical rows. Blank lines and those with a problem are odd."""
    done = Done(len(lines))
    read, to_json = how_to_read(how), orjson.dumps if how.format in _TEXTS else pack
    ignored, turns_in = done.ignored, how.turns_in
    out: list[bytes] = []
    quickly = loads_object if max(map(len, lines)) <= how.limit else partial(_checked, limit=how.limit)
    for at, line in enumerate(lines):
        row = quickly(line)
        if row is None and (row := _strictly(line, how.limit)) is None:
            done.odd.append((at, line))
            continue
        try:
            if turns_in is not None and turns_in not in row:
                raise RowError("TF315", (turns_in,), "is missing")
            out.append(to_json(read(row, ignored)))
        except RowError:
            done.odd.append((at, line))
            continue
        if unseen:
            done.seen |= unseen & row.keys()
    done.lines = b"\n".join([*out, b""])
    if breaks(done.lines):
        out = [*map(unbroken, out)]
        done.lines = b"\n".join([*out, b""])
    done.keys = b"".join(map(digest, out))
    return done


def how_to_read(how: How) -> Callable[[Row, set[str] | None], Row]:
    """The converter of a source's rows, with the check that they are of one kind where they must be."""
    read = converter(how.format, how.columns, how.needs)
    if how.shape not in ONE_VARIANT:
        return read

    def of_one_kind(row: Row, ignored: set[str] | None) -> Row:
        found = read(row, ignored)
        if how.variant and variant(found) != how.variant:
            raise RowError("TF314", (), "is of another kind")
        return found

    return of_one_kind


def variant(row: Row) -> str:
    """What a row's prompt and answers are."""
    return "plain texts" if isinstance(row["prompt"], str) else "conversations"


def digest(line: bytes) -> bytes:
    """A row's digest, by which it is found again."""
    found = _new()
    found.update(line)
    return found.digest()


def _checked(line: bytes, limit: int) -> dict[str, Any] | None:
    return loads_object(line) if len(line) <= limit else None


def _strictly(line: bytes, limit: int) -> dict[str, Any] | None:
    if not line.strip():
        return None
    value = read_line(line, 0, 0, limit)[1]
    return None if isinstance(value, Flaw) else value
