"""What a form cannot say is an error with its code and place, and an expansion says it only where it is allowed."""

from __future__ import annotations

from typing import Any

import pytest

from tuneform.spec.rows.rowcheck import RowError
from tuneform.spec.wire.convert import WIRES, form_for, to_wire
from tuneform.spec.wire.limits import beyond, limits

from .rows import SAID, SIMPLE, TEXTS, called, chat, turn

Row = dict[str, Any]
FOUR = turn("assistant", "4")
TWICE = chat(SAID, FOUR, turn("user", "Sure?"), turn("assistant", "Yes."))
LEFT_OUT = chat(SAID, {**FOUR, "weight": 0}, turn("user", "Sure?"), turn("assistant", "Yes.", weight=1))
THOUGHT = chat(SAID, {**FOUR, "reasoning_content": "2 and 2"})
PAIR = SIMPLE["preference"]
ASKED = SIMPLE["prompt"]

REFUSED = [
    ("bedrock-claude", "chat", LEFT_OUT, "TF341", ("messages", 1, "weight")),
    ("vertex-gemini", "chat", LEFT_OUT, "TF341", ("messages", 1, "weight")),
    ("sagemaker", "chat", LEFT_OUT, "TF341", ("messages", 1, "weight")),
    ("openai", "chat", chat({**SAID, "weight": 0}, FOUR), "TF341", ("messages", 0, "weight")),
    ("together", "preference", {**PAIR, "prompt": [{**SAID, "weight": 1}]}, "TF341", ("prompt", 0, "weight")),
    ("bedrock-nova", "chat", TWICE, "TF342", ("messages",)),
    ("vertex-open", "chat", TWICE, "TF342", ("messages",)),
    ("bedrock-nova", "chat", chat(SAID, FOUR, tools=[{}]), "TF343", ("tools",)),
    ("vertex-gemini", "chat", called(), "TF342", ("messages",)),
    ("openai", "chat", called(), "TF343", ("messages", 1, "tool_calls", 0)),
    ("together", "chat", called(), "TF343", ("messages", 1, "tool_calls", 0)),
    (
        "openai",
        "chat",
        chat(SAID, FOUR, tools=[{"type": "function", "function": {"name": "a tool"}}]),
        "TF343",
        ("tools", 0, "function", "name"),
    ),
    ("together", "chat", chat(SAID, FOUR, FOUR), "TF344", ("messages", 2)),
    ("together", "chat", chat(turn("system", "S"), FOUR, SAID, FOUR), "TF344", ("messages", 1)),
    ("together", "chat", chat(SAID, turn("system", "S"), FOUR), "TF344", ("messages", 1)),
    ("bedrock-claude", "chat", chat(SAID, SAID, FOUR), "TF344", ("messages", 1)),
    ("openai", "prompt", {"prompt": [turn("system", "S")], "item": {}}, "TF344", ("prompt", 0)),
    ("bedrock-nova", "prompt", {**ASKED, "prompt": [turn("system", "S")]}, "TF344", ("prompt", 0)),
    ("vertex-gemini", "preference", {**PAIR, "prompt": [turn("system", "S")]}, "TF344", ("chosen", 0)),
    ("openai", "chat", THOUGHT, "TF345", ("messages", 1, "reasoning_content")),
    ("bedrock-llama", "chat", THOUGHT, "TF345", ("messages", 1, "reasoning_content")),
    ("together", "chat", chat({**SAID, "name": "Ann"}, FOUR), "TF345", ("messages", 0, "name")),
    ("openai", "chat", chat(SAID, FOUR, chat_template_kwargs={"a": 1}), "TF345", ("chat_template_kwargs",)),
    ("bedrock-nova", "chat", chat(turn("user", "To User: hi"), FOUR), "TF346", ("messages", 0, "content")),
    ("sagemaker-nova", "preference", {**PAIR, "chosen": [turn("assistant", "[EOS]")]}, "TF346", ("chosen", 0, "content")),
    ("bedrock-nova", "prompt", {**ASKED, "item": {"answer": "4"}}, "TF347", ("reference_answer",)),
    ("vertex-gemini", "prompt", {**ASKED, "item": {"answer": 4}}, "TF347", ("answer",)),
    ("openai", "prompt", {**ASKED, "item": {"messages": "4"}}, "TF347", ("messages",)),
    ("trl", "prompt", {**ASKED, "item": {"prompt": "4"}}, "TF347", ("prompt",)),
    ("openai", "prompt_completion", SIMPLE["prompt_completion"], "TF340", ()),
    ("bedrock-text", "chat", chat(SAID, FOUR), "TF340", ()),
    ("sagemaker", "preference", PAIR, "TF340", ()),
    ("openai", "preference", TEXTS["preference"], "TF340", ()),
]  # fmt: skip


