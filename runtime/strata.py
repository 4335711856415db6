"""Splitting rows by a column of the user's: each value gets its share on both sides."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

from ..spec.diagnostics import Level
from ..spec.rows.rowcheck import kind, listed, quoted
from ..spec.rows.strictjson import Flaw
from .loaded import Loaded, Source
from .problems import Place, Problems
from .rows import RowReader
from .rowsread import RowsRead


def values(source: Source, place: Place, column: str, problems: Problems) -> dict[int, str]:
    """The column's value of each row, by the row's number in its file. A row without it has the value null."""
    found, there = dict[int, str](), False
    for raw, row in RowReader(source.path):
        if isinstance(row, Flaw):
            continue  # which reading the rows has told
        there = there or column in row
        value = row.get(column)
        if isinstance(value, dict | list):
            message = f"`stratify` takes a column of texts or numbers, and {quoted(column)} holds {kind(value)}"
            problems.source(place, "TF352", Level.ERROR, message, None, raw.line)
            return {}
        found[raw.index] = json.dumps(value, ensure_ascii=False)
    if found and not there:
        message = f"`stratify` names {quoted(column)}, but no row of {quoted(source.shown)} has it"
        problems.source(place, "TF352", Level.ERROR, message)
    return found


def even_out(held: set[bytes], by_value: Mapping[str, Iterable[bytes]], seed: int) -> tuple[set[bytes], list[str]]:
    """Put a row of each value on the side that has none; values with one row stay as they are.

    Returns the digests of held-out rows and the values where a row was moved. Every other row's own content has
    decided, with the same share for each value, so that added rows move no other row.
    """
    held, moved = set(held), []
    for value, keys in by_value.items():
        mine = set(keys)
        out = mine & held
        if len(mine) < 2 or 0 < len(out) < len(mine):
            continue
        choose = max if out else min
        key = choose(mine, key=lambda k: (rank(k, f"split:{seed}"), k))
        held ^= {key}
        moved.append(value)
    return held, moved


def rows_by_value(rows: RowsRead, found: Mapping[int, str]) -> dict[str, list[int]]:
    """The rows of each value; equal rows count to the value of the first of them."""
    first: dict[bytes, str] = {}
    out: dict[str, list[int]] = {}
    for row, key in enumerate(rows.keys()):
        value = first.setdefault(key, found.get(rows.index(row), "null"))
        out.setdefault(value, []).append(row)
    return out


def tell_moved(moved: list[str], column: str | None, place: Place, problems: Problems) -> None:
    """Note the values that needed a row moved."""
    if not moved:
        return
    which = f" for {listed(moved)} of {quoted(column)}" if column else ""
    message = f"the split left one side without a row{which}; one row is put there"
    problems.source(place, "TF333", Level.NOTE, message, "with so few rows, a file of its own is better for `eval`")


def spread(train: list[Loaded], marks: list[bytes], column: str, seed: int, problems: Problems) -> list[bytes]:
    """The marks of held-out rows of several sources, with a row of each value on both sides."""
    by_value: dict[str, list[bytes]] = {}
    digests = [list(RowsRead(loaded).keys()) for loaded in train]
    held: set[bytes] = set()
    for loaded, keys, chosen in zip(train, digests, marks, strict=True):
        rows = RowsRead(loaded)
        held |= {key for key, mark in zip(keys, chosen, strict=True) if mark}
        for value, mine in rows_by_value(rows, values(loaded.source, loaded.place, column, problems)).items():
            by_value.setdefault(value, []).extend(keys[row] for row in mine)
    held, moved = even_out(held, by_value, seed)
    tell_moved(moved, column, train[0].place, problems)
    return [bytes(key in held for key in keys) for keys in digests]


def rank(key: bytes, purpose: str) -> float:
    """A number from 0 to 1 that follows from a row's content alone, as mixing has it for all rows of a source."""
    return int.from_bytes(hashlib.blake2b(key, digest_size=8, key=purpose.encode()).digest(), "big") / 2**64
