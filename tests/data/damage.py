"""Kinds of damage to a row of each form, and what each is reported as; and files of rows in every container.

A kind says in which containers it can stand: `text` in lines of JSON alone, `value` also in a list of rows, `cell`
also in a table, `typed` in Parquet too, where every row has the types of the column.
"""

from __future__ import annotations

import copy
import csv
import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pyarrow
import zstandard
from pyarrow import parquet

Row = dict[str, Any]
Path = tuple[str | int, ...]
CHATS = ("chat", "sharegpt", "converse", "gemini")


@dataclass(frozen=True)
class Form:
    """Where a form has what can be damaged: a text that must not be empty, its turns, a key it cannot miss."""

    text: Path
    key: str
    missing: str = "TF315"  # what a row without the key is told as
    turns: Path | None = None
    role: str = "role"
    columns: dict[str, str] = field(default_factory=dict)


FORMS: dict[str, Form] = {
    "chat": Form(("messages", 0, "content"), "messages", turns=("messages",)),
    "sharegpt": Form(("conversations", 0, "value"), "conversations", turns=("conversations",), role="from"),
    "instruction": Form(("output",), "output"),
    "prompt_completion": Form(("completion",), "completion"),
    "prompt_completion by columns": Form(
        ("answer",), "answer", columns={"prompt": "question", "completion": "answer"}
    ),
    "text": Form(("text",), "text"),
    "preference": Form(("chosen",), "rejected"),
    "preference of turns": Form(("chosen", "value"), "rejected", "TF314", turns=("conversations",), role="from"),
    "preference of OpenAI": Form(
        ("preferred_output", 0, "content"), "non_preferred_output", turns=("input", "messages")
    ),
    "unpaired_preference": Form(("messages", 0, "content"), "label", turns=("messages",)),
    "prompt": Form(("messages", 0, "content"), "messages", turns=("messages",)),
    "converse": Form(("messages", 0, "content", 0, "text"), "messages", turns=("messages",)),
    "converse_preference": Form(("messages", 0, "content", 0, "text"), "messages", turns=("messages",)),
    "gemini": Form(("contents", 0, "parts", 0, "text"), "contents", turns=("contents",)),
    "gemini_preference": Form(("contents", 0, "parts", 0, "text"), "contents", turns=("contents",)),
    "gemini_prompt": Form(("contents", 0, "parts", 0, "text"), "contents", turns=("contents",)),
}


def at(row: Row, path: Path) -> Any:
    """What stands at a place."""
    found: Any = row
    for part in path:
        found = found[part]
    return found


def put(row: Row, path: Path, value: Any) -> Row:
    """The row with another value at a place."""
    out = copy.deepcopy(row)
    at(out, path[:-1])[path[-1]] = value
    return out


def without(row: Row, path: Path) -> Row:
    """The row without a key, or without an item of a list."""
    out = copy.deepcopy(row)
    del at(out, path[:-1])[path[-1]]
    return out


def dumped(row: Row) -> str:
    return json.dumps(row)


Make = Callable[[Row, Form], "Row | bytes | None"]


@dataclass(frozen=True)
class Kind:
    """One kind of damage. `make` gives the damaged row, or its line; None where the row cannot have it."""

    code: str
    make: Make
    level: str = "value"
    forms: tuple[str, ...] = tuple(FORMS)


def line(change: Callable[[str], str | bytes]) -> Make:
    """Damage to the line of a row."""

    def make(row: Row, form: Form) -> bytes:
        found = change(dumped(row))
        return found if isinstance(found, bytes) else found.encode()

    return make


def beside(text: str) -> Make:
    """A further key before the others."""
    return line(lambda whole: f'{{"note": {text}, {whole[1:]}')


def to_text(value: Any) -> Make:
    """Another value in the place of a text."""
    return lambda row, form: put(row, form.text, value)


def turn(key: str, value: Any) -> Make:
    """Another value of a key of the first turn."""
    return lambda row, form: put(row, (*(form.turns or ()), 0, key), value) if form.turns else None


def role(value: Any) -> Make:
    return lambda row, form: turn(form.role, value)(row, form)