@pytest.mark.parametrize(("wire", "shape", "row", "code", "where"), REFUSED)
def test_refused(wire: str, shape: str, row: Row, code: str, where: tuple[Any, ...]) -> None:
    with pytest.raises(RowError) as caught:
        to_wire(row, shape, form_for(WIRES[wire], shape))
    assert (caught.value.code, caught.value.where) == (code, where)


EXPANDED: list[tuple[str, str, Row, str, list[Row]]] = [
    ("openai", "prompt_completion", {"prompt": "a", "completion": "b"}, "as-chat", [chat(turn("user", "a"), turn("assistant", "b"))]),
    ("together", "prompt_completion", {"prompt": "a", "completion": "b"}, "as-chat", [chat(turn("user", "a"), turn("assistant", "b"))]),
    ("bedrock-text", "chat", chat(SAID, FOUR), "as-text", [{"prompt": SAID["content"], "completion": "4"}]),
    ("sagemaker", "preference", {"prompt": [SAID], "chosen": [FOUR], "rejected": [turn("assistant", "5")]}, "as-text",
     [{"prompt": SAID["content"], "chosen": "4", "rejected": "5"}]),
    ("openai", "prompt", {"prompt": "a", "item": {"k": 1}}, "as-chat", [{"messages": [turn("user", "a")], "k": 1}]),
    ("vertex-open", "chat", TWICE, "all-turns", [TWICE]),
    ("vertex-open", "chat", TWICE, "split-turns", [chat(SAID, FOUR), TWICE]),
    ("vertex-open", "chat", LEFT_OUT, "split-turns", [TWICE]),
    ("bedrock-nova", "prompt", {"prompt": [SAID], "item": {"a": 4}}, "whole-item", [{"messages": [SAID], "reference_answer": {"a": 4}}]),
    ("vertex-gemini", "prompt", {"prompt": [SAID], "item": {"a": [4, None]}}, "json-values",
     [{"contents": [{"role": "user", "parts": [{"text": SAID["content"]}]}], "references": {"a": "[4, null]"}}]),
]  # fmt: skip


@pytest.mark.parametrize(("wire", "shape", "row", "name", "expected"), EXPANDED)
def test_expanded(wire: str, shape: str, row: Row, name: str, expected: list[Row]) -> None:
    allowed = frozenset({name})
    rows, taken = to_wire(row, shape, form_for(WIRES[wire], shape, allowed=allowed), allowed)
    assert (rows, taken) == (expected, {name})


@pytest.mark.parametrize("wire", ["openai", "together"])
def test_ids_of_calls_are_numbered_and_answers_name_them(wire: str) -> None:
    row = called()
    first = row["messages"][1]["tool_calls"][0]
    row["messages"][1]["tool_calls"].append({**first, "id": "own"})
    answers = [turn("tool", "one"), turn("tool", "two")] if wire == "openai" else [turn("tool", "one")]
    row["messages"][2:3] = answers
    rows, taken = to_wire(row, "chat", WIRES[wire].forms["chat"], frozenset({"call-ids"}))
    messages = rows[0]["messages"]
    assert [call["id"] for call in messages[1]["tool_calls"]] == ["call_1", "own"]
    assert [m["tool_call_id"] for m in messages if m["role"] == "tool"] == ["call_1", "own"][: len(answers)]
    assert messages[1]["tool_calls"][0]["function"]["arguments"] == '{"a": 2, "größe": "é"}'
    assert taken == {"call-ids"} and "id" not in first


@pytest.mark.parametrize("wire", ["openai", "together"])
def test_no_two_calls_get_one_id(wire: str) -> None:
    def calls(*ids: str | None) -> Row:
        call = called()["messages"][1]["tool_calls"][0]
        named = [{**call, "id": name} if name else call for name in ids]
        return {"role": "assistant", "content": "", "tool_calls": named}

    def ids(messages: list[Row]) -> list[str]:
        return [call["id"] for message in messages for call in message.get("tool_calls", ())]

    tools = called()["tools"]
    row = {"messages": [SAID, calls("call_2", None, "call_4", None), turn("tool", "1")], "tools": tools}
    row["messages"] += [turn("tool", str(i)) for i in (2, 3, 4)] if wire == "openai" else []
    (chat_row,), _ = to_wire(row, "chat", WIRES[wire].forms["chat"], frozenset({"call-ids"}))
    assert ids(chat_row["messages"]) == ["call_2", "call_3", "call_4", "call_5"]
    pair = {"prompt": [SAID, calls(None), turn("tool", "1")], "tools": tools}
    pair |= {"chosen": [calls(None, "call_3")], "rejected": [calls(None, None)]}
    (pair_row,), _ = to_wire(pair, "preference", WIRES[wire].forms["preference"], frozenset({"call-ids"}))
    assert ids(pair_row["input"]["messages"]) == ["call_1"]
    assert ids(pair_row["preferred_output"]) == ["call_2", "call_3"]
    assert ids(pair_row["non_preferred_output"]) == ["call_2", "call_3"]


