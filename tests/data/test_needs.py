"""What a run needs of its rows beyond their format is told at compile, with file and line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support import spec
from tuneform.runtime.project import Project, open_project
from tuneform.spec.diagnostics import Level

Rows = list[dict[str, Any]]
SAID, FOUR = {"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "4"}
PLAIN: dict[str, Any] = {"messages": [SAID, FOUR]}
LEFT_OUT: dict[str, Any] = {"messages": [SAID, {**FOUR, "weight": 0}, SAID, FOUR]}
IN_THE_PROMPT: dict[str, Any] = {"prompt": [SAID, FOUR, SAID], "completion": [FOUR]}
EXACT = {"method": {"grpo": {}}, "rewards": [{"exact_match": "answer"}]}


def project(folder: Path, rows: Rows, **changes: Any) -> Project:
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = {"train": "rows.jsonl", **changes.pop("data", {})}
    cut = {} if "method" in changes else {"training": {"on_too_long": "truncate"}}  # as native labels do
    found = spec(**cut, **changes)
    found["data"] = data
    file = folder / "tuneform.yaml"
    file.write_text(json.dumps(found))
    return open_project(file)


def errors(found: Project) -> list[tuple[str, str, int]]:
    wrong = [d for d in found.diagnostics if d.level is Level.ERROR and d.code.startswith("TF3")]  # of the rows
    return [(d.code, Path(d.span.file).name, d.span.line) for d in wrong if d.span]


@pytest.mark.parametrize("row", [LEFT_OUT, IN_THE_PROMPT])
def test_weights_that_native_labels_would_not_heed(tmp_path: Path, row: dict[str, Any]) -> None:
    rows = [PLAIN, row, PLAIN] if "messages" in row else [{**row, "prompt": [SAID]}, row]
    native = project(tmp_path, rows, data={"masks": "native"})
    assert errors(native) == [("TF322", "rows.jsonl", 2)]
    (told,) = [d for d in native.diagnostics if d.code == "TF322"]
    assert "heeds no weight; `masks: auto` does" in (told.hint or "")
    for masks in ("auto", "exact"):
        assert errors(project(tmp_path, rows, data={"masks": masks})) == []


def test_rows_without_weights_may_have_native_labels(tmp_path: Path) -> None:
    rows = [PLAIN, {"messages": [SAID, {**FOUR, "weight": 1}]}]
    assert errors(project(tmp_path, rows, data={"masks": "native"})) == []


def test_skipping_leaves_them_out_and_says_so(tmp_path: Path) -> None:
    found = project(tmp_path, [PLAIN, LEFT_OUT, PLAIN], data={"masks": "native", "on_bad_row": "skip"})
    assert errors(found) == [] and "TF327" in [d.code for d in found.diagnostics]


def test_a_row_without_what_answers_are_compared_with(tmp_path: Path) -> None:
    rows: Rows = [{"prompt": f"{i}?", "answer": str(i)} for i in range(9)]
    assert errors(project(tmp_path, rows, **EXACT, data={"eval": {"split": 0.3}})) == []
    rows[3] = {"prompt": "3?", "anwser": "4"}
    rows[6]["answer"] = None
    found = project(tmp_path, rows, **EXACT)
    assert errors(found) == [("TF354", "rows.jsonl", 4), ("TF354", "rows.jsonl", 7)]
    missing, null = [d for d in found.diagnostics if d.code == "TF354"]
    assert "`answer` is missing; the reward `exact_match` compares answers with it" in missing.message
    assert missing.hint == "did you mean `rewards: [{exact_match: anwser}]`?"
    assert "`answer` holds no value" in null.message


def test_a_column_that_no_row_has(tmp_path: Path) -> None:
    rows: Rows = [{"messages": [SAID], "solution": "4"}] * 8
    found = project(tmp_path, rows, **EXACT)
    assert errors(found) == [("TF354", "rows.jsonl", line) for line in range(1, 7)]
    assert "and 3 more" in [d.message for d in found.diagnostics if d.code == "TF354"][-1]
    assert "`solution`" in (found.diagnostics[0].hint or "")
    skipped = project(tmp_path, [*rows, {"messages": [SAID], "answer": "4"}], **EXACT, data={"on_bad_row": "skip"})
    assert errors(skipped) == [] and skipped.targets[0].data and skipped.targets[0].data.facts.skipped == 8


def test_a_value_of_false_or_zero_is_one(tmp_path: Path) -> None:
    assert errors(project(tmp_path, [{"prompt": "a", "answer": 0}, {"prompt": "b", "answer": False}], **EXACT)) == []
    assert errors(project(tmp_path, [{"prompt": "a", "answer": ""}], **EXACT)) == []


def test_columns_are_those_that_the_mapping_leaves(tmp_path: Path) -> None:
    rows: Rows = [{"question": "a", "answer": "b"}]
    train = {"path": "rows.jsonl", "columns": {"prompt": "question"}}
    assert errors(project(tmp_path, rows, **EXACT, data={"train": train})) == []
