"""What happens to rows together: rows that repeat, rows held out by content, and weights."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

from ..spec.diagnostics import Level
from .problems import Problems
from .sources import Loaded

_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class _Same:
    """Two rows of one content: one of the source that is looked at, and the first that had it."""

    source: Loaded
    row: int  # a place in the list of rows
    first: Loaded
    at: int

    @property
    def line(self) -> int:
        return self.source.numbers[self.row]

    def __str__(self) -> str:
        if _on_one_line(self.first):
            there = f"row {self.first.indices[self.at]} of {self.first.source.shown}"
        else:
            there = f"{self.first.source.shown}:{self.first.numbers[self.at]}"
        here = f"row {self.source.indices[self.row]}" if _on_one_line(self.source) else f"line {self.line}"
        return f"{here} is {there}"


class Index:
    """Which row first had a content: by the digest of the canonical row."""

    def __init__(self) -> None:
        self._first: dict[bytes, int] = {}
        self._sources: list[Loaded] = []

    def add(self, loaded: Loaded) -> list[_Same]:
        """Add a source; returns its rows that were there before."""
        base, first = len(self._sources) << 40, self._first
        self._sources.append(loaded)
        repeated = []
        for row, key in enumerate(loaded.keys):
            known = first.setdefault(key, base | row)
            if known != base | row:
                repeated.append(self._same(loaded, row, known))
        return repeated

    def find(self, loaded: Loaded) -> list[_Same]:
        """Rows of another source that are here too."""
        first = self._first
        return [self._same(loaded, row, first[key]) for row, key in enumerate(loaded.keys) if key in first]

    def _same(self, loaded: Loaded, row: int, known: int) -> _Same:
        return _Same(loaded, row, self._sources[known >> 40], known & (1 << 40) - 1)


def tell_repeated(sources: list[Loaded], problems: Problems) -> Index:
    """Warn of rows that repeat earlier ones."""
    index = Index()
    for loaded in sources:
        if repeated := index.add(loaded):
            message = f"{_count(len(repeated))} of `{loaded.source.shown}` repeat earlier ones: {_examples(repeated)}"
            hint = "each counts as often as it stands there; use `weight` if that is what you want"
            problems.source(loaded.place, "TF328", Level.WARNING, message, hint, repeated[0].line)
    return index


def tell_leaks(train: Index, held: list[Loaded], problems: Problems) -> None:
    """Warn of evaluation rows that are trained on."""
    for loaded in held:
        if leaks := train.find(loaded):
            message = f"{_count(len(leaks))} of `{loaded.source.shown}` are also trained on: {_examples(leaks)}"
            hint = "scores on rows that were trained on say little: remove them from one side"
            problems.source(loaded.place, "TF329", Level.WARNING, message, hint, leaks[0].line)


def hold_out(train: list[Loaded], share: float, seed: int, problems: Problems) -> set[bytes]:
    """Digests of the rows that go to eval. A row's own content decides, so added rows move no other."""
    place = train[0].place
    ranks = {key: rank(key, f"split:{seed}") for loaded in train for key in loaded.keys}
    held = {key for key, value in ranks.items() if value < share}
    if len(ranks) < 2:
        message = f"`data.eval.split` needs at least two different rows, and there is {len(ranks)}"
        problems.source(place, "TF326", Level.ERROR, message, "name a file under `data.eval`, or leave it out")
    elif not held or len(held) == len(ranks):
        side = "train" if held else "eval"
        key = (max if held else min)(ranks, key=lambda k: (ranks[k], k))
        held = held - {key} if held else {key}
        message = f"a split of {share:g} of {len(ranks)} different rows leaves none for {side}; one is put there"
        problems.source(
            place, "TF333", Level.NOTE, message, "with so few rows, a file of its own is better for `eval`"
        )
    return held


def weigh(loaded: Loaded, chosen: list[int], seed: int) -> list[bytes]:
    """The lines of chosen rows as often as the weight says: whole passes, then a part chosen by content."""
    whole = math.floor(loaded.source.weight)
    part = loaded.source.weight - whole
    lines = [loaded.lines[i] for i in chosen] * whole
    if part:
        lines += [loaded.lines[i] for i in chosen if rank(loaded.keys[i], f"weight:{seed}") < part]
    return lines


def rank(key: bytes, purpose: str) -> float:
    """A number from 0 to 1 that follows from a row's content alone."""
    return int.from_bytes(hashlib.blake2b(key, digest_size=8, key=purpose.encode()).digest(), "big") / 2**64


def _count(n: int) -> str:
    return "1 row" if n == 1 else f"{n:,} rows"


def _examples(pairs: list[_Same]) -> str:
    shown = ", ".join(str(pair) for pair in pairs[:_EXAMPLES])
    return f"{shown} and {len(pairs) - _EXAMPLES:,} more" if len(pairs) > _EXAMPLES else shown


def _on_one_line(loaded: Loaded) -> bool:
    """Whether the whole file is one line, so that lines tell nothing."""
    return len(loaded.numbers) > 1 and loaded.numbers[0] == loaded.numbers[-1]
