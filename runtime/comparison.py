"""Two sides opened, their targets paired, and everything that differs between them."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from ..compilers import registry
from ..compilers.changes import Difference, RowChange, Subject
from ..compilers.difference import compare, file_paths
from ..compilers.filechanges import FileChange, changed_files
from ..spec.diagnostics import Diagnostic, Level, SpecError
from ..spec.load import load
from ..spec.lower import Context, lower
from ..spec.plan import DataFacts
from .blocks import digest
from .datafiles import NO_ROWS
from .project import Project, Target, open_project
from .revisions import Revision

SPLITS = ("train", "eval", "test")


@dataclass
class Side:
    """A spec as one side names it: a file of the working tree, or of a revision.

    A target is named by its label, or as `label/stage` where there are stages.
    """

    shown: str
    file: Path
    revision: Revision | None = None
    sets: Sequence[str] = ()
    label: str | None = None  # where two targets of one spec are compared

    @property
    def name(self) -> str:
        """How a report calls it."""
        return self.label or self.shown

    def at(self, path: str) -> str:
        """Where the bytes of a file are."""
        return self.revision.at(path) if self.revision else path

    def open(self, labels: Sequence[str], shapes: dict[str, str | None] | None = None) -> Project:
        """The spec compiled. `shapes` says what rows are, by label, where the other side could read them."""
        known = shapes or {}

        def facts(folder: Path) -> DataFacts | None:
            shape = known.get(folder.name) or known.get(f"{folder.parent.name}/{folder.name}")
            return DataFacts(shape) if shape else None

        project = open_project(self.file, labels, self.sets, reading="present", facts=facts, at=self.at)
        project.diagnostics = [self._named(d) for d in project.diagnostics]
        return project

    def labels(self, wanted: Sequence[str]) -> list[str]:
        """Which of the wanted labels the spec has."""
        document = load(str(self.file), self.sets, self.at)
        labels = list(document.spec.targets) if document.spec else []
        known = {*labels, *(f"{label}/{stage}" for label in labels for stage in document.stages)}
        return [label for label in wanted if label in known]

    def _named(self, found: Diagnostic) -> Diagnostic:
        """A diagnostic whose place says which revision it is about."""
        if not self.revision or not found.span or found.span.file.startswith("--set "):
            return found
        path = os.path.abspath(found.span.file)
        shown = self.revision.shown.get(path) or self.revision.shown.get(self.at(path))
        return replace(found, span=replace(found.span, file=shown)) if shown else found


@dataclass(frozen=True)
class Pair:
    """Targets that differ in the same way: their labels, what differs, and the files of their bundles."""

    labels: tuple[str, ...]
    difference: Difference
    files: tuple[FileChange, ...]

    @property
    def different(self) -> bool:
        """Whether anything differs."""
        return bool(self.difference.changes or self.difference.fates or self.files)


@dataclass
class Report:
    """Everything that differs between two sides."""

    before: Side
    after: Side
    pairs: list[Pair] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    raised: list[Diagnostic] = field(default_factory=list)
    gone: list[Diagnostic] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    other_stages: bool = False  # a target has a stage on one side only

    @property
    def different(self) -> bool:
        """Whether anything differs."""
        found = self.added or self.removed or self.raised or self.gone or self.other_stages
        return bool(found) or any(pair.different for pair in self.pairs)


def compare_sides(before: Side, after: Side, labels: Sequence[str] = ()) -> Report:
    """Compare the targets that both sides have; of these, the labels that are named. SpecError where one is wrong.

    Sides with a `label` are two targets, which are compared with each other.
    """
    report = Report(before, after)
    if before.label and after.label:
        one, two = _opened(before, [before.label], after, [after.label])
        stages = _of_both(before, one.targets, after, two.targets, report)
        report.pairs = _merged([(a.stage or a.label, *_pair(before, a, after, b, report)) for a, b in stages])
        warned = [tuple(d for t in p.targets for d in t.compiled.diagnostics) for p in (one, two)]
    else:
        one, two = _opened(before, *_asked(before, after, labels))
        left, right = ({t.key: t for t in p.targets if not labels or {t.label, t.key} & {*labels}} for p in (one, two))
        both = [label for label in left if label in right]
        report.pairs = _merged([(n, *_pair(before, left[n], after, right[n], report)) for n in both])
        report.added = [label for label in right if label not in left]
        report.removed = [label for label in left if label not in right]
        known = [{t.label for t in side.values()} for side in (right, left)]
        alone = [{side[key].label for key in keys} for side, keys in ((left, report.removed), (right, report.added))]
        report.other_stages = any(a & b for a, b in zip(alone, known, strict=True))
        warned = [tuple(p.diagnostics) for p in (one, two)]
    report.raised, report.gone = _warnings(*warned)
    _note_revisions(report)
    return report


def _of_both(
    before: Side, one: Sequence[Target], after: Side, two: Sequence[Target], report: Report
) -> list[tuple[Target, Target]]:
    """Two targets of one spec, stage by stage; a single stage may be compared with any other."""
    if len(one) == len(two) == 1:
        return [(one[0], two[0])]
    found = [(a, b) for a in one for b in two if a.stage == b.stage]
    paired = {id(target) for pair in found for target in pair}
    for target in (*one, *two):
        if id(target) not in paired:
            report.other_stages = True
            _note(report, f"stage {target.key} is not compared: {before.name} and {after.name} are other stages")
    return found


def _asked(before: Side, after: Side, labels: Sequence[str]) -> tuple[Sequence[str], Side, Sequence[str]]:
    """The labels to open on each side: those that it has. One that neither has is left in, for its error."""
    if not labels:
        return (), after, ()
    found = [side.labels(labels) for side in (before, after)]
    if any(all(label not in known for known in found) for label in labels):
        return labels, after, labels
    return found[0], after, found[1]


def _opened(before: Side, left: Sequence[str], after: Side, right: Sequence[str]) -> tuple[Project, Project]:
    one, two = before.open(left), after.open(right)
    if one.failed or two.failed:
        raise SpecError([*one.diagnostics, *two.diagnostics])
    if missing := _unread(one, two):
        one = before.open(left, missing).require()
    if missing := _unread(two, one):
        two = after.open(right, missing).require()
    return one, two


def _unread(one: Project, other: Project) -> dict[str, str | None]:
    """What rows are on the other side, for labels whose format must be told from rows that are not here."""
    shapes = {t.key: t.data.facts.shape for t in other.targets if t.data}
    return {t.key: shapes[t.key] for t in one.targets if not t.data and t.key in shapes and _by_rows(t)}


def _by_rows(target: Target) -> bool:
    spec = target.document.spec
    return spec is not None and (spec.data.train[0].format or spec.data.format) == "auto"


def _pair(
    before: Side, one: Target, after: Side, two: Target, report: Report
) -> tuple[Difference, tuple[FileChange, ...]]:
    base = before.file.parent
    rows = _rows(one, two)
    if not rows and not (before.label and _same_data(one, two)):
        _note(report, _why_unread(before, one, after, two))
    difference = compare(_subject(before, one, base), _subject(after, two, base), rows)
    assert one.compiled.bundle is not None and two.compiled.bundle is not None
    return difference, changed_files(one.compiled.bundle, two.compiled.bundle)


def _subject(side: Side, target: Target, base: Path) -> Subject:
    """A target's plan with paths as seen from the spec of the left side, so that two files can be compared."""
    up = os.path.relpath(side.file.parent.absolute(), base.absolute()).replace(os.sep, "/")
    compiled = target.compiled
    newest = registry.get(compiled.target).versions[0]
    context = Context(target.label, compiled.target, compiled.facts, date.min, newest, up, _start(target))
    plan = lower(target.document, context)
    contents = {}
    for path, file in file_paths(plan).items():
        place = Path(side.at(os.path.abspath(base / file)))
        if place.is_file():
            contents[path] = hashlib.sha256(place.read_bytes()).hexdigest()
    assert target.document.spec is not None
    options = target.document.spec.targets[target.label].model_extra or {}
    return Subject(plan, compiled.fates, contents, options)


