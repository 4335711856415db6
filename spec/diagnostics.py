"""Problems as values: a stable code, a level, a place in the user's file, and the fix."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad a problem is."""

    ERROR = "error"  # nothing is written
    WARNING = "warning"  # written, but it differs from the spec; --strict refuses
    NOTE = "note"  # written; worth knowing


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a text file. Lines and columns count from 1; `end_col` is exclusive, on the same line.

    `row` is the number of a row, from 1, where a line does not tell it: in Parquet, and in a list on one line.
    """

    file: str
    line: int
    col: int
    end_col: int
    row: int = 0

    def __str__(self) -> str:
        if self.row:
            return f"{self.file}: row {self.row}"
        return f"{self.file}:{self.line}:{self.col}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem. `path` is the dotted path in the spec, as the user wrote it."""

    code: str
    level: Level
    path: str
    message: str
    hint: str | None = None
    span: Span | None = None
    source: str | None = None  # the text of the line, for the excerpt under the message

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        place = self.span and {
            "file": self.span.file,
            "line": self.span.line,
            "col": self.span.col,
            "end_col": self.span.end_col,
        } | ({"row": self.span.row} if self.span.row else {})
        return {
            "code": self.code,
            "level": str(self.level),
            "path": self.path,
            "message": self.message,
            "hint": self.hint,
            "place": place,
        }


def render(diagnostic: Diagnostic) -> str:
    """The message as printed: place, level, code, text, then the line with a marker and the fix."""
    d = diagnostic
    head = f"{d.span}: " if d.span else ""
    lines = [f"{head}{d.level} {d.code}: {d.message}"]
    if d.span and d.source is not None:
        number = str(d.span.line)
        text, start, width = _window(d.source, d.span.col - 1, d.span.end_col - d.span.col)
        lines.append(f"  {number} | {text}")
        lines.append(f"  {' ' * len(number)} | {' ' * start}{'^' * max(width, 1)}")
    if d.hint:
        lines.extend(f"  {line}" for line in d.hint.splitlines())
    return "\n".join(lines)


def _window(text: str, start: int, width: int, limit: int = 96) -> tuple[str, int, int]:
    """Cut a long line around the marker, and make what a terminal would act on visible."""
    text = "".join(c if c.isprintable() else "�" for c in text)
    if len(text) <= limit:
        return text, start, min(width, len(text) - start)
    left = max(0, min(start - 24, len(text) - limit))
    cut = text[left : left + limit]
    return cut, start - left, min(width, limit - (start - left))


def in_file_order(found: list[Diagnostic]) -> list[Diagnostic]:
    """Sort by place; what has no place comes last. The order of equals is kept."""

    def key(d: Diagnostic) -> tuple[bool, str, int, int, int]:
        span = d.span
        return (False, span.file, span.row, span.line, span.col) if span else (True, "", 0, 0, 0)

    return sorted(dict.fromkeys(found), key=key)


class TuneformError(Exception):
    """Base of everything Tuneform raises on purpose."""


class SpecError(TuneformError):
    """The spec (or its data) is wrong. `diagnostics` holds every problem found."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        self.diagnostics = in_file_order(diagnostics)
        super().__init__("\n".join(render(d) for d in self.diagnostics))


class RunError(TuneformError):
    """A run failed. `sentence` says why in one line; `log_tail` is the end of the trainer's own log."""

    def __init__(self, sentence: str, run_id: str = "", log_tail: str = "") -> None:
        self.sentence, self.run_id, self.log_tail = sentence, run_id, log_tail
        super().__init__(sentence)