def turns(change: Callable[[list[Row]], Any]) -> Make:
    """Other turns."""
    return lambda row, form: put(row, form.turns, change(at(row, form.turns))) if form.turns else None


def added(**more: Any) -> Make:
    return lambda row, form: {**row, **more}


def last(**more: Any) -> Make:
    """The last turn with further keys."""
    return turns(lambda found: [*found[:-1], {**found[-1], **more}])


def misspelt(row: Row, form: Form) -> Row:
    return {f"{key}s" if key == form.key else key: value for key, value in row.items()}


def same_sides(one: Path, other: Path) -> Make:
    return lambda row, form: put(row, other, at(row, one))


def cut_off(found: list[Row]) -> list[Row]:
    """Turns that end before the last answer."""
    return found[:-1]


PAIR, OPENAI, TURNED = ("preference",), ("preference of OpenAI",), ("preference of turns",)
MESSAGES = ("chat", "unpaired_preference", "prompt")
PLAIN = ("chat", "sharegpt", "unpaired_preference")
NESTED = tuple(name for name, form in FORMS.items() if form.turns)
TURNS = tuple(name for name in NESTED if name not in ("preference of OpenAI", "preference of turns"))
CONVERSE, GEMINI = ("converse", "converse_preference"), ("gemini", "gemini_preference", "gemini_prompt")
CALL = {"function": {"name": "add", "arguments": "[1]"}}

