"""Rows of tables, whose cells are texts: JSON in a cell is read where a format needs a list, an object or true."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from .rowcheck import Row, RowError
from .strictjson import Flaw, loads

_ALWAYS = (
    *("messages", "conversations", "contents", "history", "chat_template_kwargs"),
    *("preferred_output", "non_preferred_output"),
)
_SOMETIMES = ("prompt", "completion", "chosen", "rejected", "input")  # texts, or conversations
_ANSWERS = ("chosen", "rejected")  # or one turn
_LABELS = {"true": True, "false": False}


def nested(row: Row, columns: Mapping[str, str]) -> Row:
    """A table's row with the JSON in its cells read. A RowError says which cell holds broken JSON."""
    out = dict(row)
    for key in (*_ALWAYS, *_SOMETIMES, "label"):
        column = columns.get(key, key)
        text = row.get(column)
        if not isinstance(text, str):
            continue
        if key == "label":
            out[column] = _LABELS.get(text.strip().lower(), text)
        elif key in _ALWAYS:
            out[column] = _value(text, column)
        elif text.lstrip().startswith(('[{"', '{"')):
            with suppress(RowError):  # a text that only looks like it
                value = _value(text, column)
                out[column] = value if _is_conversation(value) or (key in _ANSWERS and _is_turn(value)) else text
    return out


def _value(text: str, column: str) -> Any:
    found = loads(text)
    if isinstance(found, Flaw):
        message = f"holds JSON that cannot be read: {found.message} (character {found.start + 1})"
        raise RowError("TF316", (column,), message, "this column needs a list, which a cell holds as JSON")
    return found


def _is_conversation(value: Any) -> bool:
    turns = value.get("messages") if isinstance(value, dict) else value
    if not isinstance(turns, list):
        return False
    return all(isinstance(turn, dict) and ("role" in turn or "from" in turn) for turn in turns)


def _is_turn(value: Any) -> bool:
    return isinstance(value, dict) and (value.keys() >= {"role", "content"} or value.keys() >= {"from", "value"})
