"""Data sets that people really train on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneform.compilers.base import DataStep
from tuneform.runtime.data import DataRequest, Source, peek, read_data, write_data
from tuneform.spec.diagnostics import Level

from .conftest import codes

SHARED = Path(__file__).parents[3] / "shared" / "data"
QUESTIONS = {"prompt": "question", "completion": "answer"}

shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data sets are not on this machine")


def source(name: str, columns: dict[str, str] | None = None) -> Source:
    return Source(SHARED / name, name, columns=columns or {})


@shared
@pytest.mark.parametrize(
    ("name", "columns", "method", "shape", "rows", "repeated"),
    [
        ("gsm8k_train_1500.jsonl", QUESTIONS, "sft", "prompt_completion", 1500, 0),
        ("alpaca_en_demo.json", {}, "sft", "chat", 999, 14),
        ("dpo_en_demo.json", {}, "dpo", "preference", 300, 5),
        ("glaive_toolcall_en_demo.json", {}, "sft", "chat", 300, 35),
    ],
)
def test_read_and_written(
    name: str, columns: dict[str, str], method: str, shape: str, rows: int, repeated: int, tmp_path: Path
) -> None:
    result = read_data(DataRequest(train=[source(name, columns)], method=method, split=0.1))
    assert result.ok and result.facts.shape == shape
    counts = len(result.rows["train"]), len(result.rows["eval"])
    assert sum(counts) == rows and 0.07 * rows < counts[1] < 0.13 * rows
    assert codes(result, Level.WARNING) == (["TF328"] if repeated else [])
    assert all(f"{repeated} rows" in d.message for d in result.diagnostics)
    written = write_data(result, [DataStep("train", shape, "data/train.jsonl")], tmp_path)
    assert written["data/train.jsonl"]["rows"] == counts[0]
    again = read_data(DataRequest(train=[Source(tmp_path / "data/train.jsonl", "x.jsonl")], method=method))
    assert again.digests == {"train": result.digests["train"]}


@shared
def test_labels_have_no_method_yet() -> None:
    result = read_data(DataRequest(train=[source("kto_en_demo.json")]))
    assert codes(result, Level.ERROR) == ["TF323"]
    chosen = read_data(DataRequest(train=[Source(SHARED / "kto_en_demo.json", "kto", "chat")]))
    assert chosen.facts.rows_train == 300 and chosen.ignored == {"kto": ["label"]}


@shared
def test_without_columns_the_hint_gives_them() -> None:
    found = peek(source("gsm8k_train_1500.jsonl"))
    assert found.shape is None
    assert found.diagnostics[0].hint == "say which column is which: `columns: {prompt: question, completion: answer}`"


@shared
def test_peek() -> None:
    found = peek(source("glaive_toolcall_en_demo.json"), "sft")
    assert (found.format, found.shape, found.diagnostics) == ("sharegpt", "chat", [])
    assert [d.code for d in peek(source("glaive_toolcall_en_demo.json"), "dpo").diagnostics] == ["TF323"]


def test_peek_reads_the_first_rows_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a"}\n{"text": ""}\n' + '{"text": "b"}\n' * 30 + "broken")
    assert [d.code for d in peek(Source(path, "a.jsonl")).diagnostics] == ["TF319"]
    assert peek(Source(path, "a.jsonl"), on_bad_row="skip").diagnostics == []
