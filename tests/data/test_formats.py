"""Each format a user may have, and the canonical row it becomes."""

from __future__ import annotations

from typing import Any

import pytest

from tuneform.spec.rows.needs import Needs
from tuneform.spec.rows.shapes import SHAPES, RowError, convert, detect

USER = {"role": "user", "content": "2+2?"}
FOUR = {"role": "assistant", "content": "4"}
FIVE = {"role": "assistant", "content": "5"}
SYSTEM = {"role": "system", "content": "Be brief."}
CALL = {"type": "function", "function": {"name": "add", "arguments": {"a": 2}}}
ASKS = {"role": "assistant", "content": "", "tool_calls": [CALL]}
TOOL = {"type": "function", "function": {"name": "add", "parameters": {}}}

ROWS: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "chat": ({"messages": [SYSTEM, USER, FOUR]}, "chat", {"messages": [SYSTEM, USER, FOUR]}),
    "chat with nulls and parts": (
        {
            "messages": [
                {
                    "name": None,
                    "content": [{"type": "text", "text": "2+"}, {"type": "text", "text": "2?"}],
                    "role": "user",
                },
                FOUR | {"tool_calls": None, "weight": 1.0},
            ],
            "tools": None,
        },
        "chat",
        {"messages": [USER, FOUR | {"weight": 1}]},
    ),
    "chat with a tool call": (
        {
            "tools": [TOOL],
            "messages": [
                USER,
                {"role": "assistant", "content": None, "tool_calls": [CALL | {"id": "c1", "type": "function"}]},
                {"role": "tool", "content": "4", "tool_call_id": "c1"},
                FOUR,
            ],
        },
        "chat",
        {
            "messages": [
                USER,
                ASKS | {"tool_calls": [{"id": "c1"} | CALL]},
                {"role": "tool", "content": "4", "tool_call_id": "c1"},
                FOUR,
            ],
            "tools": [TOOL],
        },
    ),
    "arguments as a text": (
        {
            "messages": [
                USER,
                {"role": "assistant", "tool_calls": [{"function": {"name": "add", "arguments": '{"a": 2}'}}]},
            ]
        },
        "chat",
        {"messages": [USER, ASKS]},
    ),
    "reasoning and template options": (
        {"messages": [USER, FOUR | {"reasoning_content": "easy"}], "chat_template_kwargs": {"enable_thinking": True}},
        "chat",
        {"messages": [USER, FOUR | {"reasoning_content": "easy"}], "chat_template_kwargs": {"enable_thinking": True}},
    ),
    "prompt and completion as messages": (
        {"prompt": [USER, FIVE, USER], "completion": [FOUR]},
        "chat",
        {"messages": [USER, FIVE | {"weight": 0}, USER, FOUR]},
    ),
    "sharegpt": (
        {
            "conversations": [
                {"from": "human", "value": "2+2?"},
                {"from": "function_call", "value": '{"name": "add", "arguments": {"a": 2}}'},
                {"from": "observation", "value": "4"},
                {"from": "gpt", "value": "4"},
            ],
            "system": "Be brief.",
            "tools": '[{"name": "add", "parameters": {}}]',
        },
        "sharegpt",
        {"messages": [SYSTEM, USER, ASKS, {"role": "tool", "content": "4"}, FOUR], "tools": [TOOL]},
    ),
    "conversations with roles": ({"conversations": [USER, FOUR]}, "chat", {"messages": [USER, FOUR]}),
    "instruction": ({"instruction": "2+2?", "output": "4"}, "instruction", {"messages": [USER, FOUR]}),
    "instruction with all": (
        {"instruction": "Add", "input": "2+2", "output": "4", "system": "Be brief.", "history": [["2+2?", "5"]]},
        "instruction",
        {"messages": [SYSTEM, USER, FIVE, {"role": "user", "content": "Add\n\n2+2"}, FOUR]},
    ),
    "instruction with its rendered text": (
        {"instruction": "2+2?", "input": "", "output": "4", "text": "### 2+2? 4"},
        "instruction",
        {"messages": [USER, FOUR]},
    ),
    "prompt and completion": (
        {"completion": " 4", "prompt": "2+2=", "id": 3},
        "prompt_completion",
        {"prompt": "2+2=", "completion": " 4"},
    ),
    "text": ({"text": "2+2=4", "label": True}, "text", {"text": "2+2=4"}),
    "preference, plain": (
        {"prompt": "2+2?", "chosen": "4", "rejected": "5"},
        "preference",
        {"prompt": "2+2?", "chosen": "4", "rejected": "5"},
    ),
    "preference, explicit": (
        {"prompt": [USER], "chosen": [FOUR], "rejected": [FIVE], "tools": [TOOL]},
        "preference",
        {"prompt": [USER], "chosen": [FOUR], "rejected": [FIVE], "tools": [TOOL]},
    ),
    "preference, implicit": (
        {"chosen": [SYSTEM, USER, FOUR], "rejected": [SYSTEM, USER, FIVE]},
        "preference",
        {"prompt": [SYSTEM, USER], "chosen": [FOUR], "rejected": [FIVE]},
    ),
    "preference, implicit, same first answer": (
        {"chosen": [USER, FIVE, USER, FOUR], "rejected": [USER, FIVE, USER, FIVE]},
        "preference",
        {"prompt": [USER, FIVE, USER], "chosen": [FOUR], "rejected": [FIVE]},
    ),
    "preference, prompt repeated": (
        {"prompt": "2+2?", "chosen": [USER, FOUR], "rejected": [USER, FIVE], "messages": [USER, FOUR]},
        "preference",
        {"prompt": [USER], "chosen": [FOUR], "rejected": [FIVE]},
    ),
    "preference, sharegpt": (
        {
            "conversations": [{"from": "human", "value": "2+2?"}],
            "chosen": {"from": "gpt", "value": "4"},
            "rejected": {"from": "gpt", "value": "5"},
        },
        "preference",
        {"prompt": [USER], "chosen": [FOUR], "rejected": [FIVE]},
    ),
    "preference, instruction": (
        {"instruction": "2+2?", "input": "", "chosen": "4", "rejected": "5"},
        "preference",
        {"prompt": [USER], "chosen": [FOUR], "rejected": [FIVE]},
    ),
    "preference, a system prompt beside a list": (
        {"system": "Be brief.", "prompt": [USER], "chosen": [FOUR], "rejected": [FIVE]},
        "preference",
        {"prompt": [SYSTEM, USER], "chosen": [FOUR], "rejected": [FIVE]},
    ),
    "preference, a system prompt beside a text": (
        {"system": "Be brief.", "prompt": "2+2?", "chosen": [FOUR], "rejected": [FIVE]},
        "preference",
        {"prompt": [SYSTEM, USER], "chosen": [FOUR], "rejected": [FIVE]},
    ),
    "preference, a system prompt beside whole conversations": (
        {"system": "Be brief.", "chosen": [USER, FOUR], "rejected": [USER, FIVE]},
        "preference",
        {"prompt": [SYSTEM, USER], "chosen": [FOUR], "rejected": [FIVE]},
    ),
    "preference, a system prompt beside an instruction": (
        {"system": "Be brief.", "instruction": "2+2?", "chosen": "4", "rejected": "5"},
        "preference",
        {"prompt": [SYSTEM, USER], "chosen": [FOUR], "rejected": [FIVE]},
    ),
    "preference, openai": (
        {"input": {"messages": [USER], "tools": [TOOL]}, "preferred_output": [FOUR], "non_preferred_output": [FIVE]},
        "preference",
        {"prompt": [USER], "chosen": [FOUR], "rejected": [FIVE], "tools": [TOOL]},
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_row_becomes_canonical(name: str) -> None:
    row, format, canonical = ROWS[name]
    assert detect(row).format == format
    assert convert(row, format) == canonical


@pytest.mark.parametrize("name", ROWS)
def test_canonical_stays_as_it_is(name: str) -> None:
    _, format, canonical = ROWS[name]
    again = convert(canonical, SHAPES[format])
    assert (again, list(again)) == (canonical, list(canonical))


@pytest.mark.parametrize(
    "row", [{"messages": [USER, FOUR], "label": True}, {"prompt": "2+2?", "completion": "4", "label": False}]
)
def test_unpaired_preference_is_recognised(row: dict[str, Any]) -> None:
    assert detect(row).format == "unpaired_preference"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"message": []}, "did you mean `messages` for `message`?"),
        ({"prompt": "a", "complention": "b"}, "did you mean `completion` for `complention`?"),
        ({"prompt": "a", "chosen": "b", "rejectd": "c"}, "did you mean `rejected` for `rejectd`?"),
        ({"question": "a", "answer": "b"}, "`columns: {prompt: question, completion: answer}`"),
        ({"body": "a"}, "`columns: {text: body}`"),
        ({"data": [{"text": "a"}]}, "`data` may hold the rows themselves"),
        ({}, "instruction + output"),
        ({"messages": [], "prompt": "a", "completion": "b"}, "`format: chat`"),
        ({"a\x1b[31m": 1}, "recognised by its keys"),
    ],
)
def test_unknown_or_ambiguous(row: dict[str, Any], words: str) -> None:
    with pytest.raises(RowError) as error:
        detect(row)
    assert error.value.code == "TF313"
    assert words in (error.value.hint or "")
    assert "\x1b" not in error.value.text
    assert all(key in error.value.text for key in row if key.isprintable())


