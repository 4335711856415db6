"""From characters to tokens: which tokens a span of a text covers."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

Span = tuple[int, int]  # characters of a text, from and before


def covering(ends: list[int], spans: Iterable[Span]) -> list[range]:
    """The tokens that cover a character of the spans, as ranges of their numbers, in order and apart.

    `ends` has each token's end in the text. A token reaches back to the one before it: tokenizers may leave the
    space that it stands for out of its offsets, and the bytes of one character all have that character's offsets.
    """
    if sorted(ends) != ends:
        return _one_by_one(ends, list(spans))
    found: list[range] = []
    done = 0
    for start, stop in sorted(span for span in spans if span[0] < span[1]):
        first = max(bisect_right(ends, start), done)
        done = max(min(max(bisect_left(ends, stop) + 1, bisect_right(ends, stop)), len(ends)), done)
        if first < done:
            found.append(range(first, done))
    return found


def uncovered(count: int, covered: Sequence[range]) -> list[range]:
    """All other tokens of `count`."""
    edges = [0, *(edge for part in covered for edge in (part.start, part.stop)), count]
    return [range(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]


def total(parts: Iterable[range], limit: int | None = None) -> int:
    """How many tokens the ranges have, before `limit` if there is one."""
    if limit is None:
        return sum(map(len, parts))
    return sum(max(min(part.stop, limit) - part.start, 0) for part in parts)


def _one_by_one(ends: list[int], spans: list[Span]) -> list[range]:
    """Ends that go back: special tokens that stand for no part of the text."""
    found, before = [], 0
    for token, end in enumerate(ends):
        begin, before = min(before, end - 1), end
        if any(start < end and begin < stop for start, stop in spans):
            found.append(range(token, token + 1))
    return found
