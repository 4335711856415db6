"""What holds for any data."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tuneform.compilers.base import DataStep
from tuneform.runtime.data import DataRequest, DataResult, Source, read_data, write_data
from tuneform.spec.codes import codes
from tuneform.spec.diagnostics import render
from tuneform.spec.rows.shapes import METHODS, SHAPES, RowError, convert, detect

KEYS = st.sampled_from(
    [
        "messages",
        "conversations",
        "role",
        "content",
        "from",
        "value",
        "prompt",
        "completion",
        "text",
        "chosen",
        "rejected",
        "instruction",
        "input",
        "output",
        "system",
        "history",
        "tools",
        "tool_calls",
        "function",
        "name",
        "arguments",
        "weight",
        "label",
        "preferred_output",
        "non_preferred_output",
        "id",
        "tool_call_id",
        "reasoning_content",
        "chat_template_kwargs",
        "contents",
        "parts",
        "systemInstruction",
        "completions",
        "score",
        "references",
        "schemaVersion",
        "candidates",
        "preferenceLabel",
        "reasoningContent",
        "reasoningText",
    ]
)
WORDS = st.sampled_from(
    ["user", "assistant", "human", "gpt", "tool", "function_call", "observation", "system", "a", "{}"]
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.floats() | WORDS | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
TURN = st.fixed_dictionaries({"role": WORDS, "content": WORDS}, optional={"tool_calls": VALUES, "weight": VALUES})
ROWS = st.dictionaries(KEYS, VALUES | st.lists(TURN, max_size=3), max_size=4)


def read(data: bytes, name: str = "a.jsonl", **more: Any) -> DataResult:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        result = read_data(DataRequest(train=[Source(path, name)], **more))
    for found in result.diagnostics:
        assert found.code in codes()
        render(found).encode()
    return result


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60), st.sampled_from(["a.jsonl", "a.json"]), st.sampled_from(["error", "skip"]))
def test_random_bytes_never_crash(data: bytes, name: str, on_bad_row: str) -> None:
    result = read(data, name, on_bad_row=on_bad_row)
    assert result.ok == bool(result.rows)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=6), st.integers(0, 200), st.integers(0, 20), st.sampled_from(["a.jsonl", "a.json"]))
def test_damaged_bytes_never_crash(put: bytes, at: int, cut: int, name: str) -> None:
    good = b'[{"messages": [{"role": "user", "content": "\\ud83d\\ude00"}, {"role": "assistant", "content": "4"}]}]'
    good = good if name == "a.json" else good[1:-1] + b"\n" + good[1:-1]
    result = read(good[:at] + put + good[at + cut :], name)
    assert result.ok == bool(result.rows)


@settings(max_examples=150, deadline=None)
@given(st.lists(ROWS, max_size=3), st.sampled_from([*METHODS]), st.sampled_from(["error", "skip"]))
def test_random_rows_never_crash(rows: list[dict[str, Any]], method: str, on_bad_row: str) -> None:
    lines = [json.dumps(row) for row in rows]
    result = read("\n".join(lines).encode(), method=method, on_bad_row=on_bad_row)
    assert not result.ok or result.facts.rows_train == len(rows) - len(result.skipped)


@settings(max_examples=150, deadline=None)
@given(ROWS)
def test_convert_is_idempotent(row: dict[str, Any]) -> None:
    for format, shape in SHAPES.items():
        if shape == "prompt":
            continue  # whatever else a row of prompts holds is its item
        try:
            found = convert(row, format)
        except RowError:
            continue
        assert json.dumps(convert(found, shape)) == json.dumps(found)
        assert SHAPES[detect(found).format] == shape


@settings(max_examples=60, deadline=None)
@given(
    st.sets(st.text(min_size=1, max_size=5).filter(str.strip), min_size=20, max_size=60), st.integers(0, 3), st.data()
)
def test_added_rows_move_no_other(texts: set[str], seed: int, data: st.DataObject) -> None:
    everything = sorted(t for t in texts if t.isprintable())
    some = (
        data.draw(st.lists(st.sampled_from(everything), unique=True, min_size=8))
        if len(everything) >= 8
        else everything
    )
    sides = []
    for rows in (some, everything):
        lines = "\n".join(json.dumps({"text": text}) for text in rows)
        result = read(lines.encode(), split=0.5, split_seed=seed) if len(rows) > 1 else None
        if result is None or any(d.code == "TF333" for d in result.diagnostics):
            return  # with so few rows a side may be filled by force, and says so
        sides.append({row["text"]: split for split, found in result.rows.items() for row in found})
    assert all(sides[1][text] == side for text, side in sides[0].items())


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=8))
def test_written_rows_read_back_equal(texts: list[str]) -> None:
    result = read("\n".join(json.dumps({"text": text}) for text in texts).encode())
    with tempfile.TemporaryDirectory() as folder:
        write_data(result, [DataStep("train", "text", "t.jsonl")], Path(folder))
        lines = (Path(folder) / "t.jsonl").read_bytes().decode().splitlines()
        assert [json.loads(line)["text"] for line in lines] == texts
        again = read((Path(folder) / "t.jsonl").read_bytes())
    assert again.digests == result.digests
