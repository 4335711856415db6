"""The data of a spec: read, converted, counted, split, and written into a bundle."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..compilers.base import DataStep
from ..spec.diagnostics import Diagnostic, Level
from ..spec.plan import DataFacts
from ..spec.rows.needs import NO_NEEDS, Needs
from .datafiles import Rows, encode, rows_of
from .datapaths import expand
from .loaded import Loaded, Skipped, Source
from .mixing import chosen, tell_leaks, tell_repeated, weigh
from .problems import Place, Problems
from .sofar import Progress, SoFar
from .sources import SourceReading
from .spool import Spool
from .strata import hold_out_evenly

__all__ = ["DataRequest", "DataResult", "Peek", "Progress", "Source", "peek", "read_data", "write_data"]

SKIPPED = "data/skipped.jsonl"
_PEEK_ROWS = 20
_OTHERS = bytes((1, 0, *range(2, 256)))  # marks turned into those of the rows that are not marked


@dataclass(frozen=True)
class DataRequest:
    """What to read, and for which method (sft, pretrain or dpo)."""

    train: Sequence[Source]
    eval: Sequence[Source] = ()
    split: float | None = None  # share of the training rows held out for eval
    split_seed: int = 42
    stratify: str | None = None  # column by whose values the split is made
    test: Sequence[Source] = ()
    on_bad_row: str = "error"
    method: str = "sft"
    needs: Needs = NO_NEEDS  # what the run needs of rows beyond their format


@dataclass(frozen=True)
class DataResult:
    """What was read. `rows`, by split, is complete only where `ok`."""

    facts: DataFacts
    rows: dict[str, Rows]
    diagnostics: list[Diagnostic]
    ignored: dict[str, list[str]] = field(default_factory=dict)  # columns that are not carried, by file as written
    skipped: list[Skipped] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return not any(d.level is Level.ERROR for d in self.diagnostics)

    @property
    def digests(self) -> dict[str, str]:
        """The digest of each split's rows."""
        return {split: rows.sha256 for split, rows in self.rows.items()}


@dataclass(frozen=True)
class Peek:
    """What the first rows of a source say."""

    format: str | None
    shape: str | None
    evidence: str
    diagnostics: list[Diagnostic]


def read_data(request: DataRequest, progress: Progress | None = None, workers: int = 1) -> DataResult:
    """Read and convert everything. Every problem is a diagnostic; nothing is raised for what a file holds.

    With several `workers`, large files of lines are converted by so many processes; the result is the same.
    """
    if request.split is not None and request.eval:
        raise ValueError("rows for eval come from a split or from files, not from both")
    problems = Problems()
    groups = _load(request, problems, progress, workers)
    everything = [loaded for group in groups.values() for loaded in group]
    hint = "all sources of a run hold rows of one shape; map `columns` or set `format` where that helps"
    check_same_shape(everything, problems, hint)
    rows: dict[str, Rows] = {}
    if not problems.failed:
        rows = _assemble(request, groups, problems)
    skipped = [row for loaded in everything for row in loaded.skipped]
    return DataResult(
        facts=_facts(everything, rows if not problems.failed else {}, len(skipped)),
        rows=rows if not problems.failed else {},
        diagnostics=problems.finish(),
        ignored={loaded.source.shown: sorted(loaded.ignored) for loaded in everything if loaded.ignored},
        skipped=skipped,
    )


def _load(
    request: DataRequest, problems: Problems, progress: Progress | None, workers: int
) -> dict[str, list[Loaded]]:
    """Read every file of every source, one after another, into one spool."""
    named: list[tuple[str, Source, str]] = []
    for split, sources in (("train", request.train), ("eval", request.eval), ("test", request.test)):
        for source, path in _named(split, sources):
            named += [(split, file, path) for file in expand(source, place_of(source, path), problems)]
    counted, spool, skip = SoFar([file for _, file, _ in named], progress), Spool(), request.on_bad_row == "skip"
    groups: dict[str, list[Loaded]] = {"train": [], "eval": [], "test": []}
    for split, source, path in named:
        place = place_of(source, path)
        how = (request.method, skip, problems, request.needs, spool, counted.told, workers)
        aside = request.stratify if split == "train" else None
        groups[split].append(SourceReading(source, place, *how, aside).run())
        counted.next(source)
    return groups


