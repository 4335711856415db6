"""The data of a spec: read, converted, counted, split, and written into a bundle."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..compilers.base import DataStep
from ..spec.diagnostics import Diagnostic, Level
from ..spec.plan import DataFacts
from . import strata
from .datafiles import Rows, encode
from .mixing import hold_out, tell_leaks, tell_repeated, weigh
from .problems import Place, Problems
from .sources import Loaded, Skipped, Source, SourceReading

__all__ = ["DataRequest", "DataResult", "Peek", "Source", "peek", "read_data", "write_data"]

SKIPPED = "data/skipped.jsonl"
_PEEK_ROWS = 20


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
    loss_on: str = "assistant"  # what is trained of a chat: assistant, last_assistant or all


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


def read_data(request: DataRequest) -> DataResult:
    """Read and convert everything. Every problem is a diagnostic; nothing is raised for what a file holds."""
    if request.split is not None and request.eval:
        raise ValueError("rows for eval come from a split or from files, not from both")
    problems = Problems()
    groups = {
        split: [_load(source, path, request, problems) for source, path in _named(split, sources)]
        for split, sources in (("train", request.train), ("eval", request.eval), ("test", request.test))
    }
    everything = [loaded for group in groups.values() for loaded in group]
    _check_same_shape(everything, problems)
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


def peek(source: Source, method: str | None = None, path: str = "data.train", on_bad_row: str = "error") -> Peek:
    """What a source is, from its first rows; problems in these are told too, unless such rows are skipped."""
    problems = Problems()
    reading = SourceReading(source, place_of(source, path), method, on_bad_row == "skip", problems)
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
        written[SKIPPED] = Rows([encode(asdict(row)) for row in result.skipped]).write(folder / SKIPPED)
    return written


def _named(split: str, sources: Sequence[Source]) -> list[tuple[Source, str]]:
    several = len(sources) > 1
    return [(source, f"data.{split}[{i}]" if several else f"data.{split}") for i, source in enumerate(sources)]


def _load(source: Source, path: str, request: DataRequest, problems: Problems) -> Loaded:
    skip = request.on_bad_row == "skip"
    aside = request.stratify if path.startswith("data.train") else None
    place = place_of(source, path)
    return SourceReading(source, place, request.method, skip, problems, request.loss_on, aside).run()


def place_of(source: Source, path: str) -> Place:
    """What messages call a source: by its path from here, where it is below here."""
    here, named = Path.cwd(), source.named or source.path
    if isinstance(named, str):
        return Place(path, named, source.shown, source.span)
    file = os.path.relpath(named, here) if named.is_relative_to(here) else str(named)
    return Place(path, Path(file).as_posix(), source.shown, source.span)


def _check_same_shape(sources: list[Loaded], problems: Problems) -> None:
    known = [loaded for loaded in sources if loaded.shape]
    for loaded in known[1:]:
        if (loaded.shape, loaded.variant) != (known[0].shape, known[0].variant):
            this, first = _what(loaded), _what(known[0])
            hint = "all sources of a run hold rows of one shape; map `columns` or set `format` where that helps"
            problems.source(loaded.place, "TF324", Level.ERROR, f"{this}, but {first}", hint)


def _what(loaded: Loaded) -> str:
    kind = f" as {loaded.variant}" if loaded.variant else ""
    return f"`{loaded.source.shown}` holds {loaded.shape} rows{kind}"


def _assemble(request: DataRequest, groups: dict[str, list[Loaded]], problems: Problems) -> dict[str, Rows]:
    train = groups["train"]
    trained = tell_repeated(train, problems)
    for split in ("eval", "test"):
        tell_repeated(groups[split], problems)
        tell_leaks(trained, groups[split], problems)
    seed = request.split_seed
    held = hold_out(train, request.split, seed, problems) if request.split is not None else set()
    if request.stratify is not None and request.split is not None:
        held = strata.spread(train, held, request.stratify, seed, problems)
    picked = {
        "train": [(s, [i for i, key in enumerate(s.keys) if key not in held]) for s in train],
        "eval": [(s, list(range(len(s.keys)))) for s in groups["eval"]],
        "test": [(s, list(range(len(s.keys)))) for s in groups["test"]],
    }
    rows = {
        split: Rows([line for loaded, chosen in parts for line in _weighed(loaded, chosen, seed, problems)])
        for split, parts in picked.items()
        if parts
    }
    if held:
        rows["eval"] = Rows([line for s in train for line, key in zip(s.lines, s.keys, strict=True) if key in held])
    for split, found in rows.items():
        if not len(found):
            message = f"no row is left for {split} after weights and split"
            problems.source(train[0].place, "TF326", Level.ERROR, message)
    return rows


def _weighed(loaded: Loaded, chosen: list[int], seed: int, problems: Problems) -> list[bytes]:
    lines = weigh(loaded, chosen, seed)
    if chosen and not lines:
        message = f"weight {loaded.source.weight:g} takes none of the {len(chosen)} rows of `{loaded.source.shown}`"
        problems.source(loaded.place, "TF334", Level.WARNING, message)
    return lines


def _facts(sources: list[Loaded], rows: dict[str, Rows], skipped: int) -> DataFacts:
    shape = next((loaded.shape for loaded in sources if loaded.shape), None)
    if not rows:
        return DataFacts(shape=shape)
    train, held, test = (len(rows[split]) if split in rows else 0 for split in ("train", "eval", "test"))
    return DataFacts(shape, train, held, test, skipped)
