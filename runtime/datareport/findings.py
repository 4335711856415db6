"""Problems of a report: every one is counted, the first of each kind are kept, and all can go to a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ...spec.diagnostics import Level
from ...spec.rows.rowcheck import RowError
from ...spec.rows.strictjson import Flaw
from ..problems import Place, Problems
from ..raw import Raw

SHOWN = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem; without a line where it is about the whole file."""

    code: str
    level: Level
    file: str
    line: int | None
    row: int | None
    message: str
    hint: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """A line of `--problems`."""
        place = {"file": self.file, "line": self.line, "row": self.row}
        return {"code": self.code, "level": str(self.level), **place, "message": self.message, "hint": self.hint}


@dataclass
class Kind:
    """All problems of one code in one file."""

    level: Level
    count: int = 0
    first: list[Finding] = field(default_factory=list)
    last: str = ""  # the place of the last one in its file


class Findings:
    """All problems, by code and file."""

    def __init__(self, sink: Callable[[bytes], object] | None = None) -> None:
        self.kinds: dict[tuple[str, str], Kind] = {}
        self._sink = sink

    def add(self, found: Finding) -> None:
        """Count a problem, and hand it on to the list of all."""
        kind = self.kinds.setdefault((found.code, found.file), Kind(found.level))
        kind.count += 1
        kind.last = f"line {found.line}" if found.line else f"row {found.row}" if found.row else ""
        if len(kind.first) < SHOWN:
            kind.first.append(found)
        if self._sink:
            line = json.dumps(found.as_dict(), ensure_ascii=False) + "\n"
            self._sink(line.encode(errors="backslashreplace"))  # the names of files may be no UTF-8

    def count(self, *levels: Level) -> int:
        """How many there are of these levels."""
        return sum(kind.count for kind in self.kinds.values() if kind.level in levels)


class Recorder(Problems):
    """What reading finds, told as findings instead of the first few."""

    def __init__(self, findings: Findings) -> None:
        super().__init__()
        self._findings = findings
        self.rows = 0

    def row(self, place: Place, raw: Raw, problem: RowError | Flaw) -> None:
        """A row that cannot be used."""
        self.rows += 1
        message = problem.text if isinstance(problem, RowError) else problem.message
        line = raw.line if raw.near.startswith("line") else None
        found = Finding(problem.code, Level.ERROR, place.file, line, raw.index, message, problem.hint)
        self._findings.add(found)

    def source(
        self, place: Place, code: str, level: Level, message: str, hint: str | None = None, line: int | None = None
    ) -> None:
        """Something about a whole file."""
        self._findings.add(Finding(code, level, place.file, line, None, message, hint))
