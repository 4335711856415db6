"""OpenAI's forms, which Azure OpenAI and Together share in part: chat, pairs, and prompts with free fields."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from ..rows.rowcheck import Row, RowError, quoted
from .base import Form, Outcome, Wire, forms
from .expand import with_call_ids

CHAT_LINE = '{"messages": [{"role", "content", ...}], "tools"?}'
PAIR_LINE = '{"input": {"messages", "tools"?}, "preferred_output": [...], "non_preferred_output": [...]}'
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_PROMPT_KEYS = ("messages", "conversations", "tools", "system", "chat_template_kwargs")


def chat(row: Row, outcome: Outcome) -> Row:
    """{"messages", "tools"?}; arguments of calls as JSON text."""
    out: Row = {"messages": messages(row["messages"], outcome)}
    return out | {"tools": row["tools"]} if row.get("tools") else out


def pair(row: Row, outcome: Outcome) -> Row:
    """{"input", "preferred_output", "non_preferred_output"}."""
    asked: Row = {"messages": messages(row["prompt"], outcome, "prompt")}
    if row.get("tools"):
        asked["tools"] = row["tools"]
    sides = [messages(row[key], outcome, key, asked["messages"]) for key in ("chosen", "rejected")]
    return {"input": asked, "preferred_output": sides[0], "non_preferred_output": sides[1]}


def prompt(row: Row, outcome: Outcome) -> Row:
    """{"messages", and the item's fields}."""
    return {"messages": messages(row["prompt"], outcome, "prompt"), **row["item"]}


def messages(found: list[Row], outcome: Outcome, where: str = "messages", before: Sequence[Row] = ()) -> list[Row]:
    """Messages as the API has them: a call has an id, and its arguments are a JSON text."""
    if any(m["role"] == "tool" or "tool_calls" in m for m in found):
        found = with_call_ids(found, outcome, where, before)
    return [_message(m) for m in found]


def _message(message: Row) -> Row:
    if "tool_calls" not in message:
        return message
    calls = [{**call, "function": _function(call["function"])} for call in message["tool_calls"]]
    return {**message, "tool_calls": calls}


def _function(function: Row) -> Row:
    return {**function, "arguments": json.dumps(function["arguments"], ensure_ascii=False)}


def check_tools(row: Row) -> None:
    """Names of tools are short words."""
    for i, tool in enumerate(row.get("tools", ())):
        name = tool["function"]["name"]
        if not _NAME.fullmatch(name):
            hint = "letters, digits, `_` and `-`, 64 at most"
            raise RowError("TF343", ("tools", i, "function", "name"), f"is {quoted(name)}, no name for a tool", hint)


def check_prompt(row: Row) -> None:
    """The user speaks last, and no field of the item takes a key of the form."""
    check_tools(row)
    check_user_last(row)
    check_keys(row, _PROMPT_KEYS)


def check_user_last(row: Row) -> None:
    """The last turn of the prompt is the user's."""
    if (role := row["prompt"][-1]["role"]) != "user":
        raise RowError("TF344", ("prompt", len(row["prompt"]) - 1), f"is of the {role}; the user must speak last")


def check_keys(row: Row, taken: tuple[str, ...]) -> None:
    """No field of the item has the name of a key of the form."""
    for key in taken:
        if key in row["item"]:
            raise RowError("TF347", (key,), f"is a column of its own, and this form has a key {quoted(key)}")


CARRIES = frozenset({"system", "any_order", "name", "tools"})
_FORMS = forms(
    Form(
        shape="chat",
        methods=("sft",),
        line=CHAT_LINE,
        write=chat,
        carries=CARRIES | {"weight"},
        expansions=("as-chat", "call-ids"),
        answers="all",
        check=check_tools,
    ),
    Form(
        shape="preference",
        methods=("dpo",),
        line=PAIR_LINE,
        write=pair,
        carries=CARRIES,
        expansions=("as-chat", "call-ids"),
        check=check_tools,
    ),
    Form(
        shape="prompt",
        methods=("rft",),
        line='{"messages": [...], and any other fields}',
        write=prompt,
        carries=CARRIES,
        expansions=("as-chat", "call-ids"),
        check=check_prompt,
    ),
)
WIRES = (
    Wire("openai", "OpenAI", "openai", _FORMS, note="New fine-tuning jobs end with 2027-01-06."),
    Wire("azure", "Azure OpenAI", "azure", _FORMS, bom=True, note="As OpenAI's, after a UTF-8 byte order mark."),
)
