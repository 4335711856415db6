"""Files of rows into one file in a wire form: read, convert, check limits, write in one step."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..spec.diagnostics import Diagnostic, Level, Span
from ..spec.rows.needs import NO_NEEDS
from ..spec.rows.rowcheck import Row, RowError
from ..spec.rows.shapes import SHAPES
from ..spec.wire.base import EXPANSIONS, Form, Wire
from ..spec.wire.convert import form_for, to_wire
from ..spec.wire.limits import beyond, limits_of
from .data import check_same_shape, place_of
from .datafiles import encode
from .datapaths import expand
from .jsonfiles import write_parts
from .loaded import Loaded, Skipped, Source
from .problems import SHOWN, Problems
from .reading_bar import Phases, unseen
from .rowsread import RowsRead
from .sofar import Progress, SoFar, watched
from .sources import SourceReading
from .spool import Spool

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Asked:
    """What to convert, and how."""

    sources: Sequence[Source]
    wire: Wire
    out: Path
    method: str | None = None
    skip: bool = False
    expand: frozenset[str] = frozenset()


@dataclass
class Told:
    """How many rows something was met in, and where first."""

    rows: int = 0
    first: list[Span] = field(default_factory=list)

    def add(self, place: Span) -> None:
        """One more row."""
        self.rows += 1
        if len(self.first) < SHOWN:
            self.first.append(place)

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {"rows": self.rows, "first": self.places}

    @property
    def places(self) -> list[str]:
        """The first places: `a.jsonl:7`, or `a.parquet: row 7` where lines tell nothing."""
        return [str(span) if span.row else f"{span.file}:{span.line}" for span in self.first]


@dataclass
class Done:
    """What came of it. Nothing is written where there is an error."""

    asked: Asked
    diagnostics: list[Diagnostic] = field(default_factory=list)
    lines: Spool = field(default_factory=Spool)
    rows: int = 0  # in the wire form
    read: int = 0
    expanded: dict[str, Told] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    found: Form | None = None

    @property
    def form(self) -> Form:
        """The form that the rows have."""
        assert self.found is not None
        return self.found

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return not any(d.level is Level.ERROR for d in self.diagnostics)

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.lines.size + len(_BOM) * self.asked.wire.bom

    def parts(self) -> Iterator[bytes]:
        """The file's bytes."""
        if self.asked.wire.bom:
            yield _BOM
        yield from self.lines.blocks(0, self.lines.size)

    def add(self, rows: Sequence[Row]) -> None:
        """Append rows in the wire form."""
        self.rows += len(rows)
        for row in rows:
            self.lines.add(encode(row) + b"\n")

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        written = self.ok
        digest = hashlib.sha256()
        for part in self.parts() if written else ():
            digest.update(part)
        limits = limits_of(self.asked.wire.name, self.found.shape) if self.found else []
        return {
            "wire": self.asked.wire.name,
            "shape": self.found and self.found.shape,
            "methods": list(self.found.methods) if self.found else [],
            "written": {"path": str(self.asked.out), "bytes": self.size, "sha256": digest.hexdigest()}
            if written
            else None,
            "rows_read": self.read,
            "rows_written": self.rows if written else 0,
            "expanded": {name: told.as_dict() for name, told in sorted(self.expanded.items())},
            "skipped": [asdict(row) for row in self.skipped],
            "limits": [{k: v for k, v in asdict(limit).items() if v not in (None, "")} for limit in limits],
            "diagnostics": [d.as_dict() for d in self.diagnostics],
        }


def convert_files(asked: Asked, phases: Phases = unseen) -> Done:
    """Convert, and write if there is no error. `phases` is told how far it is."""
    done, problems = Done(asked), Problems()
    sources = _read(asked, problems, phases("reading"))
    done.read = sum(map(len, sources))
    done.skipped = [row for s in sources for row in s.skipped]
    check_same_shape(sources, problems, "convert each into a file of its own")
    if not problems.failed:
        _convert(asked, sources, done, problems, phases("converting"))
    done.diagnostics = [*problems.finish(), *_prompts_perhaps(asked, problems)]
    if done.found is not None and done.ok:
        done.diagnostics += [*_expansions(done), *_limits(done)]
    if done.ok:
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        write_parts(asked.out, done.parts())
    return done