def peek(source: Source, method: str | None = None, path: str = "data.train", on_bad_row: str = "error") -> Peek:
    """What a source is, from its first rows; problems in these are told too, unless such rows are skipped."""
    problems = Problems()
    files = expand(source, place_of(source, path), problems)
    if not files:
        return Peek(None, None, "", problems.finish())
    reading = SourceReading(files[0], place_of(files[0], path), method, on_bad_row == "skip", problems)
    loaded = reading.run(limit=_PEEK_ROWS)
    return Peek(loaded.format, loaded.shape, loaded.evidence, problems.finish())


def write_data(result: DataResult, steps: Iterable[DataStep], folder: Path) -> dict[str, dict[str, int | str]]:
    """Write the files that a bundle wants, and the list of skipped rows; what the manifest says of each."""
    if not result.ok:
        raise ValueError("data with errors cannot be written")
    written = {}
    for step in steps:
        if step.split not in result.rows or step.shape != result.facts.shape:
            raise ValueError(f"there are no {step.shape} rows for {step.split}: {result.facts}")
        written[step.out] = result.rows[step.split].write(folder / step.out)
    if result.skipped:
        written[SKIPPED] = rows_of([encode(asdict(row)) for row in result.skipped]).write(folder / SKIPPED)
    return written


def _named(split: str, sources: Sequence[Source]) -> list[tuple[Source, str]]:
    several = len(sources) > 1
    return [(source, f"data.{split}[{i}]" if several else f"data.{split}") for i, source in enumerate(sources)]


def place_of(source: Source, path: str) -> Place:
    """What messages call a source: by its path from here, where it is below here."""
    here, named = Path.cwd(), source.named or source.path
    if isinstance(named, str):
        return Place(path, named, source.shown, source.span)
    file = os.path.relpath(named, here) if named.is_relative_to(here) else str(named)
    return Place(path, Path(file).as_posix(), source.shown, source.span)


def check_same_shape(sources: list[Loaded], problems: Problems, hint: str) -> None:
    """An error for each source whose rows are of another kind than those of the first."""
    known = [loaded for loaded in sources if loaded.shape]
    for loaded in known[1:]:
        if (loaded.shape, loaded.variant) != (known[0].shape, known[0].variant):
            this, first = _what(loaded), _what(known[0])
            problems.source(loaded.place, "TF324", Level.ERROR, f"{this}, but {first}", hint)


def _what(loaded: Loaded) -> str:
    kind = f" as {loaded.variant}" if loaded.variant else ""
    return f"`{loaded.source.shown}` holds {loaded.shape} rows{kind}"


def _assemble(request: DataRequest, groups: dict[str, list[Loaded]], problems: Problems) -> dict[str, Rows]:
    train, seed = groups["train"], request.split_seed
    different = tell_repeated(train, problems)
    for split in ("eval", "test"):
        tell_repeated(groups[split], problems)
        tell_leaks(train, groups[split], problems)
    held: list[bytes] | None = None
    if request.split is not None:
        held = hold_out_evenly(train, request.split, seed, request.stratify, different, problems).marks
    kept: list[bytes | None] = [marks.translate(_OTHERS) for marks in held] if held else [None] * len(train)
    rows = {"train": _weighed(train, kept, seed, problems)}
    for split in ("eval", "test"):
        if groups[split]:
            rows[split] = _weighed(groups[split], [None] * len(groups[split]), seed, problems)
    if held:
        rows["eval"] = Rows([chosen(loaded, marks) for loaded, marks in zip(train, held, strict=True)])
    for split, found in rows.items():
        if not len(found):
            message = f"no row is left for {split} after weights and split"
            problems.source(train[0].place, "TF326", Level.ERROR, message)
    return rows


def _weighed(group: list[Loaded], kept: list[bytes | None], seed: int, problems: Problems) -> Rows:
    found = []
    for loaded, marks in zip(group, kept, strict=True):
        parts, among = weigh(loaded, marks, seed), marks.count(1) if marks is not None else len(loaded)
        if among and not any(part.rows for part in parts):
            message = f"weight {loaded.source.weight:g} takes none of the {among} rows of `{loaded.source.shown}`"
            problems.source(loaded.place, "TF334", Level.WARNING, message)
        found += parts
    return Rows(found)


def _facts(sources: list[Loaded], rows: dict[str, Rows], skipped: int) -> DataFacts:
    shape = next((loaded.shape for loaded in sources if loaded.shape), None)
    if not rows:
        return DataFacts(shape=shape)
    train, held, test = (len(rows[split]) if split in rows else 0 for split in ("train", "eval", "test"))
    return DataFacts(shape, train, held, test, skipped)