def test_columns_decide_the_format() -> None:
    row = {"question": "2+2?", "answer": "4", "messages": [], "prompt": "other"}
    columns = {"prompt": "question", "completion": "answer"}
    ignored: set[str] = set()
    assert detect(row, columns).format == "prompt_completion"
    assert convert(row, "prompt_completion", columns, ignored) == {"prompt": "2+2?", "completion": "4"}
    assert ignored == {"messages", "prompt"}


def test_errors_name_the_users_column() -> None:
    with pytest.raises(RowError, match="`answer` is empty"):
        convert(
            {"question": "2+2?", "answer": " "}, "prompt_completion", {"prompt": "question", "completion": "answer"}
        )


def test_keys_that_are_not_carried_are_named() -> None:
    ignored: set[str] = set()
    row = {"messages": [USER, FOUR | {"refusal": "no", "audio": None}], "id": 1, "note": None}
    convert(row, "chat", ignored=ignored)
    assert ignored == {"id", "messages[].refusal"}


def test_keys_inside_calls_and_parts_are_named_too() -> None:
    ignored: set[str] = set()
    call = {"id": "c", "type": "function", "index": 0, "function": {"name": "add", "arguments": {}, "parsed": 1}}
    part = {"type": "text", "text": "2+2?", "cache_control": {}}
    turns = [{"role": "user", "content": [part]}, {"role": "assistant", "content": None, "tool_calls": [call]}]
    convert({"messages": turns}, "chat", ignored=ignored)
    calls = "messages[].tool_calls[]"
    assert ignored == {f"{calls}.index", f"{calls}.function.parsed", "messages[].content[].cache_control"}


