"""Preference rows: with a prompt, with an implicit one, ShareGPT and OpenAI forms, as prompt, chosen, rejected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .rowcheck import Row, RowError, Where, kind, note_rest, quoted, required, text_of
from .toolcalls import read_tools
from .turns import check_order, read_message, read_messages

_SIDES = ("chosen", "rejected")
_PLAIN = "`prompt`, `chosen` and `rejected` are plain texts"
_OPENAI = ("input", "preferred_output", "non_preferred_output")


def read_preference(row: Row, ignored: set[str] | None = None) -> Row:
    """A row as {"prompt", "chosen", "rejected", "tools"?}; all texts, or all lists of messages."""
    if "preferred_output" in row:
        return _openai(row, ignored)
    chosen, rejected = required(row, "chosen"), required(row, "rejected")
    if isinstance(chosen, str) != isinstance(rejected, str):
        raise RowError("TF316", ("rejected",), f"is {kind(rejected)}, but `chosen` is {kind(chosen)}")
    used = _prompt_keys(row)
    note_rest(row, used, "", ignored)
    if isinstance(chosen, str) and "prompt" in used and not isinstance(row.get("prompt"), list):
        return _texts(row, chosen, rejected)
    prompt = _prompt(row, used, ignored)
    sides = [_side(row[key], (key,), ignored) for key in _SIDES]
    return _finish(row, prompt, sides[0], sides[1])


def _used(*prompt: str) -> tuple[str, ...]:
    return ("chosen", "rejected", "tools", "system", *prompt)


def _prompt_keys(row: Row) -> tuple[str, ...]:
    if row.get("prompt") is not None:
        return _used("prompt")
    for key in ("conversations", "messages"):
        if row.get(key) is not None:
            return _used(key)
    return _used("instruction", "input") if row.get("instruction") is not None else _used("prompt")


def _texts(row: Row, chosen: str, rejected: str) -> Row:
    if row.get("prompt") is None:
        hint = "with plain texts, `chosen` and `rejected` hold the answer alone, and `prompt` what was asked"
        raise RowError("TF315", ("prompt",), "is missing", hint)
    prompt = text_of(row["prompt"], ("prompt",))
    out = {"prompt": prompt, "chosen": text_of(chosen, ("chosen",)), "rejected": text_of(rejected, ("rejected",))}
    _differ(chosen, rejected)
    if row.get("tools"):
        raise RowError("TF320", ("tools",), f"needs a conversation; {_PLAIN}")
    if row.get("system"):
        hint = "as `instruction` instead of `prompt` the same row is a conversation: `columns: {instruction: prompt}`"
        raise RowError("TF320", ("system",), f"needs a conversation; {_PLAIN}", hint)
    return out


def _prompt(row: Row, used: tuple[str, ...], ignored: set[str] | None) -> list[Row] | str | None:
    for key in ("prompt", "conversations", "messages"):
        value = row.get(key)
        if key in used and value is not None:
            return value if isinstance(value, str) else read_messages(value, (key,), ignored)
    if "instruction" in used:
        return [{"role": "user", "content": instruction(row)}]
    return None


def instruction(row: Row) -> str:
    """Alpaca's instruction, and its input below it where there is one."""
    asked, more = row.get("instruction"), row.get("input")
    if type(asked) is not str or not asked or asked.isspace():
        text_of(required(row, "instruction"), ("instruction",))
    if more is None or more == "":
        return str(asked)
    return f"{asked}\n\n{text_of(more, ('input',))}"


def _side(value: Any, where: Where, ignored: set[str] | None) -> list[Row]:
    if isinstance(value, str):
        return [{"role": "assistant", "content": text_of(value, where)}]
    if isinstance(value, dict):
        return [read_message(value, where, ignored)]
    return read_messages(value, where, ignored)