KINDS: dict[str, Kind] = {
    # a line that is no JSON
    "cut in the middle": Kind("TF306", line(lambda t: t[: len(t) // 2]), "text"),
    "cut before its end": Kind("TF306", line(lambda t: t[:-1]), "text"),
    "a comma before its end": Kind("TF306", line(lambda t: t[:-1] + ",}"), "text"),
    "two rows on a line": Kind("TF306", line(lambda t: f"{t} {t}"), "text"),
    "a comma after it": Kind("TF306", line(lambda t: f"{t},"), "text"),
    "single quotes": Kind("TF306", line(lambda t: t.replace('"', "'", 2)), "text"),
    "a key without quotes": Kind("TF306", line(lambda t: t.replace('"', "", 2)), "text"),
    "no colon": Kind("TF306", line(lambda t: t.replace('": ', '" ', 1)), "text"),
    "a tab in a text": Kind("TF306", beside('"a\tb"'), "text"),
    "a comment": Kind("TF306", line(lambda t: f"// {t}"), "text"),
    "Python's None": Kind("TF306", beside("None"), "text"),
    "an opening brace alone": Kind("TF306", line(lambda t: "{"), "text"),
    "bytes of another encoding": Kind("TF305", line(lambda t: b'{"note": "caf\xe9", ' + t[1:].encode()), "text"),
    "half a UTF-8 character": Kind("TF305", line(lambda t: t.encode() + b"\xc3"), "text"),
    "a line beyond all measure": Kind("TF312", beside('"' + "a" * 300_000 + '"'), "text"),
    # JSON that is no row
    "a list around it": Kind("TF307", line(lambda t: f"[{t}]")),
    "null": Kind("TF307", line(lambda t: "null")),
    "a text": Kind("TF307", line(lambda t: '"row"')),
    "NaN": Kind("TF308", beside("NaN")),
    "minus infinity": Kind("TF308", beside("-Infinity")),
    "a number beyond all": Kind("TF308", beside("1e999")),
    "half a surrogate pair": Kind("TF309", beside('"nice \\ud83d"')),
    "a key twice": Kind("TF310", beside('1, "note": 2')),
    "a well of lists": Kind("TF311", beside("[" * 120 + "]" * 120)),
    # rows of the wrong keys
    "another format": Kind("TF314", lambda row, form: {"text": "one"}, forms=tuple(f for f in FORMS if f != "text")),
    "no keys": Kind("TF315", lambda row, form: {}, forms=tuple(f for f in FORMS if FORMS[f].missing == "TF315")),
    "a key less": Kind("", lambda row, form: without(row, (form.key,))),
    "a key misspelt": Kind("", misspelt),
    # texts
    "null for a text": Kind("TF316", to_text(None)),
    "a number for a text": Kind("TF316", to_text(4)),
    "an object for a text": Kind("TF316", to_text({})),
    "an empty text": Kind("TF319", to_text(""), "value"),
    "white space alone": Kind("TF319", to_text(" \n"), "typed"),
    # turns
    "no turns": Kind("TF318", turns(lambda found: []), "typed", NESTED),
    "turns as a text": Kind("TF316", turns(lambda found: "hi"), "value", ("chat", "sharegpt", *OPENAI, *GEMINI)),
    "a turn that is a text": Kind("TF316", turns(lambda found: ["hi", *found]), "cell", NESTED),
    "a role misspelt": Kind("TF317", role("asistant"), "typed", NESTED),
    "a role of no text": Kind("TF316", role(1), "cell", tuple(f for f in NESTED if f not in CONVERSE and f not in GEMINI)),
    "no role": Kind("TF315", lambda row, form: without(row, (*(form.turns or ()), 0, form.role)), "cell", (*MESSAGES, *OPENAI, *CONVERSE)),
    "the last answer cut off": Kind("TF318", turns(cut_off), "typed", tuple(f for f in CHATS if f != "unpaired_preference")),
    "the question alone": Kind("TF318", turns(lambda found: found[:1]), "typed", (*CHATS, "unpaired_preference")),
    "an answer of a tool that was not called": Kind("TF318", turns(lambda found: [found[0], {"role": "tool", "content": "4"}, *found[1:]]), "cell", MESSAGES),
    "an image": Kind("TF316", turn("content", [{"type": "image_url", "image_url": {"url": "x"}}]), "cell", MESSAGES),
    "a weight of a half": Kind("TF322", last(weight=0.5), "cell", PLAIN),
    "every weight 0": Kind("TF322", turns(lambda found: [{**t, "weight": 0} for t in found]), "cell", PLAIN),
    "arguments that are a list": Kind("TF320", last(tool_calls=[CALL]), "cell", ("chat", "unpaired_preference")),
    "the old form of a call": Kind("TF320", last(content=None, function_call={"name": "f", "arguments": "{}"}), "cell", ("chat", "unpaired_preference")),
    "tools that are no JSON": Kind("TF320", added(tools="[{"), "value", PLAIN),
    "a second system prompt": Kind("TF318", lambda row, form: put({**row, "system": "b"}, (*(form.turns or ()),), [{form.role: "system", {"role": "content", "from": "value"}[form.role]: "a"}, *at(row, form.turns or ())[-2:]]), "value", PLAIN),
    # pairs and labels
    "two equal answers": Kind("TF321", same_sides(("chosen",), ("rejected",)), "typed", (*PAIR, *TURNED)),
    "two equal answers (OpenAI)": Kind("TF321", same_sides(("preferred_output",), ("non_preferred_output",)), "typed", OPENAI),
    "two equal answers (Converse)": Kind("TF321", same_sides(("messages", -1, "candidates", 0, "content"), ("messages", -1, "candidates", 1, "content")), "value", ("converse_preference",)),
    "two equal answers (Gemini)": Kind("TF321", same_sides(("completions", 0, "completion"), ("completions", 1, "completion")), "value", ("gemini_preference",)),
    "two preferred": Kind("TF321", same_sides(("messages", -1, "candidates", 0, "preferenceLabel"), ("messages", -1, "candidates", 1, "preferenceLabel")), "value", ("converse_preference",)),
    "equal scores": Kind("TF321", same_sides(("completions", 0, "score"), ("completions", 1, "score")), "value", ("gemini_preference",)),
    "one side a list": Kind("TF316", lambda row, form: put(row, ("rejected",), [{"role": "assistant", "content": "5"}]), "value", PAIR),
    "a label in words": Kind("TF316", added(label="good"), "cell", ("unpaired_preference",)),
    "a label of 1": Kind("TF316", added(label=1), "value", ("unpaired_preference",)),
    "a prompt that the assistant ends": Kind("TF318", turns(lambda found: [*found, {**found[-1], "role": "assistant"}]), "cell", ("prompt", *OPENAI)),
    "blocks of no text": Kind("TF316", turn("content", [{"image": {}}]), "value", CONVERSE),
    "parts of no text": Kind("TF316", turn("parts", [{"fileData": {}}]), "value", GEMINI),
}  # fmt: skip

_LEVELS = ("text", "value", "cell", "typed")


def kinds_for(form: str, container: str, row: Row) -> list[str]:
    """The kinds that fit a form in a container, by a row of it."""
    least = _LEVELS.index({"csv": "cell", "parquet": "typed", "json": "value"}.get(container, "text"))
    fit = (what for what, kind in KINDS.items() if form in kind.forms and _LEVELS.index(kind.level) >= least)
    return [what for what in fit if damaged(what, form, row) is not None]


def damaged(what: str, form: str, row: Row) -> tuple[str, Row | bytes] | None:
    """The code of a kind of damage, and the row with it; None where the row cannot have it."""
    kind = KINDS[what]
    made = kind.make(row, FORMS[form])
    if made is None or (not isinstance(made, bytes) and dumped(made) == dumped(row)):
        return None
    return kind.code or FORMS[form].missing, made


# A line of a table that is none, out of its cells.
CELLS: dict[str, tuple[str, Callable[[list[str]], bytes]]] = {
    "a cell too many": ("TF337", lambda cells: cells_line([*cells, "more"])),
    "a quote that is not doubled": ("TF337", lambda cells: beginning(b'"a"b', ["b" for _ in cells])),
    "a cell of another encoding": ("TF305", lambda cells: beginning(b"caf\xe9", cells)),
}


def beginning(first: bytes, cells: list[str]) -> bytes:
    """The line with another first cell, as bytes."""
    return first + (b"," + cells_line(cells[1:]) if len(cells) > 1 else b"\n")


def cells_line(cells: list[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue().encode()


def cells_of(row: Row, names: list[str]) -> list[str]:
    found = (row.get(name) for name in names)
    return ["" if v is None else v if isinstance(v, str) else json.dumps(v) for v in found]


@dataclass
class File:
    """A file's bytes, and the line on which each row begins."""

    data: bytes
    lines: list[int]


def written(rows: list[Row | bytes], container: str, blanks: frozenset[int] = frozenset()) -> File:
    """Rows as a file. Before the rows of `blanks` a blank line stands, where the container may have one."""
    form, _, packing = container.partition(".")
    if form == "parquet":
        out = io.BytesIO()
        parquet.write_table(pyarrow.Table.from_pylist(rows), out, row_group_size=50)
        return File(out.getvalue(), list(range(1, len(rows) + 1)))
    parts, lines = {"json": _list, "csv": _table}.get(form, _lines)(rows, blanks)
    data = b"".join(parts)
    return File(_PACK[packing](data) if packing else data, lines)


_PACK: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "zst": zstandard.compress}


def _lines(rows: list[Row | bytes], blanks: frozenset[int]) -> tuple[list[bytes], list[int]]:
    parts, lines, number = [], [], 0
    for i, row in enumerate(rows):
        number += 1 + (i in blanks)
        lines.append(number)
        text = row if isinstance(row, bytes) else dumped(row).encode()
        parts.append(b"\n" * (i in blanks) + text + b"\n")
    return parts, lines


def _list(rows: list[Row | bytes], blanks: frozenset[int]) -> tuple[list[bytes], list[int]]:
    """A list over many lines: each row begins on a line of its own, and most go on over several."""
    parts, lines, number = [b"[\n"], [], 2
    for i, row in enumerate(rows):
        lines.append(number)
        text = row if isinstance(row, bytes) else json.dumps(row, indent=1 if i % 3 else None).encode()
        parts.append(text + (b",\n" if i < len(rows) - 1 else b"\n]\n"))
        number += parts[-1].count(b"\n")
    return parts, lines


def _table(rows: list[Row | bytes], blanks: frozenset[int]) -> tuple[list[bytes], list[int]]:
    names = list(dict.fromkeys(key for row in rows if isinstance(row, dict) for key in row))
    parts, lines, number = [cells_line(names)], [], 2
    for row in rows:
        lines.append(number)
        parts.append(row if isinstance(row, bytes) else cells_line(cells_of(row, names)))
        number += parts[-1].count(b"\n")
    return parts, lines
