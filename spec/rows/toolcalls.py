"""Tools and calls of them. Arguments are kept as an object, which is what chat templates expect."""

from __future__ import annotations

from typing import Any

from .rowcheck import Row, RowError, Where, kind, list_of, note_rest, pattern, required, text_of
from .strictjson import Flaw, loads

_CALL, _FUNCTION = {"id", "type", "function"}, {"name", "arguments"}


def read_json(value: Any, where: Where, code: str) -> Any:
    """The value of a text that holds JSON; other values as they are."""
    if not isinstance(value, str):
        return value
    found = loads(value)
    if isinstance(found, Flaw):
        raise RowError(code, where, f"holds JSON that cannot be read: {found.message} (character {found.start + 1})")
    return found


def read_tools(value: Any, where: Where) -> list[Row]:
    """The tools a conversation offers, as [{"type": "function", "function": {"name", ...}}]."""
    if value is None or value == "":
        return []
    tools = read_json(value, where, "TF320")
    if isinstance(tools, dict):
        tools = [tools]
    return [_tool(tool, (*where, i)) for i, tool in enumerate(list_of(tools, where, "tools"))]


def tool_calls(value: Any, role: str, where: Where, ignored: set[str] | None = None) -> list[Row]:
    """A message's calls in one form."""
    if role != "assistant":
        raise RowError("TF320", where, f"stands in a message of the {role}; only the assistant calls tools")
    return [call(item, (*where, i), ignored) for i, item in enumerate(list_of(value, where, "tool calls"))]


def call(item: Any, where: Where, ignored: set[str] | None = None) -> Row:
    """One call: {"id"?, "type": "function", "function": {"name", "arguments": {...}}}."""
    if not isinstance(item, dict):
        raise RowError("TF320", where, f"must be an object with `name` and `arguments`, not {kind(item)}")
    function, inner = item, where
    if "function" in item:
        function, inner = item["function"], (*where, "function")
        if not isinstance(function, dict):
            raise RowError("TF320", inner, f"must be an object with `name` and `arguments`, not {kind(function)}")
    _note(item, _CALL if "function" in item else _CALL | _FUNCTION, where, ignored)
    if function is not item:
        _note(function, _FUNCTION, inner, ignored)
    name = text_of(required(function, "name", inner), (*inner, "name"))
    place = (*inner, "arguments")
    arguments = read_json(required(function, "arguments", inner), place, "TF320")
    if not isinstance(arguments, dict):
        raise RowError("TF320", place, f"must be a JSON object, or a text that holds one, not {kind(arguments)}")
    out: Row = {} if item.get("id") is None else {"id": text_of(item["id"], (*where, "id"))}
    return out | {"type": "function", "function": {"name": name, "arguments": arguments}}


def _note(part: Row, known: set[str], where: Where, ignored: set[str] | None) -> None:
    if part.keys() - known:
        note_rest(part, known, f"{pattern(where)}.", ignored)


def _tool(tool: Any, where: Where) -> Row:
    if not isinstance(tool, dict):
        raise RowError("TF320", where, f"must be an object that describes a tool, not {kind(tool)}")
    function = tool.get("function", tool)
    if not isinstance(function, dict):
        raise RowError("TF320", (*where, "function"), f"must be an object, not {kind(function)}")
    inner = (*where, "function") if "function" in tool else where
    text_of(required(function, "name", inner), (*inner, "name"))
    if "function" in tool:
        return {"type": "function"} | tool
    return {"type": "function", "function": {k: v for k, v in tool.items() if (k, v) != ("type", "function")}}