def _finish(row: Row, prompt: list[Row] | str | None, chosen: list[Row], rejected: list[Row]) -> Row:
    _differ(chosen, rejected)
    offset = len(prompt) if isinstance(prompt, list) else 1
    if prompt is None or (isinstance(prompt, str) and chosen[0]["role"] != "assistant"):
        shared, at = _shared(chosen, rejected)
        if isinstance(prompt, str) and prompt not in (m["content"] for m in shared):
            raise RowError("TF321", ("prompt",), "is not in the conversation that `chosen` and `rejected` open with")
        prompt, chosen, rejected, offset = shared, chosen[at:], rejected[at:], 0
    elif isinstance(prompt, str):
        prompt = [{"role": "user", "content": text_of(prompt, ("prompt",))}]
    elif chosen[: len(prompt)] == prompt == rejected[: len(prompt)]:
        chosen, rejected = chosen[len(prompt) :], rejected[len(prompt) :]
        offset = 0
    if system := _system(row, prompt):
        prompt, offset = system + prompt, offset + 1
    _check(prompt, chosen, rejected, offset)
    out: Row = {"prompt": prompt, "chosen": chosen, "rejected": rejected}
    tools = read_tools(row.get("tools"), ("tools",))
    return out | {"tools": tools} if tools else out


def _system(row: Row, prompt: list[Row]) -> list[Row]:
    """The system prompt that stands beside a conversation, as its first message."""
    if not row.get("system"):
        return []
    if prompt[0]["role"] == "system":
        raise RowError("TF318", ("system",), "stands beside a system message in the conversation", "keep one")
    return [{"role": "system", "content": text_of(row["system"], ("system",))}]


def _shared(chosen: list[Row], rejected: list[Row]) -> tuple[list[Row], int]:
    at = next(_differences(chosen, rejected))
    while at and chosen[at - 1]["role"] == "assistant":
        at -= 1
    if not at:
        hint = "without a `prompt`, both are whole conversations that open with the same turns"
        raise RowError("TF321", ("rejected",), "does not open with the same turn as `chosen`", hint)
    return chosen[:at], at


def _differences(chosen: list[Row], rejected: list[Row]) -> Iterator[int]:
    shorter = min(len(chosen), len(rejected))
    yield from (i for i in range(shorter) if chosen[i] != rejected[i])
    yield shorter


def _check(prompt: list[Row], chosen: list[Row], rejected: list[Row], offset: int) -> None:
    if prompt[-1]["role"] == "assistant":
        raise RowError("TF318", ("prompt",), "ends with the assistant; the answer belongs into `chosen`")
    for key, side in zip(_SIDES, (chosen, rejected), strict=True):
        if not side or side[-1]["role"] != "assistant":
            raise RowError("TF318", (key,), "does not end with a turn of the assistant")
        if len(side) > 1:
            hint = "turns that both share belong into the prompt"
            raise RowError("TF318", (key,), f"goes on for {len(side)} turns; a pair compares one answer", hint)
        check_order(prompt + side, (key,), offset)
        if any(message.get("weight") == 0 for message in side):
            raise RowError("TF322", (key,), "has a turn of weight 0", "an answer of a pair counts whole")


def _differ(chosen: Any, rejected: Any) -> None:
    if chosen == rejected:
        raise RowError("TF321", ("rejected",), "equals `chosen`", "there is nothing to prefer: remove the row")


def _openai(row: Row, ignored: set[str] | None) -> Row:
    note_rest(row, _OPENAI, "", ignored)
    asked = required(row, "input")
    if not isinstance(asked, dict):
        raise RowError("TF316", ("input",), f'must be an object {{"messages": [...]}}, not {kind(asked)}')
    note_rest(asked, ("messages", "tools"), "input.", ignored)
    prompt = read_messages(required(asked, "messages", ("input",)), ("input", "messages"), ignored)
    sides = [_side(required(row, key), (key,), ignored) for key in _OPENAI[1:]]
    if sides[0] == sides[1]:
        raise RowError("TF321", ("non_preferred_output",), f"equals {quoted('preferred_output')}")
    return _finish({"tools": asked.get("tools")}, prompt, sides[0], sides[1])
