"""Expansions: the same said in a form that has no place for it as it stands. Taken only where allowed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from ..rows.rowcheck import Row, RowError
from .base import Form, Outcome

_ANSWERS = ("completion", "chosen", "rejected")


def reshape(row: Row, shape: str, form: Form, outcome: Outcome) -> Row:
    """The row in the form's own shape: conversations for plain texts, or the other way round."""
    if shape == "prompt_completion" and form.shape == "chat":
        _ask(outcome, form, "as-chat", "is a plain prompt with its completion")
        return {"messages": [_said("user", row["prompt"]), _said("assistant", row["completion"])]}
    if shape == "chat" and form.shape == "prompt_completion":
        _ask(outcome, form, "as-text", "is a conversation")
        question, answer = _single(row, row["messages"][:-1], row["messages"][-1:])
        return {"prompt": question, "completion": answer[0]}
    if shape in ("preference", "unpaired_preference", "prompt"):
        if isinstance(row["prompt"], str) and not form.plain:
            return _as_turns(row, form, outcome)
        if isinstance(row["prompt"], list) and not form.turns:
            return _as_texts(row, form, outcome)
    return row


def split(row: Row, form: Form, outcome: Outcome) -> list[Row]:
    """The rows that a conversation becomes where the service may not train every turn of the assistant."""
    if form.answers != "unknown" or "messages" not in row:
        return [row]
    messages = row["messages"]
    turns = [i for i, m in enumerate(messages) if m["role"] == "assistant"]
    trained = [i for i in turns if messages[i].get("weight") != 0]
    if len(turns) == 1:
        return [row]
    if len(trained) == len(turns) and outcome.take("all-turns"):
        return [row]
    if outcome.take("split-turns"):
        rest = {key: value for key, value in row.items() if key != "messages"}
        return [{"messages": [unweighted(m) for m in messages[: i + 1]], **rest} for i in trained]
    if len(trained) < len(turns):
        place = ("messages", next(i for i in turns if i not in trained), "weight")
        hint = "`--expand split-turns` writes one row for each trained turn, and counts on the last turn alone"
        raise RowError("TF341", place, "takes the turn out of training, which this form cannot say", hint)
    hint = "`--expand all-turns` counts on all of them, `--expand split-turns` on the last (`tuneform explain TF342`)"
    what = f"has {len(turns)} turns of the assistant; which of them the service trains is not documented"
    raise RowError("TF342", ("messages",), what, hint)


def with_call_ids(messages: list[Row], outcome: Outcome, where: str, before: Sequence[Row]) -> list[Row]:
    """Messages in which every call has an id and every answer names its call; `before` is what they go on from."""
    out, open_calls, number = [], list[str](), len(_calls(before))
    used = {call.get("id") for call in _calls([*before, *messages])}
    for i, message in enumerate(messages):
        if calls := message.get("tool_calls"):
            done = []
            for j, call in enumerate(calls):
                number += 1
                if "id" not in call:
                    _ids(outcome, where, (i, "tool_calls", j))
                    number = next(n for n in count(number) if f"call_{n}" not in used)
                    call = {"id": f"call_{number}", **call}
                done.append(call)
            open_calls = [call["id"] for call in done]
            message = {**message, "tool_calls": done}
        elif message["role"] == "tool":
            message = _answer(message, open_calls, outcome, where, i)
        out.append(message)
    return out


def _calls(messages: Sequence[Row]) -> list[Row]:
    return [call for message in messages for call in message.get("tool_calls") or ()]


def _answer(message: Row, open_calls: list[str], outcome: Outcome, where: str, i: int) -> Row:
    if "tool_call_id" not in message:
        _ids(outcome, where, (i,))
        if not open_calls:
            raise RowError("TF343", (where, i), "is one answer more than there are calls before it")
        message = {**message, "tool_call_id": open_calls[0]}
    if message["tool_call_id"] in open_calls:
        open_calls.remove(message["tool_call_id"])
    return message


def _ids(outcome: Outcome, where: str, at: tuple[str | int, ...]) -> None:
    if not outcome.take("call-ids"):
        hint = "`--expand call-ids` numbers the calls and takes answers in their order"
        raise RowError("TF343", (where, *at), "has no id of the call, which this form wants", hint)


def _as_turns(row: Row, form: Form, outcome: Outcome) -> Row:
    _ask(outcome, form, "as-chat", "has its prompt as a plain text")
    said = {key: [_said("assistant", row[key])] for key in _ANSWERS if key in row}
    return {**row, "prompt": [_said("user", row["prompt"])], **said}


def _as_texts(row: Row, form: Form, outcome: Outcome) -> Row:
    _ask(outcome, form, "as-text", "is a conversation")
    keys = [key for key in _ANSWERS if key in row]
    question, answers = _single(row, row["prompt"], [row[key][0] for key in keys])
    return {**row, "prompt": question, **dict(zip(keys, answers, strict=True))}


def _ask(outcome: Outcome, form: Form, name: str, what: str) -> None:
    if not outcome.take(name):
        other = "conversations" if name == "as-chat" else "plain texts"
        hint = f"`--expand {name}` says it so" if name in form.expansions else None
        raise RowError("TF340", (), f"{what}; this form takes {other}", hint)


def _single(row: Row, prompt: list[Row], answers: list[Row]) -> tuple[str, list[str]]:
    if [m["role"] for m in prompt] != ["user"]:
        raise RowError("TF344", (), "has more turns than a question and its answer, which plain texts cannot say")
    for key in ("tools", "chat_template_kwargs"):
        if row.get(key):
            raise RowError("TF343" if key == "tools" else "TF345", (key,), "has no place in plain texts")
    for message in (*prompt, *answers):
        extra = [key for key in message if key not in ("role", "content") and (key, message[key]) != ("weight", 1)]
        if extra:
            raise RowError("TF345", (), f"has `{extra[0]}` in a turn, which plain texts cannot say")
    return prompt[0]["content"], [message["content"] for message in answers]


def _said(role: str, text: str) -> Row:
    return {"role": role, "content": text}


def unweighted(message: Row) -> Row:
    """The message without its weight."""
    return {key: value for key, value in message.items() if key != "weight"}
