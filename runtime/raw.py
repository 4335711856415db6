"""A row as it stands in its file, and the flaws that reading can meet before anything is converted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ..spec.diagnostics import Span
from ..spec.rows.rowcheck import kind
from ..spec.rows.strictjson import Flaw

_SPACE = re.compile(r"[ \t\r\n]*")


@dataclass(slots=True)
class Raw:
    """A row's place: its number among the rows, the line it starts on, and the text around it."""

    index: int
    line: int
    text: str
    start: int = 0  # of the row in the text
    cut: int = 0  # characters that the text's first line has before the text
    form: str = "json"  # or "table", whose rows have a line and no place in it, or "parquet", whose rows have a number
    crowded: bool = False  # other rows are on the same line, so that a line tells little

    @property
    def near(self) -> str:
        """The place in words: the line, or the row where a line tells little."""
        return f"row {self.index}" if self.crowded or self.form == "parquet" else f"line {self.line}"

    def span(self, file: str) -> Span:
        """The row's place, without a look at its text."""
        return Span(file, self.line, 1, 2, self.index if self.near.startswith("row") else 0)

    def place(self, file: str, start: int, end: int) -> tuple[Span, str | None]:
        """The span of text[start:end], and the line it is on, where that is at hand."""
        if self.form != "json":
            return self.span(file), self.text or None
        first = self.text.rfind("\n", 0, start) + 1
        stop = self.text.find("\n", start)
        stop = len(self.text) if stop < 0 else stop
        line = self.line + self.text.count("\n", self.start, start)
        cut = self.cut if first == 0 else 0
        col = start - first + cut + 1
        span = Span(file, line, col, col + max(min(end, stop) - start, 1), self.index if self.crowded else 0)
        return span, None if cut else self.text[first:stop]


def skip_space(text: str, at: int) -> int:
    """The next offset that is no white space."""
    match = _SPACE.match(text, at)
    return match.end() if match else at


def not_object(value: Any, at: int) -> Flaw:
    """The flaw of a row that is another value."""
    hint = "a list of rows belongs in a .json file" if isinstance(value, list) else None
    return Flaw("TF307", at, at + 1, f"a row must be an object, not {kind(value)}", hint)


def too_long(what: str, limit: int, at: int = 0) -> Flaw:
    """The flaw of a line or row over the limit."""
    hint = "rows are much smaller: is a line end or a quote missing?"
    return Flaw("TF312", at, at + 1, f"the {what} is longer than {limit // 2**20} MiB", hint)
