"""Rows as Amazon Bedrock's Converse has them: content in blocks, and pairs as candidates of the last turn."""

from __future__ import annotations

from typing import Any

from .rowcheck import Row, RowError, Where, kind, list_of, note_rest, quoted, required, text_of
from .turns import check_trainable

_KEYS = ("schemaVersion", "system", "messages")
_ROLES = ("user", "assistant")
_LABELS = {"preferred": "chosen", "non-preferred": "rejected"}


def is_converse(row: Row) -> bool:
    """Whether messages are in blocks: the schema is named, or a system prompt is a list of texts."""
    return isinstance(row.get("messages"), list) and ("schemaVersion" in row or isinstance(row.get("system"), list))


def has_candidates(row: Row) -> bool:
    """Whether the last turn has candidates in the place of a content."""
    messages = row.get("messages")
    return isinstance(messages, list) and bool(messages) and _is_pair(messages[-1])


def read_converse(row: Row, ignored: set[str] | None = None) -> Row:
    """A conversation, as {"messages"}."""
    messages = [*_system(row), *_turns(_listed(row), ignored)]
    check_trainable(messages, ("messages",))
    note_rest(row, _KEYS, "", ignored)
    return {"messages": messages}


def read_candidates(row: Row, ignored: set[str] | None = None) -> Row:
    """A pair, as {"prompt", "chosen", "rejected"}."""
    turns = _listed(row)
    where: Where = ("messages", len(turns) - 1)
    if not _is_pair(turns[-1]):
        raise RowError("TF315", (*where, "candidates"), "is missing", "the last turn of a pair has two candidates")
    prompt = [*_system(row), *_turns(turns[:-1], ignored)]
    if not prompt or prompt[-1]["role"] != "user":
        raise RowError("TF318", where, "is an answer that no turn of the user comes before")
    found = _pair(turns[-1], where, ignored)
    note_rest(row, _KEYS, "", ignored)
    return {"prompt": prompt, "chosen": [found["chosen"]], "rejected": [found["rejected"]]}


def _is_pair(turn: Any) -> bool:
    return isinstance(turn, dict) and "candidates" in turn


def _listed(row: Row) -> list[Any]:
    turns = list_of(required(row, "messages"), ("messages",), "messages")
    if not turns:
        raise RowError("TF318", ("messages",), "holds no message")
    return turns


def _system(row: Row) -> list[Row]:
    value = row.get("system")
    if value in (None, "", []):
        return []
    if isinstance(value, str):
        return [{"role": "system", "content": text_of(value, ("system",))}]
    blocks = list_of(value, ("system",), "texts")
    text = "".join(_block_text(block, ("system", i)) for i, block in enumerate(blocks))
    return [{"role": "system", "content": text_of(text, ("system",))}]


def _turns(turns: list[Any], ignored: set[str] | None) -> list[Row]:
    return [_turn(turn, ("messages", i), ignored) for i, turn in enumerate(turns)]


def _turn(turn: Any, where: Where, ignored: set[str] | None) -> Row:
    if not isinstance(turn, dict):
        raise RowError("TF316", where, f"must be a message object, not {kind(turn)}")
    role = required(turn, "role", where)
    if role not in _ROLES:
        shown = quoted(role) if isinstance(role, str) else kind(role)
        raise RowError("TF317", (*where, "role"), f"is {shown}, which is no role", "a role is `user` or `assistant`")
    note_rest(turn, ("role", "content"), "messages[].", ignored)
    return _content(turn, role, where)


def _content(turn: Row, role: str, where: Where) -> Row:
    place = (*where, "content")
    value = required(turn, "content", where)
    if isinstance(value, str):
        return {"role": role, "content": text_of(value, place)}
    text, thought = "", ""
    for i, block in enumerate(list_of(value, place, "blocks")):
        if isinstance(block, dict) and "reasoningContent" in block and role == "assistant":
            thought += _thought(block["reasoningContent"], (*place, i, "reasoningContent"))
        else:
            text += _block_text(block, (*place, i))
    out: Row = {"role": role, "content": text_of(text, place)}
    return out | {"reasoning_content": thought} if thought else out


def _block_text(block: Any, where: Where) -> str:
    if isinstance(block, dict) and set(block) == {"text"}:
        return text_of(block["text"], (*where, "text"), empty=True)
    hint = "this version reads text and reasoning; images, documents and tool use have no place yet"
    raise RowError("TF316", where, 'must be a text block, {"text": ...}', hint)


def _thought(value: Any, where: Where) -> str:
    inner = value.get("reasoningText") if isinstance(value, dict) else None
    if not isinstance(inner, dict) or not isinstance(inner.get("text"), str):
        raise RowError("TF316", where, 'must be {"reasoningText": {"text": ...}}')
    return str(inner["text"])


def _pair(turn: Row, where: Where, ignored: set[str] | None) -> Row:
    place = (*where, "candidates")
    note_rest(turn, ("role", "candidates"), "messages[].", ignored)
    if turn.get("role") != "assistant":
        raise RowError("TF318", (*where, "role"), "is not the assistant's, so it has no candidates")
    found: Row = {}
    for i, item in enumerate(list_of(turn["candidates"], place, "candidates")):
        if not isinstance(item, dict):
            raise RowError("TF316", (*place, i), f"must be an object, not {kind(item)}")
        label = required(item, "preferenceLabel", (*place, i))
        if not isinstance(label, str) or label not in _LABELS or _LABELS[label] in found:
            hint = "one candidate is `preferred`, the other `non-preferred`"
            raise RowError("TF321", (*place, i, "preferenceLabel"), "does not make a pair", hint)
        found[_LABELS[label]] = _content(item, "assistant", (*place, i))
    if len(found) != 2 or found["chosen"] == found["rejected"]:
        raise RowError("TF321", place, "does not hold two different answers", "there is nothing to prefer")
    return found
