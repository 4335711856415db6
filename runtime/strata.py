"""Holding rows out; by a column of the user's, each value gets its share on both sides."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import compress

from ..spec.diagnostics import Level
from ..spec.rows.rowcheck import kind, listed, quoted
from ..spec.rows.strictjson import Flaw
from .loaded import Loaded, Source
from .mixing import hold_out, ranks, tell_moved
from .problems import Place, Problems
from .repeats import keys
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


@dataclass(frozen=True)
class HeldOut:
    """A mark for each row of each source that goes to eval; no marks at all where there is an error."""

    marks: list[bytes]
    by_value: dict[str, tuple[int, int]] = field(default_factory=dict)  # of the column: rows, and rows held out


def hold_out_evenly(
    train: list[Loaded], share: float, seed: int, column: str | None, different: int, problems: Problems
) -> HeldOut:
    """Hold out a share of the rows, by content; with a column, each of its values has rows on both sides."""
    marks = hold_out(train, share, seed, different, problems)
    if column is None or not marks:
        return HeldOut(marks)
    return _spread(train, marks, column, seed, problems)


def even_out(held: set[bytes], by_value: Mapping[str, Iterable[bytes]], seed: int) -> tuple[set[bytes], list[str]]:
    """Put a row of each value on the side that has none; values with one row stay as they are.

    Returns the digests of held-out rows and the values where a row was moved. Every other row's own content has
    decided, with the same share for each value, so that added rows move no other row.
    """
    held, moved = set(held), []
    for value, digests in by_value.items():
        mine = set(digests)
        out = mine & held
        if len(mine) < 2 or 0 < len(out) < len(mine):
            continue
        choose = max if out else min
        held ^= {choose(zip(ranks(mine, f"split:{seed}"), mine, strict=True))[1]}
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


def _by_value(train: list[Loaded], column: str, problems: Problems) -> dict[str, list[bytes]]:
    """The digests of the rows of each value, of all sources."""
    found: dict[str, list[bytes]] = {}
    for loaded in train:
        rows = RowsRead(loaded)
        digests = list(rows.keys())
        for value, mine in rows_by_value(rows, values(loaded.source, loaded.place, column, problems)).items():
            found.setdefault(value, []).extend(digests[row] for row in mine)
    return found


def _spread(train: list[Loaded], marks: list[bytes], column: str, seed: int, problems: Problems) -> HeldOut:
    """The marks of held-out rows, with a row of each value on both sides."""
    by_value = _by_value(train, column, problems)
    if problems.failed:
        return HeldOut([])
    held = {key for loaded, chosen in zip(train, marks, strict=True) for key in compress(keys(loaded), chosen)}
    held, moved = even_out(held, by_value, seed)
    if moved:
        tell_moved(f"no row of {listed(moved)} in {quoted(column)}", "one side", train[0].place, problems)
    counts = {value: (len(mine), sum(key in held for key in mine)) for value, mine in by_value.items()}
    return HeldOut([bytes(key in held for key in keys(loaded)) for loaded in train], counts)