def _read(asked: Asked, problems: Problems, progress: Progress | None) -> list[Loaded]:
    """Every file, of folders and patterns too, one after another into one spool."""
    files = [file for source in asked.sources for file in expand(source, place_of(source, ""), problems)]
    spool, so_far, found = Spool(), SoFar(files, progress), []
    for source in files:
        how = (asked.method, asked.skip, problems, NO_NEEDS, spool, so_far.told)
        found.append(SourceReading(source, place_of(source, ""), *how).run())
        so_far.next(source)
    return found


def _convert(asked: Asked, sources: list[Loaded], done: Done, problems: Problems, progress: Progress | None) -> None:
    try:
        done.found = form_for(asked.wire, str(sources[0].shape), asked.method, asked.expand)
    except RowError as error:
        message = f"{sources[0].source.shown} ({sources[0].evidence}): each row {error.message}"
        problems.source(sources[0].place, error.code, Level.ERROR, message, error.hint)
        return
    for loaded in sources:
        refused = _Refused(loaded, asked.skip)
        for i, line in enumerate(watched(loaded.lines(), loaded.end - loaded.start, progress)):
            try:
                rows, taken = to_wire(json.loads(line), SHAPES[str(loaded.format)], done.found, asked.expand)
            except RowError as error:
                refused.add(i, error)
                continue
            done.add(rows)
            for name in taken:
                done.expanded.setdefault(name, Told()).add(loaded.span(i))
        refused.tell(asked.wire.name, problems)
        done.skipped += refused.skipped
    if not done.rows and not problems.failed:
        problems.source(sources[0].place, "TF304", Level.ERROR, f"no row is left for {asked.wire.name}")


def _prompts_perhaps(asked: Asked, problems: Problems) -> Iterator[Diagnostic]:
    """Prompts with messages look like chats that lack their answers, until a method says what they are for."""
    prompts = asked.wire.forms.get("prompt")
    if asked.method is None and prompts and any(d.code == "TF318" for d in problems.found):
        message = f"if these rows are prompts to learn from by rewards, say so: --method {prompts.methods[0]}"
        yield Diagnostic("TF318", Level.NOTE, "", message)


class _Refused:
    """Rows that the form cannot say: each kind is told a few times, and counted."""

    def __init__(self, loaded: Loaded, skip: bool) -> None:
        self._loaded, self._skip = loaded, skip
        self._kinds: dict[str, array[int]] = {}  # rows by code
        self._shown: list[Diagnostic] = []
        self.skipped: list[Skipped] = []

    def add(self, at: int, error: RowError) -> None:
        loaded = self._loaded
        rows = self._kinds.setdefault(error.code, array("L"))
        rows.append(at)
        if self._skip:
            line, index = loaded.places.line(at), loaded.places.index(at)
            self.skipped.append(Skipped(loaded.source.shown, line, index, error.code, error.text))
        if len(rows) <= (1 if self._skip else SHOWN):
            level = Level.WARNING if self._skip else Level.ERROR
            text = f"row skipped: {error.text}" if self._skip else error.text
            self._shown.append(Diagnostic(error.code, level, "", text, error.hint, loaded.span(at)))

    def tell(self, wire: str, problems: Problems) -> None:
        """Everything that was met."""
        problems.found += self._shown
        level = Level.WARNING if self._skip else Level.ERROR
        for code, rows in self._kinds.items():
            shown = 1 if self._skip else SHOWN
            if (more := len(rows) - shown) > 0:
                last = RowsRead(self._loaded).place(rows[-1])
                message = f"and {more:,} more rows that {wire} cannot say so, up to {last}"
                problems.found.append(Diagnostic(code, level, "", message, None, self._loaded.span(rows[shown])))


def _expansions(done: Done) -> Iterator[Diagnostic]:
    for name, told in sorted(done.expanded.items()):
        message = f"{told.rows:,} {'row takes' if told.rows == 1 else 'rows take'} `{name}`: {EXPANSIONS[name]}"
        places = f"{', '.join(told.places)}{', ...' if told.rows > len(told.first) else ''}"
        yield Diagnostic("TF349", Level.NOTE, "", message, places, told.first[0])


def _limits(done: Done) -> Iterator[Diagnostic]:
    for over in beyond(done.asked.wire.name, done.form.shape, rows=done.rows, size=done.size):
        level = Level.WARNING if over.few else Level.ERROR  # a file for validation may hold fewer
        hint = over.limit.dated + (f"\n{over.limit.about}" if over.limit.about else "")
        yield Diagnostic("TF348", level, "", f"{done.asked.out}: {over.message}", hint)
