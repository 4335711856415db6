"""Figures of one file's tokens: lengths, their histogram, what is trained, and what a limit leaves."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..tokens.counting import Counted

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows of `start` to `stop` - 1 tokens; the last bin has no end."""

    start: int
    stop: int | None
    rows: int


@dataclass(frozen=True)
class Figures:
    """Tokens of the rows of a file, or of several."""

    exact: bool
    rows: int
    shortest: int
    median: int
    p95: int
    longest: int
    epoch: int  # tokens that an epoch reads
    trained: int
    histogram: tuple[Bin, ...]
    max_length: int | None
    over: int  # rows longer than max_length
    cut_empty: int  # of these, rows that would have nothing left to train if they were cut
    epoch_dropped: int  # tokens an epoch reads where longer rows are dropped
    epoch_cut: int  # where they are cut
    trained_dropped: int
    trained_cut: int

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        limited = {
            "max_length": self.max_length,
            "rows_over": self.over,
            "rows_over_with_nothing_left": self.cut_empty,
            "if_dropped": {"epoch": self.epoch_dropped, "trained": self.trained_dropped},
            "if_cut": {"epoch": self.epoch_cut, "trained": self.trained_cut},
        }
        return {
            "exact": self.exact,
            "rows": self.rows,
            "row": {"min": self.shortest, "median": self.median, "p95": self.p95, "max": self.longest},
            "epoch": self.epoch,
            "trained": self.trained,
            "masked": self.epoch - self.trained,
            "histogram": [{"from": b.start, "below": b.stop, "rows": b.rows} for b in self.histogram],
            "limit": limited if self.max_length is not None else None,
        }


def figures(counted: list[Counted], max_length: int | None) -> Figures | None:
    """The figures of rows that can be trained on; None where there are none."""
    lengths = array("I", sorted(c.lengths[i] for c, i in _rows(counted)))
    if not lengths:
        return None
    limit = lengths[-1] if max_length is None else max_length
    long = [(c, i) for c, i in _rows(counted) if c.lengths[i] > limit]
    left = [(c, i) for c, i in long if c.kept[i] or not c.trained[i]]
    epoch, trained = sum(c.read[i] for c, i in _rows(counted)), sum(c.trained[i] for c, i in _rows(counted))
    epoch_fit, trained_fit = epoch - sum(c.read[i] for c, i in long), trained - sum(c.trained[i] for c, i in long)
    return Figures(
        exact=all(c.exact for c in counted),
        rows=len(lengths),
        shortest=lengths[0],
        median=at(lengths, 0.5),
        p95=at(lengths, 0.95),
        longest=lengths[-1],
        epoch=epoch,
        trained=trained,
        histogram=tuple(histogram(lengths)),
        max_length=max_length,
        over=len(long),
        cut_empty=len(long) - len(left),
        epoch_dropped=epoch_fit,
        epoch_cut=epoch_fit + sum(c.read_in(i, limit) for c, i in left),
        trained_dropped=trained_fit,
        trained_cut=trained_fit + sum(c.kept[i] for c, i in left),
    )


def _rows(counted: list[Counted]) -> Iterator[tuple[Counted, int]]:
    """Rows that can be trained on."""
    return ((c, i) for c in counted for i in range(len(c.lengths)) if i not in c.unfit)


def at(ordered: array[int], share: float) -> int:
    """The value that a share of all values does not exceed (nearest rank)."""
    return ordered[max(-int(-share * len(ordered) // 1) - 1, 0)]


def histogram(ordered: array[int]) -> list[Bin]:
    """Bins of one round width; the last one takes what is beyond nearly all."""
    width = _round_width(at(ordered, 0.99) / BINS)
    last = min(ordered[-1] // width, BINS)
    counts = [0] * (last + 1)
    for length in ordered:
        counts[min(length // width, last)] += 1
    first = next(i for i, count in enumerate(counts) if count)
    stops = [(i + 1) * width if i < last or ordered[-1] < (last + 1) * width else None for i in range(last + 1)]
    return [Bin(i * width, stops[i], counts[i]) for i in range(first, last + 1)]


def _round_width(least: float) -> int:
    width = 1
    while True:
        for step in (1, 2, 5):
            if width * step >= least:
                return width * step
        width *= 10
