"""Rows that are equal: within a split, and rows held out with those that are trained on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...spec.diagnostics import Level
from ..repeats import Every, Pair, repeated, shared
from .checks import Checks, loose_keys


class _Loose:
    """The rows of a file by their digests without white space."""

    def __init__(self, checks: Checks) -> None:
        self.keys = bytearray()
        for key in loose_keys(checks.lines("comparing")):
            self.keys += key
        self._count = len(checks.rows)

    def __len__(self) -> int:
        return self._count


class Same:
    """What is equal among the files of a report; each file's part is told when it is its turn."""

    def __init__(self, train: Sequence[Checks], held: Sequence[Checks]) -> None:
        self._train = list(train)
        self._repeats = {id(c): (group, found) for group in (train, held) for c, found in _repeated(list(group))}
        self._leaks = _leaks(self._train, list(held)) if held else {}

    def tell(self, checks: Checks) -> None:
        """Rows of a file that repeat earlier ones, and rows held out that are trained on."""
        if repeats := self._repeats.pop(id(checks), None):
            group, found = repeats
            _tell_repeated(checks, list(group), found)
        if leaks := self._leaks.pop(id(checks), None):
            self._tell_leaked(checks, *leaks)

    def _tell_leaked(self, checks: Checks, exact: Every, loose: Every) -> None:
        hint = "scores on rows that were trained on say little: remove them from one side"
        for equal, (row, source, at) in _beside(exact, loose):
            there = self._train[source].place(at)
            code, but = ("TF329", "") if equal else ("TF355", "but for white space, ")
            checks.tell(code, Level.WARNING, row, f"{but}the row is trained on: {there}", hint)


def _tell_repeated(checks: Checks, group: list[Checks], found: Every) -> None:
    hint = "each counts as often as it stands there; a source's `weight` says it better"
    for row, source, at in found:
        first = group[source]
        there = first.rows.place(at) if first is checks else first.place(at)
        checks.tell("TF328", Level.WARNING, row, f"the row repeats {there}", hint)


def _repeated(group: list[Checks]) -> Iterator[tuple[Checks, Every]]:
    of = {id(checks.rows.loaded): checks for checks in group}
    return ((of[id(loaded)], found) for loaded, found in repeated([c.rows.loaded for c in group], Every))


def _leaks(train: list[Checks], held: list[Checks]) -> dict[int, tuple[Every, Every]]:
    of = {id(checks.rows.loaded): id(checks) for checks in held}
    pairs = shared([c.rows.loaded for c in train], [c.rows.loaded for c in held], Every)
    exact = {of[id(loaded)]: found for loaded, found in pairs}
    bare = {id(checks): _Loose(checks) for checks in held}
    of = {id(rows): checks for checks, rows in bare.items()}
    near = shared([_Loose(checks) for checks in train], list(bare.values()), Every)
    return {of[id(rows)]: (exact.get(of[id(rows)], Every()), found) for rows, found in near}


def _beside(exact: Every, loose: Every) -> Iterator[tuple[bool, Pair]]:
    """Each row once: with the row that it equals, else with one that it equals but for white space."""
    equal = iter(exact)
    following = next(equal, None)
    for pair in loose:
        if following and following[0] == pair[0]:
            yield True, following
            following = next(equal, None)
        else:
            yield False, pair
