"""What a form refuses of a conversation: each refusal is a RowError with its place in the canonical row."""

from __future__ import annotations

from collections.abc import Iterator

from ..rows.rowcheck import Row, RowError, Where, quoted
from .base import Form


def check_row(row: Row, form: Form) -> None:
    """Refuse what the form cannot say."""
    if not form.canonical:
        _check_parts(row, form)
    if form.check is not None:
        form.check(row)


def _check_parts(row: Row, form: Form) -> None:
    _options(row, form)
    conversation = list(_messages(row))
    for where, message in conversation:
        _message(message, where, form)
    if conversation and "any_order" not in form.carries:
        prompt = [(w, m) for w, m in conversation if w[0] != "rejected"]
        _alternation(prompt)
        if "rejected" in row and isinstance(row["rejected"], list):
            _alternation([(w, m) for w, m in conversation if w[0] != "chosen"])
    if form.reserved:
        _reserved(conversation, form)


def _messages(row: Row) -> Iterator[tuple[Where, Row]]:
    for key in ("messages", "prompt", "chosen", "rejected", "completion"):
        if isinstance(value := row.get(key), list):
            for i, message in enumerate(value):
                yield (key, i), message


def _options(row: Row, form: Form) -> None:
    if row.get("tools") and "tools" not in form.carries:
        raise RowError("TF343", ("tools",), "has no place in this form", "take a target that trains tool calls")
    if row.get("chat_template_kwargs") and "template_options" not in form.carries:
        hint = "the service renders its own template; only trainers on open weights take such options"
        raise RowError("TF345", ("chat_template_kwargs",), "has no place in this form", hint)


def _message(message: Row, where: Where, form: Form) -> None:
    role, carries = message["role"], form.carries
    if role == "system" and where[-1] == 0 and where[0] in ("messages", "prompt"):
        if "system" not in carries:
            raise RowError("TF344", where, "is a system message, which this form has no place for")
    elif role == "system" and "any_order" not in carries:
        raise RowError("TF344", where, "is a system message after the start", "this form takes one, before all turns")
    if (role == "tool" or "tool_calls" in message) and "tools" not in carries:
        what = "is a tool's answer" if role == "tool" else "calls a tool"
        raise RowError("TF343", where, f"{what}, which this form has no place for")
    if "reasoning_content" in message and ("reasoning" not in carries or role != "assistant"):
        place = (*where, "reasoning_content")
        raise RowError("TF345", place, "has no place in this form", "without it, another answer would be trained")
    if "name" in message and ("name" not in carries or role == "tool"):
        raise RowError("TF345", (*where, "name"), "has no place in this form")
    if "tool_call_id" in message and role != "tool":
        raise RowError("TF345", (*where, "tool_call_id"), "has no place in this form", "only a tool's answer has one")
    _weight(message, where, form)


def _weight(message: Row, where: Where, form: Form) -> None:
    if "weight" not in message or "weight_any" in form.carries:
        return
    weight, trained = message["weight"], message["role"] == "assistant"
    if trained and ("weight" in form.carries or weight == 1):
        return  # 1 is what every form does without a weight
    if trained:
        hint = "another target, or `--expand split-turns`" if "split-turns" in form.expansions else "another target"
        message_ = "takes the turn out of training, which this form cannot say"
        raise RowError("TF341", (*where, "weight"), message_, f"{hint} can train the other turns alone")
    raise RowError("TF341", (*where, "weight"), f"is the weight of the {message['role']}, which this form cannot say")


def _alternation(conversation: list[tuple[Where, Row]]) -> None:
    previous = "system"
    for where, message in conversation:
        role = message["role"]
        if role == previous != "system":
            hint = "merge the two in the data if they are one turn"
            raise RowError("TF344", where, f"is a second turn of the {role} in a row", hint)
        if previous == "system" and role not in ("system", "user"):
            raise RowError("TF344", where, f"opens with the {role}; this form wants the user first")
        previous = role


def _reserved(conversation: list[tuple[Where, Row]], form: Form) -> None:
    texts = [((*w, key), m[key]) for w, m in conversation for key in ("content", "reasoning_content") if key in m]
    for where, text in texts:
        found = next((word for word in form.reserved if word in text), None)
        if found:
            raise RowError("TF346", where, f"has {quoted(found)}, which the service reserves: the job would fail")
