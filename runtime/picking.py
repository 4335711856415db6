"""Choosing rows of a file by their content, and writing them as they stand there: `data split` and `data sample`."""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path

from ..spec.diagnostics import Diagnostic, Level
from ..spec.rows.strictjson import Flaw
from .data import place_of
from .datafiles import encode
from .loaded import Source
from .problems import Problems
from .readers.base import LINES, FileProblem
from .repeats import Found, repeated
from .rows import RowReader
from .sofar import Progress, SoFar
from .sources import SourceReading
from .strata import hold_out_evenly

_TOLD_EVERY = 1000  # rows


@dataclass
class Share:
    """Which rows of a file, by their numbers in it, are held out, and what was found on the way."""

    rows: int = 0
    held: set[int] = field(default_factory=set)
    by_value: dict[str, tuple[int, int]] = field(default_factory=dict)  # of `stratify`: rows, and rows held out
    diagnostics: list[Diagnostic] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether there is an error."""
        return any(d.level is Level.ERROR for d in self.diagnostics)


def split(
    source: Source, ratio: float, seed: int, stratify: str | None = None, progress: Progress | None = None
) -> Share:
    """Hold rows out as `data.eval: {split, seed, stratify}` of a spec does: by content, equal rows on one side."""
    problems, place = Problems(), place_of(source, "data.train")
    so_far = SoFar([source], progress)
    loaded = SourceReading(source, place, None, False, problems, told=so_far.told).run()
    if problems.failed:
        return Share(diagnostics=problems.finish())
    different = len(loaded) - sum(found.count for _, found in repeated([loaded], Found))
    held = hold_out_evenly([loaded], ratio, seed, stratify, different, problems)
    if problems.failed:
        return Share(diagnostics=problems.finish())
    chosen = {loaded.places.index(row) for row in compress(range(len(loaded)), held.marks[0])}
    told = [d for d in problems.finish() if d.code != "TF330"]  # all columns are written
    return Share(len(loaded), chosen, held.by_value, told)


def sample(path: Path, size: int, seed: int) -> tuple[set[int], int, int]:
    """The numbers of rows with different contents, how many rows there are, and how many cannot be read."""
    best: dict[str, int] = {}
    rows = bad = 0
    heap: list[tuple[float, str]] = []  # the worst of the best on top
    for raw, value in RowReader(path):
        rows += 1
        if isinstance(value, Flaw):
            bad += 1
            continue
        text = json.dumps(value, sort_keys=True, ensure_ascii=False)
        key = hashlib.blake2b(text.encode(), digest_size=16, key=f"sample:{seed}".encode()).hexdigest()
        if key in best or (len(heap) == size and key >= _worst(heap)):
            continue
        best[key] = raw.index
        heapq.heappush(heap, (-int(key, 16), key))
        if len(heap) > size:
            del best[heapq.heappop(heap)[1]]
    return set(best.values()), rows, bad


def as_they_are(path: Path, progress: Progress | None = None) -> Iterator[tuple[int, bytes]]:
    """Each row's number and its line: of a file of lines the line itself, else the row as JSON."""
    lines, reader = path.suffix.lower() in LINES, RowReader(path)
    for raw, value in reader:
        if progress and raw.index % _TOLD_EVERY == 0:
            progress(raw.index, reader.position, reader.size)
        if not isinstance(value, Flaw):
            yield raw.index, raw.text.strip().encode() if lines else encode(value)


def _worst(heap: list[tuple[float, str]]) -> str:
    return heap[0][1]


__all__ = ["FileProblem", "Share", "as_they_are", "sample", "split"]
