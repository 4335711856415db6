"""What is written is what was read, one line a row for every reader."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tuneform.compilers.base import DataStep
from tuneform.runtime.data import write_data

from .conftest import Read

ODD = "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\x1dh\x1ei\r\nj\x7f\ufeff\0\U0001f600é"
STEP = DataStep("train", "text", "data/train.jsonl")


def test_lines_end_for_every_reader_at_the_same_place(read: Read, tmp_path: Path) -> None:
    result = read([{"text": ODD}, {"text": "two"}])
    written = write_data(result, [STEP], tmp_path / "bundle")
    data = (tmp_path / "bundle/data/train.jsonl").read_bytes()
    assert written == {"data/train.jsonl": {"rows": 2, "sha256": hashlib.sha256(data).hexdigest()}}
    assert data.count(b"\n") == 2 and data.endswith(b"\n") and b"\r" not in data
    lines = data.decode().splitlines()
    assert [json.loads(line)["text"] for line in lines] == [ODD, "two"]
    assert "é" in lines[0] and "\U0001f600" in lines[0]


def test_digest_is_of_the_rows_and_not_of_the_file(read: Read) -> None:
    rows = [{"prompt": "é", "completion": " 1"}, {"completion": "2", "prompt": "b", "id": 4}]
    lines = read(rows)
    array = read(json.dumps(rows, indent=2), "train.json")
    escaped = read("\n\n".join(json.dumps(row, ensure_ascii=False) for row in rows))
    lines_in_json = read("\n".join(json.dumps(row) for row in rows), "train.json")
    assert lines.digests == array.digests == escaped.digests == lines_in_json.digests
    assert read(rows[::-1]).digests != lines.digests


def test_skipped_rows_are_listed(read: Read, tmp_path: Path) -> None:
    result = read('{"text": "a"}\n{"text": ""}\n\n{', on_bad_row="skip")
    written = write_data(result, [STEP], tmp_path)
    listed = [json.loads(line) for line in (tmp_path / "data/skipped.jsonl").read_text().splitlines()]
    assert written["data/skipped.jsonl"]["rows"] == 2
    assert listed[0] == {"file": "train.jsonl", "line": 2, "row": 2, "code": "TF319", "reason": "`text` is empty"}
    assert (listed[1]["line"], listed[1]["row"], listed[1]["code"]) == (4, 3, "TF306")


def test_several_files(read: Read, tmp_path: Path) -> None:
    result = read([{"text": str(i)} for i in range(50)], split=0.2)
    steps = [STEP, DataStep("eval", "text", "data/eval.jsonl")]
    written = write_data(result, steps, tmp_path)
    assert {name: w["sha256"] for name, w in written.items()} == {
        f"data/{split}.jsonl": digest for split, digest in result.digests.items()
    }


def test_only_what_there_is_can_be_written(read: Read, tmp_path: Path) -> None:
    good, bad = read([{"text": "a"}]), read("{")
    for result, step in [
        (good, DataStep("eval", "text", "x")),
        (good, DataStep("train", "chat", "x")),
        (bad, STEP),
    ]:
        with pytest.raises(ValueError, match=r"there are no|cannot be written"):
            write_data(result, [step], tmp_path)
    assert not list(tmp_path.glob("x"))
