"""Rows as Bedrock and Vertex AI have them: told from their keys, read, and refused with the place."""

from __future__ import annotations

from typing import Any

import pytest

from tuneform.spec.rows.shapes import RowError, convert, detect

Row = dict[str, Any]
ASKED = {"role": "user", "parts": [{"text": "2+2?"}]}
ANSWER = {"role": "model", "parts": [{"text": "4"}]}
SYSTEM = {"parts": [{"text": "Be "}, {"text": "terse."}]}
BLOCK = {"role": "user", "content": [{"text": "2+2?"}]}
SAID = {"role": "user", "content": "2+2?"}


def model(text: str) -> Row:
    return {"role": "assistant", "content": [{"text": text}]}


def candidates(*labels: str) -> Row:
    found = [{"content": [{"text": f"{i}"}], "preferenceLabel": label} for i, label in enumerate(labels)]
    return {"schemaVersion": "x", "messages": [BLOCK, {"role": "assistant", "candidates": found}]}


def scored(*scores: Any) -> Row:
    found = [{"score": s, "completion": {"role": "model", "parts": [{"text": f"{i}"}]}} for i, s in enumerate(scores)]
    return {"contents": [ASKED], "completions": found}


READ: list[tuple[Row, str, Row]] = [
    (
        {"contents": [ASKED, ANSWER], "systemInstruction": SYSTEM},
        "gemini",
        {"messages": [{"role": "system", "content": "Be terse."}, SAID, {"role": "assistant", "content": "4"}]},
    ),
    (
        {"contents": [{"parts": ASKED["parts"]}, ANSWER]},
        "gemini",
        {"messages": [SAID, {"role": "assistant", "content": "4"}]},
    ),
    (
        scored(0.2, 0.9) | {"system_instruction": SYSTEM},
        "gemini_preference",
        {
            "prompt": [{"role": "system", "content": "Be terse."}, SAID],
            "chosen": [{"role": "assistant", "content": "1"}],
            "rejected": [{"role": "assistant", "content": "0"}],
        },
    ),
    ({"contents": [ASKED], "references": {"a": "4"}}, "gemini_prompt", {"prompt": [SAID], "item": {"a": "4"}}),
    (
        {"system": [{"text": "S"}], "messages": [BLOCK, model("4")]},
        "converse",
        {"messages": [{"role": "system", "content": "S"}, SAID, {"role": "assistant", "content": "4"}]},
    ),
    (
        {
            "schemaVersion": "bedrock-conversation-2024",
            "messages": [
                BLOCK,
                {"role": "assistant", "content": [{"reasoningContent": {"reasoningText": {"text": "Hm"}}}, {"text": "4"}]},
            ],
        },
        "converse",
        {"messages": [SAID, {"role": "assistant", "content": "4", "reasoning_content": "Hm"}]},
    ),
    (
        candidates("non-preferred", "preferred"),
        "converse_preference",
        {"prompt": [SAID], "chosen": [{"role": "assistant", "content": "1"}], "rejected": [{"role": "assistant", "content": "0"}]},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("row", "format_", "expected"), READ)
def test_told_and_read(row: Row, format_: str, expected: Row) -> None:
    found = detect(row)
    assert found.format == format_ and "`" in found.evidence
    ignored: set[str] = set()
    assert convert(row, format_, ignored=ignored) == expected and not ignored


WRONG: list[tuple[Row, str, tuple[Any, ...]]] = [
    ({"contents": []}, "TF318", ("contents",)),
    ({"contents": [ASKED]}, "TF318", ("contents",)),
    ({"contents": [{"role": "bot", "parts": [{"text": "x"}]}, ANSWER]}, "TF317", ("contents", 0, "role")),
    ({"contents": [{"role": "user"}, ANSWER]}, "TF315", ("contents", 0, "parts")),
    ({"contents": [{"role": "user", "parts": [{"functionCall": {}}]}, ANSWER]}, "TF316", ("contents", 0, "parts", 0)),
    ({"contents": [{"role": "user", "parts": [{"text": " "}]}, ANSWER]}, "TF319", ("contents", 0, "parts")),
    ({"contents": [ASKED, ANSWER], "systemInstruction": "S"}, "TF316", ("systemInstruction",)),
    (scored(1), "TF321", ("completions",)),
    (scored(1, 1), "TF321", ("completions",)),
    (scored(True, 0), "TF316", ("completions", 0, "score")),
    ({**scored(1, 0), "contents": [ASKED, ANSWER]}, "TF318", ("contents",)),
    ({"contents": [ASKED, ANSWER], "references": {}}, "TF318", ("contents", 1)),
    ({"contents": [ASKED], "references": "4"}, "TF316", ("references",)),
    ({"schemaVersion": "x", "messages": []}, "TF318", ("messages",)),
    ({"schemaVersion": "x", "messages": [BLOCK]}, "TF318", ("messages",)),
    ({"schemaVersion": "x", "messages": ["hi"]}, "TF316", ("messages", 0)),
    ({"schemaVersion": "x", "messages": [{"role": "system", "content": "S"}]}, "TF317", ("messages", 0, "role")),
    ({"schemaVersion": "x", "messages": [{"role": "user", "content": [{"image": {}}]}]}, "TF316", ("messages", 0, "content", 0)),
    ({"system": [{"text": ""}], "messages": [BLOCK, model("4")]}, "TF319", ("system",)),
    (candidates("preferred"), "TF321", ("messages", 1, "candidates")),
    (candidates("preferred", "preferred"), "TF321", ("messages", 1, "candidates", 1, "preferenceLabel")),
    (candidates("preferred", "worse"), "TF321", ("messages", 1, "candidates", 1, "preferenceLabel")),
]  # fmt: skip


@pytest.mark.parametrize(("row", "code", "where"), WRONG)
def test_refused_with_the_place(row: Row, code: str, where: tuple[Any, ...]) -> None:
    with pytest.raises(RowError) as caught:
        convert(row, detect(row).format)
    assert (caught.value.code, caught.value.where) == (code, where)


def test_keys_that_are_not_carried_are_told() -> None:
    ignored: set[str] = set()
    row = {"contents": [{**ASKED, "weight": 1}, ANSWER], "labels": {"a": "b"}}
    convert(row, "gemini", ignored=ignored)
    assert ignored == {"contents[].weight", "labels"}
    ignored = set()
    convert({"schemaVersion": "x", "messages": [BLOCK, model("4")], "toolConfig": {}}, "converse", ignored=ignored)
    assert ignored == {"toolConfig"}


def test_other_formats_are_told_as_before() -> None:
    assert detect({"messages": [SAID], "system": "S"}).format == "chat"
    assert detect({"contents": "a text", "text": "a"}).format == "text"
    assert detect({"contents": [ASKED], "messages": [{"role": "user", "content": "a"}]}).format == "chat"
