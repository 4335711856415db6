"""Gathering problems: every one is counted, and the first few of each kind are shown."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..spec.diagnostics import Diagnostic, Level, Span
from ..spec.rows.rowcheck import RowError
from ..spec.rows.strictjson import Flaw
from .locate import locate
from .raw import Raw

SHOWN = 5
_EXCERPT_LIMIT = 200_000  # characters of a line that is still shown


@dataclass(slots=True)
class _Kind:
    count: int = 0
    shown: int = 0
    next: Span | None = None  # of the first that is not shown
    last: str = ""
    messages: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Place:
    """Which source a problem is about: its path in the spec, its file as shown, and where the spec names it."""

    path: str
    file: str
    shown: str
    span: Span | None = None


class Problems:
    """All problems of a reading."""

    def __init__(self) -> None:
        self.found: list[Diagnostic] = []
        self._kinds: dict[tuple[str, Place], _Kind] = {}

    def row(self, place: Place, raw: Raw, problem: RowError | Flaw) -> None:
        """A row that cannot be used."""
        kind = self._kinds.setdefault((problem.code, place), _Kind())
        kind.count += 1
        kind.last = raw.near
        if kind.shown == SHOWN:
            kind.next = kind.next or raw.span(place.file)
            return
        start, end, message = _where(raw, problem)
        if problem.code == "TF313" and message in kind.messages:  # a whole file of unknown columns is told once
            kind.next = kind.next or raw.span(place.file)
            return
        kind.shown += 1
        kind.messages.add(message)
        span, line = raw.place(place.file, start, end)
        source = line if line is None or len(line) <= _EXCERPT_LIMIT else None
        found = Diagnostic(problem.code, Level.ERROR, place.path, message, problem.hint, span, source)
        self.found.append(found)

    def source(
        self, place: Place, code: str, level: Level, message: str, hint: str | None = None, line: int | None = None
    ) -> None:
        """Something about a whole source; `line` is the line of the data file that shows it best."""
        span = place.span if line is None else Span(place.file, line, 1, 2)
        self.found.append(Diagnostic(code, level, place.path, message, hint, span))

    def finish(self) -> list[Diagnostic]:
        """Everything found, with a line for what was only counted."""
        rest = []
        for (code, place), kind in self._kinds.items():
            if more := kind.count - kind.shown:
                above = "the one" if kind.shown == 1 else f"the {kind.shown}"
                message = f"and {more:,} more in {place.shown} like {above} above, up to {kind.last}"
                rest.append(Diagnostic(code, Level.ERROR, place.path, message, None, kind.next))
        return self.found + rest

    @property
    def failed(self) -> bool:
        """Whether there is an error."""
        return any(d.level is Level.ERROR for d in self.found)


def _where(raw: Raw, problem: RowError | Flaw) -> tuple[int, int, str]:
    if isinstance(problem, Flaw):
        return problem.start, problem.end, problem.message
    if raw.form != "json":  # there is no JSON text to find the place in; the message names the column
        return 0, 1, problem.text
    return *locate(raw.text, raw.start, problem.where), problem.text