def test_a_weight_in_a_preferred_answer_is_an_error() -> None:
    answer = {"role": "assistant", "content": "Yes.", "weight": 0}
    row = {"prompt": "Sure?", "chosen": [answer], "rejected": [{"role": "assistant", "content": "No."}]}
    with pytest.raises(RowError, match="weight 0"):
        convert(row, "preference")


@pytest.mark.parametrize("name", [name for name in ROWS if "system prompt" in name])
def test_a_system_prompt_that_is_carried_is_not_told_as_unused(name: str) -> None:
    ignored: set[str] = set()
    convert(ROWS[name][0], "preference", ignored=ignored)
    assert not ignored


@pytest.mark.parametrize(
    ("row", "code", "words"),
    [
        ({"prompt": "2+2?", "chosen": "4", "rejected": "5", "system": "Be brief."}, "TF320", "needs a conversation"),
        (
            {"prompt": [SYSTEM, USER], "chosen": [FOUR], "rejected": [FIVE], "system": "Be long."},
            "TF318",
            "`system` stands beside a system message",
        ),
        (
            {"prompt": [USER], "chosen": [FOUR, USER, FOUR], "rejected": [FIVE]},
            "TF318",
            "`chosen` goes on for 3 turns; a pair compares one answer",
        ),
        (
            {"chosen": [USER, FOUR, USER, FOUR], "rejected": [USER, FIVE, USER, FOUR]},
            "TF318",
            "`chosen` goes on for 3 turns",
        ),
    ],
)
def test_pairs_that_cannot_be_trained(row: dict[str, Any], code: str, words: str) -> None:
    with pytest.raises(RowError) as error:
        convert(row, "preference")
    assert error.value.code == code and words in error.value.text


def test_the_hint_for_a_system_prompt_beside_texts_holds() -> None:
    row = {"prompt": "2+2?", "chosen": "4", "rejected": "5", "system": "Be brief."}
    expected = {"prompt": [SYSTEM, USER], "chosen": [FOUR], "rejected": [FIVE]}
    assert convert(row, "preference", {"instruction": "prompt"}) == expected


LEFT_OUT = {"messages": [USER, FOUR, USER, FIVE | {"weight": 0}]}


@pytest.mark.parametrize(
    ("row", "loss_on", "words"),
    [
        (LEFT_OUT, "last_assistant", "the row gives its last turn weight 0"),
        ({"messages": [USER | {"weight": 0}, FOUR]}, "all", "weight 0 to a turn that is not the assistant's"),
        (LEFT_OUT, "assistant", ""),
        (LEFT_OUT, "all", ""),
        ({"messages": [USER | {"weight": 0}, FOUR]}, "assistant", ""),
    ],
)
def test_a_weight_must_fit_what_is_trained(row: dict[str, Any], loss_on: str, words: str) -> None:
    if not words:
        assert convert(row, "chat", needs=Needs(loss_on)) == row
        return
    with pytest.raises(RowError) as error:
        convert(row, "chat", needs=Needs(loss_on))
    assert error.value.code == "TF322" and words in error.value.text


def test_answers_in_a_prompt_are_trained_where_every_token_is() -> None:
    row = {"prompt": [USER, FIVE, USER], "completion": [FOUR]}
    assert convert(row, "chat", needs=Needs("all")) == {"messages": [USER, FIVE, USER, FOUR]}


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"prompt": "2+2?", "completion": "4", "label": True, "system": "Be brief."}, "TF320"),
        ({"prompt": "2+2?", "completion": "4", "label": True, "tools": [TOOL]}, "TF320"),
        ({"prompt": [USER], "completion": [FOUR | {"weight": 0}], "label": True}, "TF322"),
    ],
)
def test_labelled_answers_that_cannot_be_trained_as_they_are(row: dict[str, Any], code: str) -> None:
    with pytest.raises(RowError) as error:
        convert(row, "unpaired_preference")
    assert error.value.code == code
