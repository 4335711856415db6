"""Canonical rows that the tests of wire forms share: two of each shape for each form."""

from __future__ import annotations

from typing import Any

from tuneform.spec.wire.base import Form

Row = dict[str, Any]
SAID: Row = {"role": "user", "content": "Was ist 2 + 2?"}
TOOL: Row = {
    "type": "function",
    "function": {"name": "add", "parameters": {"type": "object", "properties": {"a": {"type": "number"}}}},
}


def turn(role: str, content: str, **more: Any) -> Row:
    return {"role": role, "content": content, **more}


def chat(*turns: Row, **more: Any) -> Row:
    return {"messages": list(turns), **more}


def called(**more: Any) -> Row:
    """A call of a tool, its answer, and the assistant's."""
    call = {"type": "function", "function": {"name": "add", "arguments": {"a": 2, "größe": "é"}}, **more}
    named = {"tool_call_id": more["id"]} if more else {}
    return chat(
        SAID,
        turn("assistant", "", tool_calls=[call]),
        turn("tool", "4", **named),
        turn("assistant", "Vier."),
        tools=[TOOL],
    )


SIMPLE: dict[str, Row] = {
    "chat": chat(turn("system", "Be terse."), SAID, turn("assistant", "4 – “vier”")),
    "prompt_completion": {"prompt": "2+2=", "completion": " 4\n"},
    "text": {"text": "A text\twith a tab and 日本語."},
    "preference": {
        "prompt": [turn("system", "Be terse."), SAID],
        "chosen": [turn("assistant", "4")],
        "rejected": [turn("assistant", "5")],
    },
    "unpaired_preference": {"prompt": [SAID], "completion": [turn("assistant", "4")], "label": True},
    "prompt": {"prompt": [turn("system", "Be terse."), SAID], "item": {"reference_answer": "4", "id": "s0"}},
}
TEXTS: dict[str, Row] = {
    "preference": {"prompt": "2+2?", "chosen": "4", "rejected": "5"},
    "unpaired_preference": {"prompt": "2+2?", "completion": "5", "label": False},
    "prompt": {"prompt": "2+2?", "item": {"answer": "4", "reference_answer": "vier"}},
}


def two(form: Form) -> list[Row]:
    """Two rows that a form carries as they are, the second with as much as it can."""
    first = TEXTS[form.shape] if not form.turns else SIMPLE[form.shape]
    return [first, _second(form)]


def _second(form: Form) -> Row:
    carries = form.carries
    if form.shape == "chat":
        if "tools" in carries:
            row = called(id="call_7")
            if "weight" in carries:
                row["messages"][1]["weight"] = 0
        else:
            row = chat(SAID, turn("assistant", 'Say "4".\nAnd \\ no more.'))
        if "reasoning" in carries:
            row["messages"][-1]["reasoning_content"] = "Two and two."
        return row | ({"chat_template_kwargs": {"thinking": False}} if "template_options" in carries else {})
    if form.shape == "preference" and form.turns:
        prompt = [SAID, turn("assistant", "4"), turn("user", "Sure?")]
        sides = [turn("assistant", text) for text in ("Yes.", "No.")]
        if "reasoning" in carries:
            sides[0]["reasoning_content"] = "Checked."
        return {"prompt": prompt, "chosen": sides[:1], "rejected": sides[1:]}
    if form.shape == "preference":
        return {"prompt": "What\nnow?", "chosen": "Go – on.", "rejected": " Stop"}
    if form.shape == "prompt":
        return {"prompt": [SAID], "item": {"reference_answer": "vier – 4"}}
    return {
        "prompt_completion": {"prompt": "Q: é\nA:", "completion": " “E”"},
        "text": {"text": "Zeile eins\nZeile zwei"},
        "unpaired_preference": TEXTS["unpaired_preference"],
    }[form.shape]