def _start(target: Target) -> str | None:
    """The result that a stage starts from, as its bundle sees it."""
    plan, path = target.compiled.plan, "model.start_from"
    assert plan is not None
    return plan[path] if plan.origin(path).kind == "derived" else None


def _rows(one: Target, two: Target) -> dict[str, RowChange]:
    if not one.data or not two.data:
        return {}
    found = {}
    for split in SPLITS:
        before, after = (data.rows.get(split, NO_ROWS) for data in (one.data, two.data))
        if before.sha256 == after.sha256:
            found[split] = RowChange(len(before), len(after), 0, 0)
            continue
        old, new = (Counter(map(digest, rows.lines())) for rows in (before, after))
        added, removed = (new - old).total(), (old - new).total()
        found[split] = RowChange(len(before), len(after), added, removed, not added and not removed)
    return found


def _same_data(one: Target, two: Target) -> bool:
    """Whether two targets of one spec ask for the same rows."""
    specs = one.document.spec, two.document.spec
    return specs[0] is not None and specs[1] is not None and specs[0].data == specs[1].data


def _why_unread(before: Side, one: Target, after: Side, two: Target) -> str:
    if one.pending or two.pending:
        return "rows of hub datasets are not read, so a change in them is not seen"
    sides = " and ".join(dict.fromkeys(side.name for side, t in ((before, one), (after, two)) if not t.data))
    return f"the rows of {sides} are not there, so a change in them is not seen"


def _note(report: Report, text: str) -> None:
    if text not in report.notes:
        report.notes.append(text)


def _note_revisions(report: Report) -> None:
    for side in (report.before, report.after):
        for file in side.revision.from_worktree if side.revision else ():
            _note(report, f"{file} is not in git: for {side.shown}, too, it is read as it is now")


def _merged(pairs: Sequence[tuple[str, Difference, tuple[FileChange, ...]]]) -> list[Pair]:
    """Targets that differ in the same way are told once."""
    found: list[Pair] = []
    for label, difference, files in pairs:
        for index, pair in enumerate(found):
            if (pair.difference, pair.files) == (difference, files):
                found[index] = replace(pair, labels=(*pair.labels, label))
                break
        else:
            found.append(Pair((label,), difference, files))
    return found


def _warnings(before: Sequence[Diagnostic], after: Sequence[Diagnostic]) -> tuple[list[Diagnostic], list[Diagnostic]]:
    """Warnings that are new, and those that are gone; a line that moved is neither."""
    one, two = (
        {(d.code, d.path, d.message): d for d in found if d.level is Level.WARNING} for found in (before, after)
    )
    return [d for key, d in two.items() if key not in one], [d for key, d in one.items() if key not in two]