def test_an_answer_too_many_is_refused_though_ids_may_be_made() -> None:
    row = called()
    row["messages"].insert(3, turn("tool", "again"))
    with pytest.raises(RowError) as caught:
        to_wire(row, "chat", WIRES["openai"].forms["chat"], frozenset({"call-ids"}))
    assert (caught.value.code, caught.value.where) == ("TF343", ("messages", 3))


@pytest.mark.parametrize("wire", ["openai", "azure", "together"])
def test_a_weight_of_one_is_no_key_of_forms_without_weights(wire: str) -> None:
    prompt = [SAID, {**FOUR, "weight": 1}, turn("user", "Sure?")]
    rows, taken = to_wire({**PAIR, "prompt": prompt}, "preference", WIRES[wire].forms["preference"])
    assert rows[0]["input"]["messages"] == [SAID, FOUR, turn("user", "Sure?")] and not taken


def test_a_turn_left_out_is_never_kept_whole() -> None:
    with pytest.raises(RowError, match="takes the turn out of training"):
        to_wire(LEFT_OUT, "chat", WIRES["vertex-gemini"].forms["chat"], frozenset({"all-turns"}))


@pytest.mark.parametrize(
    ("row", "code"),
    [(chat(turn("system", "S"), SAID, FOUR), "TF344"), (TWICE, "TF344"), (THOUGHT, "TF345"), (chat(SAID, FOUR, tools=[{}]), "TF343")],
)  # fmt: skip
def test_plain_texts_hold_a_question_and_its_answer_alone(row: Row, code: str) -> None:
    with pytest.raises(RowError) as caught:
        to_wire(row, "chat", WIRES["bedrock-text"].forms["prompt_completion"], frozenset({"as-text"}))
    assert caught.value.code == code


def test_a_target_without_such_rows_names_others_that_take_them() -> None:
    with pytest.raises(RowError, match="bedrock-text takes prompt_completion") as caught:
        form_for(WIRES["bedrock-text"], "preference")
    assert "together" in str(caught.value.hint)
    with pytest.raises(RowError, match="is for orpo"):
        form_for(WIRES["openai"], "preference", "orpo")
    with pytest.raises(ValueError, match="no such expansions"):
        to_wire(SIMPLE["text"], "text", WIRES["together"].forms["text"], frozenset({"merge"}))


@pytest.mark.parametrize(
    ("wire", "shape", "rows", "size", "split", "told"),
    [
        ("openai", "chat", 9, 10, "train", ["at least 10"]),
        ("openai", "chat", 9, 10, "eval", []),
        ("openai", "chat", 10, 10, "train", []),
        ("azure", "chat", 10, 536_870_913, "train", ["536,870,913 bytes"]),
        ("bedrock-claude", "chat", 32, 2**30 + 1, "train", []),
        ("bedrock-claude", "chat", 1_001, 2**30 + 1, "eval", ["1,001 rows", "1,073,741,825 bytes"]),
        ("vertex-gemini", "prompt", 5_001, 1, "train", ["5,000 at most"]),
        ("trl", "chat", 1, 1, "train", []),
    ],
)  # fmt: skip
def test_limits(wire: str, shape: str, rows: int, size: int, split: Any, told: list[str]) -> None:
    found = list(beyond(wire, shape, rows=rows, size=size, split=split))
    assert len(found) == len(told)
    assert all(text in over.message for text, over in zip(told, found, strict=True))
    assert all(over.few == ("at least" in over.message) for over in found)


def test_limits_are_dated_and_of_forms_that_are_there() -> None:
    for limit in limits():
        assert limit.source.startswith("https://") and len(limit.as_of) == 10
        for shape in limit.shapes:
            assert any(shape in WIRES[wire].forms for wire in limit.wires), limit
    services = {wire.name for wire in WIRES.values() if not any(f.canonical for f in wire.forms.values())}
    assert services - {name for limit in limits() for name in limit.wires} == {"sagemaker", "sagemaker-nova"}
