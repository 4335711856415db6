"""What a wire form declares: the shape it takes, what it carries, which expansions it offers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..rows.rowcheck import Row

CARRIES: Mapping[str, str] = {
    "system": "a system message before the first turn",
    "any_order": "turns in any order, system messages among them",
    "weight": "weight 0 or 1 of a turn of the assistant",
    "weight_any": "weight 0 or 1 of any turn",
    "tools": "tools, calls of them and their answers",
    "reasoning": "reasoning_content of the assistant",
    "name": "name of a user or an assistant",
    "template_options": "chat_template_kwargs",
}
"""What a form can have beside the texts of alternating turns of user and assistant."""

EXPANSIONS: Mapping[str, str] = {
    "as-chat": "a plain prompt becomes a turn of the user, its answer one of the assistant",
    "as-text": "one question with its answer becomes a prompt and an answer of plain text",
    "all-turns": "a conversation stays one row: counts on the service training every turn of the assistant",
    "split-turns": "one row for each trained turn of the assistant, earlier turns as context: counts on the service "
    "training the last turn alone",
    "call-ids": "a tool call without an id gets one by its number, and its answer names it",
    "whole-item": "all other columns of a row become `reference_answer`",
    "json-values": "references that are no text are written as JSON text",
}
"""Ways to say in a form what it has no place for. None is taken unless the caller allows it, and each is told."""

Answers = Literal["all", "unknown", "one"]
"""Which turns of the assistant a service trains: all of them; it is not documented; a row has one answer anyway."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a target takes rows of one shape. `write` turns a checked row into its wire form."""

    shape: str
    methods: tuple[str, ...]
    line: str  # a line of the form, in short
    write: Callable[[Row, Outcome], Row]
    carries: frozenset[str] = frozenset()
    expansions: tuple[str, ...] = ()
    answers: Answers = "one"
    plain: bool = False  # prompts and answers are plain texts
    turns: bool = True  # prompts and answers are lists of messages
    canonical: bool = False  # the canonical row, of which nothing is refused
    reserved: tuple[str, ...] = ()  # words that no text may have
    check: Callable[[Row], None] | None = None  # what else this form refuses


@dataclass(frozen=True, slots=True)
class Wire:
    """A target's wire forms, by shape."""

    name: str
    title: str
    target: str
    forms: Mapping[str, Form]
    bom: bool = False  # files begin with a byte order mark
    note: str = ""


@dataclass(slots=True)
class Outcome:
    """What becomes of one row: which expansions may be taken, and which were."""

    allowed: frozenset[str] = frozenset()
    taken: set[str] = field(default_factory=set)

    def take(self, name: str) -> bool:
        """Whether an expansion is allowed; remembered as taken."""
        if name in self.allowed:
            self.taken.add(name)
            return True
        return False


def forms(*found: Form) -> Mapping[str, Form]:
    """Forms by their shape."""
    return {form.shape: form for form in found}


def as_it_is(row: Row, outcome: Outcome) -> Row:
    """The row itself."""
    return row
