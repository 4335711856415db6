"""A spec file with its data, compiled for its targets in memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..compilers.compile import Compiled, compile_target, for_label
from ..spec.bundle_paths import from_spec
from ..spec.data import Source as SpecSource
from ..spec.diagnostics import Diagnostic, Level, SpecError
from ..spec.load import Document, load
from ..spec.places import locate
from ..spec.plan import DataFacts
from ..spec.rows.needs import Needs
from ..spec.rows.shapes import SHAPES
from ..spec.spec import Spec
from ..spec.words import suggest
from .data import DataRequest, DataResult, Progress, Source, peek, read_data
from .datapaths import is_many, present

if TYPE_CHECKING:
    from .tokens.facts import TokenCounter

Reading = Literal["all", "present", "peek", "none"]  # present: all where the files are there


@dataclass
class Target:
    """One target of a project: the spec as it sees it, its rows and what was compiled."""

    label: str
    folder: Path  # of its bundle
    document: Document
    data: DataResult | None
    compiled: Compiled
    pending: tuple[SpecSource, ...] = ()  # hub datasets whose rows come when the job runs
    stage: str | None = None
    after: str | None = None  # the stage before

    @property
    def key(self) -> str:
        """The label, and the stage behind it if there are stages."""
        return f"{self.label}/{self.stage}" if self.stage else self.label


@dataclass
class Project:
    """Everything about a spec file. With an error in `diagnostics`, targets may be missing or without a bundle."""

    file: Path
    document: Document
    targets: list[Target] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """True where there is an error, and so nothing may be written."""
        return any(d.level is Level.ERROR for d in self.diagnostics)

    def require(self) -> Project:
        """The project itself; SpecError where it has errors."""
        if self.failed:
            raise SpecError(self.diagnostics)
        return self


def open_project(
    file: Path,
    labels: Sequence[str] = (),
    sets: Sequence[str] = (),
    *,
    reading: Reading = "all",
    folder_root: Path | None = None,
    folder: Callable[[str | None], Path] | None = None,
    facts: Callable[[Path], DataFacts | None] = lambda folder: None,
    today: date | None = None,
    emit: bool = True,
    at: Callable[[str], str] = str,
    tokens: TokenCounter | None = None,
    progress: Progress | None = None,
    workers: int = 1,
) -> Project:
    """Load, check, read the rows and compile, all in memory.

    Bundles go to `<folder_root>/<name>/<label>` (default: `compiled` beside the spec), those of stages into folders of
    their own below, or one target's to where `folder` says for each stage; paths in artifacts are relative to there.
    `facts` may know a label's rows where the files are not there. `at` leads from a file's name to where its bytes are
    (see runtime/revisions.py). `progress` is told how far the rows are read, by so many `workers`. `tokens` counts the
    tokens of rows that were read, for a plan.
    """
    document = load(str(file), sets, at)
    project = Project(file, document, diagnostics=list(document.diagnostics))
    if document.spec is None:
        return project
    root = (folder_root or file.parent / "compiled") / document.spec.name
    cache: dict[str, DataResult] = {}
    read = partial(read_data, progress=progress, workers=workers)
    for label, stage, after in _wanted(project, labels):
        own, found = for_label(document, label, stage)
        project.diagnostics += found
        if own.spec is None or any(d.level is Level.ERROR for d in found):
            continue
        place = folder(stage) if folder else root / label / (stage or "")
        data, pending = _read(own, reading, cache, project, read)
        known = data.facts if data else facts(place) or _peeked(own, project, reading)
        if tokens and data and "train" in data.rows:
            train = data.rows["train"]
            known = replace(known, tokens=tokens.facts(own, known, train, train.sha256))
        compiled = compile_target(own, label, known, today or date.today(), _up(file, place), emit, after)
        project.diagnostics += [*compiled.diagnostics, *_missing_files(own, place, compiled)]
        project.targets.append(Target(label, place, own, data, compiled, pending, stage, after))
    project.diagnostics = document.sources.with_lines(project.diagnostics)
    return project


def with_rows(project: Project, target: Target, data: DataResult) -> Target:
    """A target whose rows have come, compiled anew with what is known of them."""
    today, up = date.today(), _up(project.file, target.folder)
    compiled = compile_target(target.document, target.label, data.facts, today, up, after=target.after)
    found = [*project.diagnostics, *data.diagnostics, *compiled.diagnostics]
    project.diagnostics = project.document.sources.with_lines(found)
    return replace(target, data=data, compiled=compiled, pending=())


def _missing_files(document: Document, folder: Path, compiled: Compiled) -> list[Diagnostic]:
    """Files that a bundle takes a copy of, and that cannot be read."""
    if compiled.plan is None:
        return []
    copied: dict[tuple[str | int, ...], str | None] = {
        ("model", "chat_template"): compiled.plan["model.chat_template"]
    }
    for index, reward in enumerate(compiled.plan.get("rewards", ())):
        copied["rewards", index, "file"] = reward["file"] if reward["kind"] == "file" else None
    found = []
    for place, file in copied.items():
        wrong = file and _no_text(Path(document.sources.at(os.path.normpath(folder.absolute() / file))))
        if wrong:
            node, path = locate(document.root, place)
            message, hint = f"`{node.value}` {wrong[0]}", wrong[1]
            found.append(Diagnostic("TF211", Level.ERROR, path, message, hint, node.span))
    return found


def _no_text(path: Path) -> tuple[str, str | None] | None:
    """Why a file cannot be copied as text, and the way out; None if it can."""
    try:
        path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        return f"is not UTF-8 text (byte {error.start + 1})", "save it as UTF-8"
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return "is no file", "paths are relative to the file that names them"
    except OSError as error:
        return f"cannot be read: {error.strerror or error}", None
    return None


def _up(file: Path, place: Path) -> str:
    """The way from a bundle to the folder of the spec."""
    return Path(os.path.relpath(file.parent.absolute(), place.absolute())).as_posix()


def _wanted(project: Project, labels: Sequence[str]) -> list[tuple[str, str | None, str | None]]:
    """What to compile: label, stage and the stage before. Asked for as `trl` or `trl/dpo`."""
    spec, stages = project.document.spec, project.document.stages
    assert spec is not None
    ordered: list[tuple[str | None, str | None]] = [*zip(stages, [None, *stages], strict=False)] or [(None, None)]
    known = {label: [(label, stage, after) for stage, after in ordered] for label in spec.targets}
    known |= {f"{u[0]}/{u[1]}": [u] for units in list(known.values()) for u in units if u[1]}
    for label in labels:
        if label not in known:
            near = suggest(label, known)
            hint = f"did you mean `{near}`?" if near else f"it has {', '.join(f'`{t}`' for t in spec.targets)}"
            message = f"the spec has no target `{label}`"
            span = project.document.place("targets")
            project.diagnostics.append(Diagnostic("TF210", Level.ERROR, "targets", message, hint, span))
    asked = [unit for label in labels or spec.targets for unit in known.get(label, ())]
    return [unit for label in spec.targets for unit in known[label] if unit in asked]


def _read(
    document: Document,
    reading: Reading,
    cache: dict[str, DataResult],
    project: Project,
    read: Callable[[DataRequest], DataResult],
) -> tuple[DataResult | None, tuple[SpecSource, ...]]:
    assert document.spec is not None
    pending = tuple(s for s in _all_sources(document) if s.id)
    if reading not in ("all", "present") or pending:
        return None, pending
    request = data_request(document)
    if reading == "present" and not all(map(present, (*request.train, *request.eval, *request.test))):
        return None, ()
    key = repr(request)
    if key not in cache:
        cache[key] = read(request)
        project.diagnostics += cache[key].diagnostics
    return cache[key], ()


def _peeked(document: Document, project: Project, reading: Reading) -> DataFacts:
    """What can be told of the rows without reading them all."""
    assert document.spec is not None
    data, method = document.spec.data, document.spec.method.name
    first = data.train[0]
    named = first.format or data.format
    shape = SHAPES.get(named)
    if shape is None and reading != "none" and first.path:
        source = _source(document, first, ["data", "train", 0])
        if reading == "present" and not present(source):
            return DataFacts()
        found = peek(source, method, on_bad_row=data.on_bad_row)
        project.diagnostics += found.diagnostics
        shape = found.shape
    return DataFacts(shape)


def data_request(document: Document, files: dict[str, Path] | None = None) -> DataRequest:
    """What to read for a spec. `files` has a local file for each hub dataset (see runtime/hub.py)."""
    spec = document.spec
    assert spec is not None

    def held(name: str, sources: Sequence[SpecSource] | None) -> list[Source]:
        return [_source(document, s, ["data", name, i], files) for i, s in enumerate(sources or ())]

    holdout = spec.data.eval
    return DataRequest(
        train=held("train", spec.data.train),
        eval=held("eval", holdout.sources if holdout else None),
        split=holdout.split if holdout else None,
        split_seed=holdout.seed if holdout else 42,
        stratify=holdout.stratify if holdout else None,
        test=held("test", spec.data.test),
        on_bad_row=spec.data.on_bad_row,
        method=spec.method.name,
        needs=_needs(spec),
    )


def _needs(spec: Spec) -> Needs:
    compared = (reward.exact_match.reference for reward in spec.rewards if reward.exact_match)
    columns = tuple(dict.fromkeys(compared))
    return Needs(spec.data.loss_on or "assistant", spec.data.masks == "native", columns)


def _all_sources(document: Document) -> list[SpecSource]:
    assert document.spec is not None
    data = document.spec.data
    return [*data.train, *((data.eval.sources if data.eval else None) or ()), *(data.test or ())]


def _source(
    document: Document, source: SpecSource, loc: list[str | int], files: dict[str, Path] | None = None
) -> Source:
    assert document.spec is not None
    span = locate(document.root, [*loc, "path"])[0].span
    named: Path | str | None = source.id
    if source.path is not None:
        path = Path(os.path.abspath(Path(document.file).parent / from_spec(document, [*loc, "path"], source.path)))
        named, path = path, path if is_many(path) else Path(document.sources.at(str(path)))
    else:
        path = (files or {})[hub_key(source)]
    shown = source.path or source.id or ""
    columns = dict(source.columns)
    format = source.format or document.spec.data.format
    return Source(path, shown, format, columns, source.weight, span, named, document.sources.at)


def hub_key(source: SpecSource) -> str:
    """One word for a hub dataset's part."""
    return "|".join(str(part or "") for part in (source.id, source.subset, source.split, source.revision))
