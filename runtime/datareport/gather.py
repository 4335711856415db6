"""Reading files for a report: everything that is told of them, as values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ...spec.diagnostics import Level
from ...spec.rows.needs import Needs
from ...spec.rows.rowcheck import Row, RowError
from ...spec.wire.convert import WIRES, form_for
from ...spec.wire.limits import Limit, Split, beyond, limits_of
from ..data import place_of
from ..datapaths import expand
from ..loaded import Loaded, Source
from ..reading_bar import Phases, unseen
from ..rowsread import RowsRead
from ..sofar import Progress, SoFar, size_of
from ..sources import SourceReading
from ..spool import Spool
from ..tokens.counting import Counted, Question, count, decoded
from ..tokens.facts import LOSS_ON
from ..tokens.folder import NoTokenizer
from ..tokens.tokenizer import Tokenizer, load
from .checks import KNOWN_TOKENS, Checks, roles
from .figures import Figures, figures
from .findings import Finding, Findings, Recorder
from .same import Same


@dataclass(frozen=True)
class Wanted:
    """What to report on, and by which rules."""

    train: Sequence[Source]
    eval: Sequence[Source] = ()
    target: str | None = None
    tokenizer: str | None = None
    max_length: int | None = None
    method: str | None = None
    loss_on: str | None = None


@dataclass
class FileReport:
    """What one file holds."""

    file: str
    split: str
    bytes: int
    loaded: Loaded
    usable: RowsRead
    bad: int  # rows that cannot be read or converted
    roles: Counter[str] = field(default_factory=Counter)
    counted: Counted | None = None
    figures: Figures | None = None

    @property
    def rows(self) -> int:
        """All rows of the file."""
        return len(self.usable) + self.bad


@dataclass
class Report:
    """Everything that is told."""

    files: list[FileReport]
    findings: Findings
    total: Figures | None  # of the training files, where there are several
    tokenizer: str | None
    estimate: str | None  # why tokens are estimated
    limits: list[Limit]
    max_length: int | None

    @property
    def problems(self) -> int:
        """How many errors and warnings there are; notes are no problems."""
        return self.findings.count(Level.ERROR, Level.WARNING)


def gather(
    wanted: Wanted, sink: Callable[[bytes], object] | None = None, online: bool = True, phases: Phases = unseen
) -> Report:
    """Read and count everything. `sink` takes each problem as a line of JSON; `phases` is told how far it is."""
    findings = Findings(sink)
    tokenizer, why = _tokenizer(wanted.tokenizer, online)
    report = Report([], findings, None, tokenizer.name if tokenizer else None, why, [], wanted.max_length)
    report.files += _read_all(wanted, findings, phases("reading"))
    each = [(found, Checks(found.usable, found.file, findings, phases)) for found in report.files]
    train, held = ([checks for found, checks in each if found.split == split] for split in ("train", "eval"))
    same = Same(train, held)
    for found, checks in each:
        same.tell(checks)
        _look(found, checks, report, wanted, tokenizer)
    _totals(report)
    return report


def _read_all(wanted: Wanted, findings: Findings, progress: Progress | None) -> Iterator[FileReport]:
    """Every file, of folders and patterns too, one after another into one spool."""
    named = [("train", source) for source in wanted.train] + [("eval", source) for source in wanted.eval]
    files = [
        (split, file)
        for split, source in named
        for file in expand(source, place_of(source, "data"), Recorder(findings))
    ]
    spool, so_far = Spool(), SoFar([file for _, file in files], progress)
    for split, file in files:
        yield _read(file, split, wanted, findings, spool, so_far)
        so_far.next(file)


def _tokenizer(name: str | None, online: bool) -> tuple[Tokenizer | None, str | None]:
    if name is None:
        return None, "no tokenizer is named"
    try:
        return load(name, online=online), None
    except NoTokenizer as error:
        return None, str(error)


def _read(source: Source, split: str, wanted: Wanted, findings: Findings, spool: Spool, so_far: SoFar) -> FileReport:
    place, recorder = place_of(source, f"data.{split}"), Recorder(findings)
    how = (wanted.method, False, recorder, Needs(wanted.loss_on or "assistant"), spool, so_far.told)
    loaded = SourceReading(source, place, *how).run()
    return FileReport(place.file, split, size_of(source), loaded, RowsRead(loaded), recorder.rows)


def _look(found: FileReport, checks: Checks, report: Report, wanted: Wanted, tokenizer: Tokenizer | None) -> None:
    loaded = found.loaded
    if loaded.shape is None:
        return
    checks.secrets()
    checks.reserved(tokenizer.special if tokenizer else KNOWN_TOKENS)
    loss_on = wanted.loss_on or LOSS_ON.get(loaded.shape, "assistant")
    question = Question(loaded.shape, loss_on, wanted.max_length)
    try:
        found.counted = count(_turns(found, checks), question, tokenizer)
    except NoTokenizer as error:  # which turns up when a first chat is to be rendered
        report.estimate, report.tokenizer = str(error), None
        found.counted = count(_turns(found, checks), question, None)
    found.figures = figures([found.counted], wanted.max_length)
    _tell_tokens(found, found.counted, checks, wanted)
    if wanted.target:
        _tell_target(found, checks, report, wanted)


def _turns(found: FileReport, checks: Checks) -> Iterator[Row]:
    """The rows, whose turns are counted as they go by."""
    found.roles = Counter()
    return roles(decoded(checks.lines("counting")), found.usable.shape, found.roles)


def _tell_tokens(found: FileReport, counted: Counted, checks: Checks, wanted: Wanted) -> None:
    shape, limit = found.loaded.shape, wanted.max_length
    for row, why in counted.unfit.items():
        checks.tell("TF357", Level.ERROR, row, f"the row cannot be trained on under this chat template: {why}")
    for row, length in enumerate(counted.lengths):
        if row in counted.unfit:
            continue
        if not counted.trained[row] and shape != "prompt":
            checks.tell("TF356", Level.ERROR, row, "the row has nothing to train")
        elif limit is not None and length > limit:
            about = "" if counted.exact else "about "
            message = f"the row has {about}{length:,} tokens, more than max_length {limit:,}"
            checks.tell("TF350", Level.NOTE, row, message)


def _tell_target(found: FileReport, checks: Checks, report: Report, wanted: Wanted) -> None:
    """What the target has no place for, and what is beyond its limits."""
    shape, counted = found.usable.shape, found.counted
    assert wanted.target is not None
    wire = WIRES[wanted.target]

    def whole(code: str, level: Level, message: str, hint: str | None) -> None:
        checks.findings.add(Finding(code, level, found.file, None, None, message, hint))

    try:
        checks.carried(form_for(wire, shape, wanted.method))
    except RowError as error:
        whole(error.code, Level.ERROR, f"the file {error.message}", error.hint)
        return
    split: Split = "eval" if found.split == "eval" else "train"
    for past in beyond(wire.name, shape, rows=len(found.usable), size=found.bytes, split=split):
        level = Level.WARNING if past.few else Level.ERROR  # a file for validation may hold fewer
        whole("TF348", level, past.message, past.limit.dated)
    for limit in limits_of(wire.name, shape):
        report.limits.append(limit)
        if counted and limit.max_tokens is not None:
            _tell_long(counted, checks, limit)


def _tell_long(counted: Counted, checks: Checks, limit: Limit) -> None:
    level, about = (Level.ERROR, "") if counted.exact else (Level.WARNING, "about ")
    assert limit.max_tokens is not None
    for row, length in enumerate(counted.lengths):
        if length > limit.max_tokens:
            message = f"the row has {about}{length:,} tokens, and the service takes {limit.max_tokens:,} at most"
            checks.tell("TF351", level, row, message, limit.dated)


def _totals(report: Report) -> None:
    train = [f.counted for f in report.files if f.split == "train" and f.counted]
    if len(train) > 1:
        report.total = figures(train, report.max_length)
