"""What happens to rows together: rows that repeat, rows held out by content, and weights."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..spec.diagnostics import Level
from .datafiles import Part
from .loaded import Loaded
from .problems import Place, Problems
from .repeats import Found, keys, repeated, shared

_FEW = "with so few rows, a file of its own is better for `eval`"


@dataclass(frozen=True, slots=True)
class _Same:
    """Two rows of one content: one of the source that is looked at, and the first that had it."""

    source: Loaded
    row: int  # a place in the list of rows
    first: Loaded
    at: int

    @property
    def line(self) -> int:
        return self.source.places.line(self.row)

    def __str__(self) -> str:
        first, source = self.first.places, self.source.places
        if first.on_one_line:
            there = f"row {first.index(self.at)} of {self.first.source.shown}"
        else:
            there = f"{self.first.source.shown}:{first.line(self.at)}"
        here = f"row {source.index(self.row)}" if source.on_one_line else f"line {self.line}"
        return f"{here} is {there}"


def tell_repeated(sources: list[Loaded], problems: Problems) -> int:
    """Warn of rows that repeat earlier ones; gives the number of different rows."""
    different = sum(map(len, sources))
    for loaded, found in repeated(sources, Found):
        different -= found.count
        pairs = [_Same(loaded, row, sources[source], at) for row, source, at in found.pairs]
        message = (
            f"{_count(found.count)} of `{loaded.source.shown}` repeat earlier ones: {_examples(pairs, found.count)}"
        )
        hint = "each counts as often as it stands there; use `weight` if that is what you want"
        problems.source(loaded.place, "TF328", Level.WARNING, message, hint, pairs[0].line)
    return different


def tell_leaks(train: list[Loaded], held: list[Loaded], problems: Problems) -> None:
    """Warn of evaluation rows that are trained on."""
    for loaded, found in shared(train, held, Found):
        pairs = [_Same(loaded, row, train[source], at) for row, source, at in found.pairs]
        message = (
            f"{_count(found.count)} of `{loaded.source.shown}` are also trained on: {_examples(pairs, found.count)}"
        )
        hint = "scores on rows that were trained on say little: remove them from one side"
        problems.source(loaded.place, "TF329", Level.WARNING, message, hint, pairs[0].line)


def hold_out(train: list[Loaded], share: float, seed: int, different: int, problems: Problems) -> list[bytes]:
    """Marks of the rows that go to eval, by source. A row's own content decides, so added rows move no other."""
    place, purpose = train[0].place, f"split:{seed}"
    marks = [bytes(value < share for value in ranks(keys(loaded), purpose)) for loaded in train]
    count, held = sum(map(len, marks)), sum(map(sum, marks))
    if different < 2:
        message = f"a split needs at least two different rows, and there is {different}"
        problems.source(place, "TF326", Level.ERROR, message, _FEW)
        return []
    if held in (0, count):
        side = "train" if held else "eval"
        every = (pair for loaded in train for pair in zip(ranks(keys(loaded), purpose), keys(loaded), strict=True))
        moved = (max if held else min)(every)[1]
        marks = [bytes((key == moved) != bool(held) for key in keys(loaded)) for loaded in train]
        tell_moved("no row", side, place, problems)
    return marks


def tell_moved(what: str, side: str, place: Place, problems: Problems) -> None:
    """Note that a row was put on a side which content alone left without one."""
    problems.source(place, "TF333", Level.NOTE, f"the split leaves {what} for {side}; one is put there", _FEW)


def weigh(loaded: Loaded, kept: bytes | None, seed: int) -> list[Part]:
    """The rows that are kept, as often as the weight says: whole passes, then a part chosen by content."""
    whole = math.floor(loaded.source.weight)
    part = loaded.source.weight - whole
    found = [chosen(loaded, kept)] * whole
    if part:
        marks = bytes(value < part for value in ranks(keys(loaded), f"weight:{seed}"))
        if kept is not None:
            marks = bytes(mark & keep for mark, keep in zip(marks, kept, strict=True))
        found.append(chosen(loaded, marks))
    return found


def chosen(loaded: Loaded, marks: bytes | None) -> Part:
    """The marked rows of a source; all without marks."""
    count = len(loaded) if marks is None else marks.count(1)
    return Part(loaded.spool, loaded.start, loaded.end, count, marks)


def ranks(digests: Iterable[bytes], purpose: str) -> Iterator[float]:
    """For each row's digest a number from 0 to 1, so that a row's content alone decides."""
    base = hashlib.blake2b(digest_size=8, key=purpose.encode())
    for key in digests:
        found = base.copy()
        found.update(key)
        yield int.from_bytes(found.digest(), "big") / 2**64


def _count(n: int) -> str:
    return "1 row" if n == 1 else f"{n:,} rows"


def _examples(pairs: list[_Same], count: int) -> str:
    shown = ", ".join(str(pair) for pair in pairs)
    return f"{shown} and {count - len(pairs):,} more" if count > len(pairs) else shown
