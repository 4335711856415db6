"""Canonical rows made by hypothesis: any that reading can give, and those that a form carries."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Row = dict[str, Any]
LETTERS = st.characters(codec="utf-8", exclude_categories=["Cs"])
TEXT = st.text(LETTERS, min_size=1, max_size=12).filter(lambda s: not s.isspace())
LINES = st.sampled_from(["User: hi", "[EOS]", "a\u2028b", "<image>", "</s>", '"', "\\u0041"])
SAID = TEXT | LINES
JSON: st.SearchStrategy[Any] = st.recursive(
    st.booleans() | st.integers(-5, 5) | TEXT, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2), max_leaves=4
)  # fmt: skip
NAMES = st.sampled_from(["add", "look_up", "a tool"])


@st.composite
def conversations(draw: st.DrawFn, *, last: str = "assistant", simple: bool = False) -> list[Row]:
    """Messages in an order that reading takes."""
    messages: list[Row] = []
    if draw(st.booleans()):
        messages.append({"role": "system", "content": draw(SAID)})
    for i in range(draw(st.integers(1, 3))):
        if i and not simple and draw(st.integers(0, 5)) == 0:
            messages.append({"role": draw(st.sampled_from(["system", "assistant"])), "content": draw(SAID)})
        messages.append(_more(draw, {"role": "user", "content": draw(SAID)}, simple))
        if not simple and draw(st.integers(0, 3)) == 0:
            messages += _called(draw, i)
        messages.append(_more(draw, {"role": "assistant", "content": draw(SAID)}, simple))
    while messages[-1]["role"] != last:
        messages.pop()
    return messages


def _more(draw: st.DrawFn, message: Row, simple: bool) -> Row:
    if simple:
        return message
    for key, value in (("name", TEXT), ("weight", st.sampled_from([0, 1])), ("reasoning_content", TEXT)):
        if draw(st.integers(0, 5)) == 0 and (key != "reasoning_content" or message["role"] == "assistant"):
            message = {**message, key: draw(value)}
    order = ("role", "content", "reasoning_content", "tool_calls", "tool_call_id", "name", "weight")
    return {key: message[key] for key in order if key in message}


def _called(draw: st.DrawFn, number: int) -> list[Row]:
    call: Row = {
        "type": "function",
        "function": {"name": draw(NAMES), "arguments": draw(st.dictionaries(TEXT, JSON, max_size=2))},
    }
    answer: Row = {"role": "tool", "content": draw(TEXT)}
    if draw(st.booleans()):
        call = {"id": f"c{number}", **call}
        answer["tool_call_id"] = f"c{number}"
    return [{"role": "assistant", "content": "", "tool_calls": [call]}, answer]


@st.composite
def chats(draw: st.DrawFn) -> Row:
    simple = draw(st.booleans())
    row: Row = {"messages": draw(conversations(simple=simple))}
    turns = [m for m in row["messages"] if m["role"] == "assistant"]
    if all(m.get("weight") == 0 for m in turns):
        turns[-1].pop("weight")
    if not simple and draw(st.booleans()):
        row["tools"] = [{"type": "function", "function": {"name": draw(NAMES), "parameters": {"type": "object"}}}]
    return row


@st.composite
def pairs(draw: st.DrawFn) -> Row:
    prompt = draw(conversations(last="user", simple=draw(st.booleans())))
    chosen, rejected = draw(SAID), draw(SAID)
    if chosen == rejected:
        rejected += "!"
    if draw(st.integers(0, 2)) == 0:
        return {"prompt": draw(TEXT), "chosen": chosen, "rejected": rejected}
    sides = [[{"role": "assistant", "content": text}] for text in (chosen, rejected)]
    return {"prompt": prompt, "chosen": sides[0], "rejected": sides[1]}


@st.composite
def prompts(draw: st.DrawFn) -> Row:
    keys = st.sampled_from(
        ["answer", "reference_answer", "id", "messages", "prompt", "level", "tools", "contents", "system"]
    )
    item = draw(st.dictionaries(keys, JSON, max_size=3))
    text = draw(st.booleans())
    return {
        "prompt": draw(TEXT) if text else draw(conversations(last="user", simple=draw(st.booleans()))),
        "item": item,
    }


TEXTS = st.fixed_dictionaries({"text": TEXT})
COMPLETIONS = st.fixed_dictionaries({"prompt": TEXT, "completion": TEXT})
LABELLED = st.fixed_dictionaries({"prompt": TEXT, "completion": TEXT, "label": st.booleans()})
MADE: dict[str, st.SearchStrategy[Row]] = {
    "chat": chats(),
    "prompt_completion": COMPLETIONS,
    "text": TEXTS,
    "preference": pairs(),
    "unpaired_preference": LABELLED,
    "prompt": prompts(),
}
