"""Reading files for a report: everything that is told of them, as values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...spec.diagnostics import Level
from ...spec.rows.rowcheck import RowError
from ...spec.wire.convert import WIRES, form_for
from ...spec.wire.limits import Limit, Split, beyond, limits_of
from ..data import place_of
from ..datapaths import expand
from ..loaded import Loaded, Source
from ..rowsread import RowsRead
from ..sources import SourceReading
from ..tokens.counting import Counted, Question, count
from ..tokens.facts import LOSS_ON
from ..tokens.folder import NoTokenizer
from ..tokens.tokenizer import Tokenizer, load
from .checks import KNOWN_TOKENS, Checks, Seen, roles
from .figures import Figures, figures
from .findings import Finding, Findings, Recorder


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


def gather(wanted: Wanted, sink: Callable[[str], object] | None = None, online: bool = True) -> Report:
    """Read and count everything. `sink` takes each problem as a line of JSON."""
    findings = Findings(sink)
    tokenizer, why = _tokenizer(wanted.tokenizer, online)
    report = Report([], findings, None, tokenizer.name if tokenizer else None, why, [], wanted.max_length)
    train, held, loose = Seen(), Seen(), Seen()
    for split, sources in (("train", wanted.train), ("eval", wanted.eval)):
        for source in _files(sources, findings):
            found = _read(source, split, wanted, findings)
            report.files.append(found)
            checks = Checks(found.usable, found.file, findings)
            if split == "train":
                checks.repeated(train)
                loose |= checks.loose() if wanted.eval else {}
            else:
                checks.repeated(held)
                checks.leaked(train, loose)
            _look(found, checks, report, wanted, tokenizer)
    _totals(report)
    return report


def _files(sources: Sequence[Source], findings: Findings) -> Iterator[Source]:
    """Each file, of folders and patterns too."""
    for source in sources:
        yield from expand(source, place_of(source, "data"), Recorder(findings))


def _tokenizer(name: str | None, online: bool) -> tuple[Tokenizer | None, str | None]:
    if name is None:
        return None, "no tokenizer is named"
    try:
        return load(name, online=online), None
    except NoTokenizer as error:
        return None, str(error)


def _read(source: Source, split: str, wanted: Wanted, findings: Findings) -> FileReport:
    place = place_of(source, f"data.{split}")
    recorder = Recorder(findings)
    loaded = SourceReading(source, place, wanted.method, False, recorder, wanted.loss_on or "assistant").run()
    return FileReport(place.file, split, _size(source.path), loaded, RowsRead(loaded), recorder.rows)


def _look(found: FileReport, checks: Checks, report: Report, wanted: Wanted, tokenizer: Tokenizer | None) -> None:
    loaded = found.loaded
    if loaded.shape is None:
        return
    found.roles = roles(found.usable, loaded.shape)
    checks.secrets()
    checks.reserved(tokenizer.special if tokenizer else KNOWN_TOKENS)
    loss_on = wanted.loss_on or LOSS_ON.get(loaded.shape, "assistant")
    try:
        found.counted = count(found.usable, Question(loaded.shape, loss_on, wanted.max_length), tokenizer)
    except NoTokenizer as error:  # which turns up when a first chat is to be rendered
        report.estimate, report.tokenizer = str(error), None
        found.counted = count(found.usable, Question(loaded.shape, loss_on, wanted.max_length), None)
    found.figures = figures([found.counted], wanted.max_length)
    _tell_tokens(found, found.counted, checks, wanted)
    if wanted.target:
        _tell_target(found, checks, report, wanted)


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

    def whole(code: str, message: str, hint: str | None) -> None:
        checks.findings.add(Finding(code, Level.ERROR, found.file, None, None, message, hint))

    try:
        checks.carried(form_for(wire, shape, wanted.method))
    except RowError as error:
        whole(error.code, f"the file {error.message}", error.hint)
        return
    split: Split = "eval" if found.split == "eval" else "train"
    for past in beyond(wire.name, shape, rows=len(found.usable), size=found.bytes, split=split):
        whole("TF348", past.message, past.limit.dated)
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


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
