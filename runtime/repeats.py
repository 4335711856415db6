"""Rows of equal content, found by their digests in bounded memory: some of the digests at a time."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import merge, nsmallest
from typing import Protocol, TypeVar

from .blocks import KEY

EXAMPLES = 5
_AT_ONCE = 250_000  # rows whose digests are looked at together; a set of them takes about 20 MB

Pair = tuple[int, int, int]
"""A row, and the source and the row that first had its content; all counted from 0."""


class Digested(Protocol):
    """Rows with their digests, one after another."""

    keys: bytearray

    def __len__(self) -> int: ...


class Kept(Protocol):
    """What is kept of the rows that are found."""

    count: int

    def add(self, more: list[Pair]) -> None:
        """Take more pairs, in the order of their rows."""


D = TypeVar("D", bound=Digested)
H = TypeVar("H", bound=Digested)
K = TypeVar("K", bound=Kept)


@dataclass
class Found:
    """How many rows of a source were found, and the first of them."""

    count: int = 0
    pairs: list[Pair] = field(default_factory=list)

    def add(self, more: list[Pair]) -> None:
        """Count more pairs."""
        self.count += len(more)
        self.pairs = nsmallest(EXAMPLES, self.pairs + nsmallest(EXAMPLES, more))


class Every:
    """All rows of a source that were found, in 12 bytes each; iterates over the pairs in the order of rows."""

    def __init__(self) -> None:
        self.count = 0
        self._runs: list[list[array[int]]] = []

    def add(self, more: list[Pair]) -> None:
        """Take more pairs."""
        self.count += len(more)
        if more:
            self._runs.append([array("I", column) for column in zip(*more, strict=True)])

    def __iter__(self) -> Iterator[Pair]:
        return merge(*(zip(rows, sources, firsts, strict=True) for rows, sources, firsts in self._runs))


def keys(loaded: Digested) -> Iterator[bytes]:
    """The digest of each row."""
    whole = bytes(loaded.keys)
    return (whole[at : at + KEY] for at in range(0, len(whole), KEY))


def repeated(sources: Sequence[D], new: Callable[[], K]) -> list[tuple[D, K]]:
    """For each source that has some: its rows that are in it, or in a source before it, already."""
    found = [new() for _ in sources]
    for share in _shares(sources):
        heads = [share.heads(loaded) for loaded in sources]
        seen: set[int] = set()
        for some in heads:
            seen.update(some)
        if len(seen) == sum(map(len, heads)):
            continue
        first: dict[bytes, tuple[int, int]] = {}
        for number, loaded in enumerate(sources):
            found[number].add(_again(share, loaded, number, _several(heads), first))
    return [(loaded, some) for loaded, some in zip(sources, found, strict=True) if some.count]


def shared(sources: Sequence[D], others: Sequence[H], new: Callable[[], K]) -> list[tuple[H, K]]:
    """For each of the others that has some: its rows that are in one of the sources."""
    found = [new() for _ in others]
    for share in _shares([*sources, *others]) if others else ():
        heads = {head for loaded in others for head in share.heads(loaded)}
        common = heads.intersection(head for loaded in sources for head in share.heads(loaded))
        if not common:
            continue
        first: dict[bytes, tuple[int, int]] = {}
        for number, loaded in enumerate(sources):
            _again(share, loaded, number, common, first)
        for some, other in zip(found, others, strict=True):
            rows = share.rows(other, common)
            some.add([(row, *first[key]) for row, key in rows if key in first])
    return [(loaded, some) for loaded, some in zip(others, found, strict=True) if some.count]


@dataclass(frozen=True)
class _Share:
    """One of several equal shares of all possible digests."""

    number: int
    of: int

    def heads(self, loaded: Digested) -> list[int]:
        """The first half of each digest of this share, as a number."""
        every = (head for _, some in _heads(loaded) for head in some)
        return [head for head in every if head % self.of == self.number]

    def rows(self, loaded: Digested, heads: set[int]) -> Iterator[tuple[int, bytes]]:
        """Rows and digests of those with one of some heads."""
        for start, some in _heads(loaded):
            for row, head in enumerate(some, start):
                if head in heads:
                    yield row, bytes(loaded.keys[row * KEY : row * KEY + KEY])


def _heads(loaded: Digested) -> Iterator[tuple[int, list[int]]]:
    """The first half of each digest as a number, some at a time, and the row that these begin with."""
    for start in range(0, len(loaded), _AT_ONCE):
        with memoryview(loaded.keys) as view, view.cast("Q") as numbers:
            some: list[int] = numbers[2 * start : 2 * (start + _AT_ONCE) : 2].tolist()
        yield start, some


def _shares(sources: Sequence[Digested]) -> list[_Share]:
    count = -(-sum(map(len, sources)) // _AT_ONCE) or 1
    return [_Share(number, count) for number in range(count)]


def _several(heads: list[list[int]]) -> set[int]:
    """Heads that there are more than once."""
    seen: set[int] = set()
    several: set[int] = set()
    for some in heads:
        for head in some:
            (several if head in seen else seen).add(head)
    return several


def _again(
    share: _Share, loaded: Digested, number: int, heads: set[int], first: dict[bytes, tuple[int, int]]
) -> list[Pair]:
    """Rows whose content came before; what is new is noted in `first`."""
    pairs = []
    for row, key in share.rows(loaded, heads):
        known = first.setdefault(key, (number, row))
        if known != (number, row):
            pairs.append((row, *known))
    return pairs
