"""Conversations: a list of turns as OpenAI or ShareGPT write it, turned into messages in one form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .rowcheck import Row, RowError, Where, kind, list_of, listed, near, note_rest, pattern, quoted, required, text_of
from .toolcalls import call, read_json, tool_calls

ROLES = ("system", "user", "assistant", "tool")
_FROM = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "function_call": "function_call",
    "observation": "tool",
    "tool": "tool",
}
_OTHER_NAMES = {
    "human": "user",
    "gpt": "assistant",
    "ai": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "chatgpt": "assistant",
    "developer": "system",
    "function": "tool",
    "observation": "tool",
}
_OPTIONAL = ("reasoning_content", "tool_calls", "tool_call_id", "name", "weight")
_KNOWN = frozenset(("role", "content", *_OPTIONAL))
_KNOWN_FROM = frozenset(("from", "value", "weight"))


def read_messages(value: Any, where: Where, ignored: set[str] | None = None) -> list[Row]:
    """A list of turns as messages {"role", "content", ...}."""
    turns = list_of(value, where, "messages")
    if not turns:
        raise RowError("TF318", where, "holds no message")
    return [read_message(turn, (*where, i), ignored) for i, turn in enumerate(turns)]


def read_message(turn: Any, where: Where, ignored: set[str] | None = None) -> Row:
    """One turn as a message; keys come in one order, and content is always a text."""
    if not isinstance(turn, dict):
        raise RowError("TF316", where, f"must be a message object, not {kind(turn)}")
    if "from" in turn and "role" not in turn:
        return _sharegpt(turn, where, ignored)
    role = _role(required(turn, "role", where), (*where, "role"), ROLES)
    calls = turn.get("tool_calls") or None
    out: Row = {"role": role, "content": _content(turn, role, calls is not None, where, ignored)}
    if len(turn) > 2 or "content" not in turn:
        _options(turn, out, where, ignored)
        note_rest(turn, _KNOWN, f"{where[0]}[].", ignored)
    return out


def check_order(messages: list[Row], where: Where, offset: int = 0) -> None:
    """A tool's turn must answer a call that the assistant has just made. `where` holds messages[offset:]."""
    asked: list[Row] | None = None
    for i, message in enumerate(messages):
        if message["role"] == "tool":
            at = (*where, i - offset) if i >= offset else where
            if asked is None:
                raise RowError("TF318", at, "is a tool's answer, but the assistant called no tool before it")
            ids = [c["id"] for c in asked if "id" in c]
            if ids and message.get("tool_call_id", ids[0]) not in ids:
                made = f"the calls before it: {listed(ids)}"
                raise RowError("TF318", (*at, "tool_call_id"), "answers a call that was not made", made)
        else:
            asked = message.get("tool_calls")


def check_trainable(messages: list[Row], where: Where) -> None:
    """A conversation to learn from ends with the assistant and has a turn of the assistant that counts."""
    if not any(m["role"] == "assistant" for m in messages):
        raise RowError("TF318", where, "has no turn of the assistant", "there is nothing to learn from it")
    if (role := messages[-1]["role"]) != "assistant":
        hint = "nothing is dropped for you: remove the turns after the last answer, or the row"
        raise RowError("TF318", (*where, len(messages) - 1), f"ends the conversation with the {role}", hint)
    if all(m.get("weight") == 0 for m in messages if m["role"] == "assistant"):
        raise RowError("TF322", where, "gives every turn of the assistant weight 0", "nothing would be trained")


def _role(role: Any, where: Where, names: Mapping[str, str] | tuple[str, ...]) -> str:
    if isinstance(role, str) and role in names:
        return role
    choices = "one of " + ", ".join(f"`{n}`" for n in names)
    if not isinstance(role, str):
        raise RowError("TF316", where, f"must be {choices}, not {kind(role)}")
    close = near(role, names) or _OTHER_NAMES.get(role.lower())
    hint = f"did you mean `{close}`?" if close else f"a role is {choices}"
    raise RowError("TF317", where, f"is {quoted(role)}, which is no role", hint)


def _content(turn: Row, role: str, has_calls: bool, where: Where, ignored: set[str] | None) -> str:
    value = turn.get("content")
    if isinstance(value, list):
        value = "".join(_part(part, (*where, "content", i), ignored) for i, part in enumerate(value))
    if has_calls and role == "assistant" and value is None:
        return ""
    if turn.get("function_call") and role == "assistant":
        hint = "write it as `tool_calls: [{function: {name, arguments}}]`"
        raise RowError("TF320", (*where, "function_call"), "is the old form of a tool call", hint)
    if value is None:
        required(turn, "content", where)
    return text_of(value, (*where, "content"), empty=has_calls or role == "tool")


def _part(part: Any, where: Where, ignored: set[str] | None) -> str:
    if isinstance(part, dict) and isinstance(part.get("text"), str) and part.get("type", "text") == "text":
        if len(part) > 2:
            note_rest(part, ("type", "text"), f"{pattern(where)}.", ignored)
        return str(part["text"])
    hint = "this version trains on text alone; images, audio and files have no place yet"
    raise RowError("TF316", where, 'must be a text part, {"type": "text", "text": ...}', hint)


def _options(turn: Row, out: Row, where: Where, ignored: set[str] | None) -> None:
    for key in _OPTIONAL:
        value = turn.get(key)
        if value is None:
            continue
        if key == "tool_calls":
            if value != []:
                out[key] = tool_calls(value, out["role"], (*where, key), ignored)
        elif key == "weight":
            out[key] = _weight(value, (*where, key))
        elif text_of(value, (*where, key), empty=True):
            out[key] = value


def _weight(value: Any, where: Where) -> int:
    if isinstance(value, bool) or value not in (0, 1):
        raise RowError("TF322", where, "must be 0 (not trained) or 1 (trained)")
    return int(value)


def _sharegpt(turn: Row, where: Where, ignored: set[str] | None) -> Row:
    role = _FROM[_role(turn["from"], (*where, "from"), _FROM)]
    value = required(turn, "value", where)
    if role == "function_call":
        calls = read_json(value, (*where, "value"), "TF320")
        made = [call(c, (*where, "value"), ignored) for c in (calls if isinstance(calls, list) else [calls])]
        if not made:
            raise RowError("TF320", (*where, "value"), "calls no tool")
        out: Row = {"role": "assistant", "content": "", "tool_calls": made}
    else:
        out = {"role": role, "content": text_of(value, (*where, "value"), empty=role == "tool")}
    if len(turn) > 2:
        if turn.get("weight") is not None:
            out["weight"] = _weight(turn["weight"], (*where, "weight"))
        note_rest(turn, _KNOWN_FROM, f"{where[0]}[].", ignored)
    return out
