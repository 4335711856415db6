"""Rows with one answer marked good or bad, and rows that only ask."""

from __future__ import annotations

from .preference import instruction
from .rowcheck import Row, RowError, kind, note_rest, required, text_of
from .toolcalls import read_tools
from .turns import check_order, read_messages


def read_unpaired(row: Row, ignored: set[str] | None = None) -> Row:
    """A row as {"prompt", "completion", "label", "tools"?}; texts, or lists of messages."""
    label = required(row, "label")
    if not isinstance(label, bool):
        raise RowError("TF316", ("label",), f"must be true (good) or false (bad), not {kind(label)}")
    prompt, completion = row.get("prompt"), row.get("completion")
    if isinstance(prompt, str) and isinstance(completion, str):
        for unfit in ("system", "tools"):
            if row.get(unfit):
                message = "needs a conversation; `prompt` and `completion` are plain texts"
                raise RowError("TF320", (unfit,), message)
        note_rest(row, ("prompt", "completion", "label"), "", ignored)
        return {
            "prompt": text_of(prompt, ("prompt",)),
            "completion": text_of(completion, ("completion",)),
            "label": label,
        }
    key = _turns_key(row) or "prompt"
    note_rest(row, (key, *(["completion"] if key == "prompt" else []), "label", "system", "tools"), "", ignored)
    messages = _messages(row, key, ignored)
    where = (key,)
    if key == "prompt":
        where = ("completion",)
        messages += _answer(required(row, "completion"), ignored)
    if messages[-1]["role"] != "assistant":
        raise RowError("TF318", where, "does not end with a turn of the assistant", "the label is for that turn")
    if len(messages) < 2:
        raise RowError("TF318", where, "holds an answer to nothing", "a turn of the user comes before it")
    check_order(messages, where)
    if messages[-1].get("weight") == 0:
        raise RowError("TF322", where, "ends with a turn of weight 0", "an answer with a label counts whole")
    out: Row = {"prompt": messages[:-1], "completion": messages[-1:], "label": label}
    tools = read_tools(row.get("tools"), ("tools",))
    return out | {"tools": tools} if tools else out


def _answer(value: object, ignored: set[str] | None) -> list[Row]:
    if isinstance(value, str):
        return [{"role": "assistant", "content": text_of(value, ("completion",))}]
    found = read_messages(value, ("completion",), ignored)
    if len(found) != 1:
        raise RowError("TF318", ("completion",), "must be one turn of the assistant", "the rest belongs into `prompt`")
    return found


def read_prompt(row: Row, ignored: set[str] | None = None) -> Row:
    """A row as {"prompt": text or messages, "item": {...}}; rewards see the other columns as the item."""
    for key in ("tools", "chat_template_kwargs"):
        if row.get(key):
            raise RowError("TF320", (key,), "has no place in a prompt yet", "remove the column")
    key = _turns_key(row) or ("instruction" if row.get("instruction") is not None else "prompt")
    used = {key, "system", "tools", "chat_template_kwargs", *(["input"] if key == "instruction" else [])}
    item = {name: value for name, value in row.items() if name not in used}
    value = required(row, key)
    if isinstance(value, str) and key == "prompt":
        if row.get("system"):
            raise RowError("TF320", ("system",), "needs a conversation; `prompt` is a plain text")
        return {"prompt": text_of(value, ("prompt",)), "item": item}
    messages = _messages(row, key, ignored)
    if (role := messages[-1]["role"]) == "assistant":
        hint = "put the answer into a column of its own, such as `answer`; rewards can compare with it"
        raise RowError("TF318", (key, len(messages) - 1), f"ends the prompt with the {role}", hint)
    check_order(messages, (key,))
    return {"prompt": messages, "item": item}


def _turns_key(row: Row) -> str | None:
    return next((k for k in ("messages", "conversations") if row.get(k) is not None), None)


def _messages(row: Row, key: str, ignored: set[str] | None) -> list[Row]:
    value = required(row, key)
    if key == "instruction":
        messages: list[Row] = [{"role": "user", "content": instruction(row)}]
    elif isinstance(value, str):
        messages = [{"role": "user", "content": text_of(value, (key,))}]
    else:
        messages = read_messages(value, (key,), ignored)
    if row.get("system"):
        if messages[0]["role"] == "system":
            raise RowError("TF318", ("system",), "stands beside a system message in the conversation", "keep one")
        messages.insert(0, {"role": "system", "content": text_of(row["system"], ("system",))})
    return messages
