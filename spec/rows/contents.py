"""Gemini's rows on Vertex AI: contents and parts, alone, with two scored completions, or with references."""

from __future__ import annotations

from typing import Any

from .rowcheck import Row, RowError, Where, kind, list_of, note_rest, quoted, required, text_of
from .turns import check_trainable

_SYSTEMS = ("systemInstruction", "system_instruction")
_ROLES = {"user": "user", "model": "assistant", "assistant": "assistant"}
_HINT = "this version trains on text alone; files, images and function calls have no place yet"


def read_contents(row: Row, ignored: set[str] | None = None) -> Row:
    """A conversation, as {"messages"}."""
    messages = _messages(row, ignored)
    check_trainable(messages, ("contents",))
    note_rest(row, ("contents", *_SYSTEMS), "", ignored)
    return {"messages": messages}


def read_scored(row: Row, ignored: set[str] | None = None) -> Row:
    """Two completions with scores, as {"prompt", "chosen", "rejected"}; the higher score is the chosen one."""
    prompt = _messages(row, ignored)
    if prompt[-1]["role"] == "assistant":
        raise RowError("TF318", ("contents",), "ends with the model; its answers belong into `completions`")
    found = list_of(required(row, "completions"), ("completions",), "two completions")
    if len(found) != 2:
        raise RowError("TF321", ("completions",), f"holds {len(found)} completions; a pair has two")
    scored = [_scored(item, ("completions", i), ignored) for i, item in enumerate(found)]
    if scored[0][0] == scored[1][0]:
        raise RowError("TF321", ("completions",), "has one score for both: nothing is preferred")
    scored.sort(key=lambda pair: -pair[0])
    if scored[0][1] == scored[1][1]:
        raise RowError("TF321", ("completions",), "has the same answer twice", "there is nothing to prefer")
    note_rest(row, ("contents", "completions", *_SYSTEMS), "", ignored)
    return {"prompt": prompt, "chosen": [scored[0][1]], "rejected": [scored[1][1]]}


def read_references(row: Row, ignored: set[str] | None = None) -> Row:
    """A prompt with its references, as {"prompt", "item"}."""
    prompt = _messages(row, ignored)
    if prompt[-1]["role"] == "assistant":
        raise RowError("TF318", ("contents", len(row["contents"]) - 1), "ends the prompt with the model")
    item = row.get("references") or {}
    if not isinstance(item, dict):
        raise RowError("TF316", ("references",), f"must be an object, not {kind(item)}")
    note_rest(row, ("contents", "references", *_SYSTEMS), "", ignored)
    return {"prompt": prompt, "item": item}


def _messages(row: Row, ignored: set[str] | None) -> list[Row]:
    turns = list_of(required(row, "contents"), ("contents",), "turns")
    if not turns:
        raise RowError("TF318", ("contents",), "holds no turn")
    messages = [_turn(turn, ("contents", i), ignored) for i, turn in enumerate(turns)]
    system = next((key for key in _SYSTEMS if row.get(key) is not None), None)
    if system is not None:
        messages.insert(0, {"role": "system", "content": _text(row[system], (system,), ignored)})
    return messages


def _turn(turn: Any, where: Where, ignored: set[str] | None) -> Row:
    if not isinstance(turn, dict):
        raise RowError("TF316", where, f'must be a turn {{"role", "parts"}}, not {kind(turn)}')
    role = turn.get("role", "user")
    if not isinstance(role, str) or role not in _ROLES:
        shown = quoted(role) if isinstance(role, str) else kind(role)
        raise RowError("TF317", (*where, "role"), f"is {shown}, which is no role", "a role is `user` or `model`")
    return {"role": _ROLES[role], "content": _text(turn, where, ignored)}


def _text(turn: Any, where: Where, ignored: set[str] | None) -> str:
    if not isinstance(turn, dict):
        raise RowError("TF316", where, f'must be an object {{"parts": [...]}}, not {kind(turn)}')
    parts = list_of(required(turn, "parts", where), (*where, "parts"), "parts")
    note_rest(turn, ("role", "parts"), f"{where[0]}[].", ignored)
    text = ""
    for i, part in enumerate(parts):
        if not isinstance(part, dict) or set(part) != {"text"}:
            raise RowError("TF316", (*where, "parts", i), 'must be a text part, {"text": ...}', _HINT)
        text += text_of(part["text"], (*where, "parts", i, "text"), empty=True)
    return text_of(text, (*where, "parts"))


def _scored(item: Any, where: Where, ignored: set[str] | None) -> tuple[float, Row]:
    if not isinstance(item, dict):
        raise RowError("TF316", where, f'must be {{"score", "completion"}}, not {kind(item)}')
    score = required(item, "score", where)
    if isinstance(score, bool) or not isinstance(score, int | float):
        raise RowError("TF316", (*where, "score"), f"must be a number, not {kind(score)}")
    answer = _turn(required(item, "completion", where), (*where, "completion"), ignored)
    if answer["role"] != "assistant":
        raise RowError("TF318", (*where, "completion", "role"), "is not the model's")
    return score, answer
