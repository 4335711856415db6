"""What is looked for in rows beyond reading them: secrets, reserved tokens, what a target has no place for."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate

from ...spec.diagnostics import Level
from ...spec.rows import secrets
from ...spec.rows.rowcheck import Row, RowError, quoted
from ...spec.wire.base import Form
from ...spec.wire.convert import to_wire
from ..blocks import digest
from ..reading_bar import Phases, unseen
from ..rowsread import RowsRead
from ..sofar import watched
from ..tokens.counting import decoded
from .findings import Finding, Findings

BLOCK = 2**20  # bytes that are searched at once
KNOWN_TOKENS = (
    *("<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"),
    *("<|start_header_id|>", "<|end_header_id|>", "<start_of_turn>", "<end_of_turn>", "<|assistant|>", "<|user|>"),
    *("<|end|>", "<|channel|>", "<|message|>", "<|return|>", "</s>", "[INST]", "[/INST]"),
)  # of widely used models; the tokenizer's own are taken where there is one
_SPACE = re.compile(rb"(?:\\[nrt]|\s)+")


class Checks:
    """Looks at one file's rows and tells the findings."""

    def __init__(self, rows: RowsRead, file: str, findings: Findings, phases: Phases = unseen) -> None:
        self.rows, self.file, self.findings, self._phases = rows, file, findings, phases

    def lines(self, phase: str) -> Iterator[bytes]:
        """The rows as lines, in a phase of the work that is shown."""
        return watched(self.rows.lines(), self.rows.size, self._phases(phase))

    def tell(self, code: str, level: Level, row: int, message: str, hint: str | None = None) -> None:
        """A problem of one row, by its place among the rows that can be used."""
        line, index = self.rows.line(row), self.rows.index(row)
        self.findings.add(Finding(code, level, self.file, line, index, message, hint))

    def place(self, row: int) -> str:
        """A row, as another file's message names it."""
        return f"{self.rows.place(row)} of {self.file}"

    def secrets(self) -> None:
        """Likely secrets; what they are is told, never the text."""
        hint = "revoke it if it is real, and remove it: a tuned model can repeat what it was trained on"
        for start, block, row_at in _blocks(self.lines("looking for secrets")):
            found = {(start + row_at(place), what) for place, what in secrets.find(block)}
            for row, what in sorted(found):
                self.tell("TF358", Level.WARNING, row, f"the row holds what looks like {what}", hint)

    def reserved(self, tokens: Iterable[str]) -> None:
        """Special tokens written in a row's text, which the tokenizer would read as marks."""
        level = Level.NOTE if self.rows.shape == "text" else Level.WARNING
        hint = "the chat template writes these marks; in the text they end or open turns where none ends or opens"
        needles = {json.dumps(token, ensure_ascii=False)[1:-1].encode(): token for token in tokens if len(token) > 1}
        for start, block, row_at in _blocks(self.lines("looking for reserved tokens")):
            there = [needle for needle in needles if needle in block]
            if not there:
                continue
            pattern = re.compile(b"|".join(map(re.escape, sorted(there, key=len, reverse=True))))
            rows: dict[int, list[str]] = {}
            for match in pattern.finditer(block):
                rows.setdefault(start + row_at(match.start()), []).append(needles[match[0]])
            for row, found in rows.items():
                names = ", ".join(map(quoted, dict.fromkeys(found)))
                self.tell("TF359", level, row, f"reserved tokens stand in the text: {names}", hint)

    def carried(self, form: Form) -> None:
        """Rows that a target's form has no place for, each by its first reason."""
        for number, row in enumerate(decoded(self.lines("comparing with the target"))):
            try:
                to_wire(row, self.rows.shape, form)
            except RowError as error:
                self.tell(error.code, Level.ERROR, number, error.text, error.hint)


def loose_keys(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The digest of each row without any white space."""
    return (digest(_SPACE.sub(b"", line)) for line in lines)


def turns(row: Row, shape: str) -> list[Row]:
    """The messages of a row, those of both answers where it has two."""
    parts = ("messages",) if shape == "chat" else ("prompt", "chosen", "rejected", "completion")
    return [turn for part in parts if isinstance(row.get(part), list) for turn in row[part]]


def roles(rows: Iterable[Row], shape: str, found: Counter[str]) -> Iterator[Row]:
    """The rows as they are; their turns are counted by role as they go by."""
    for row in rows:
        for turn in turns(row, shape):
            found[turn["role"]] += 1
        yield row


def _blocks(lines: Iterator[bytes]) -> Iterator[tuple[int, bytes, Callable[[int], int]]]:
    """Rows joined to blocks: the first row's number, the block, and which of its rows a place is in."""
    start, size, block = 0, 0, list[bytes]()
    for line in lines:
        block.append(line)
        size += len(line)
        if size >= BLOCK:
            yield start, *_joined(block)
            start, size, block = start + len(block), 0, []
    if block:
        yield start, *_joined(block)


def _joined(lines: list[bytes]) -> tuple[bytes, Callable[[int], int]]:
    offsets = [0, *accumulate(len(line) + 1 for line in lines)]
    return b"\n".join(lines), lambda place: bisect_right(offsets, place) - 1
