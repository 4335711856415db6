"""Rows together: splits, weights, rows that repeat, rows on both sides, sources of several shapes."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tuneform.runtime.data import DataRequest, DataResult, Source, read_data
from tuneform.spec.diagnostics import Level

from .conftest import Read, codes


def texts(result: DataResult, split: str) -> list[str]:
    return [row["text"] for row in result.rows[split]]


def rows(n: int, start: int = 0) -> list[dict[str, str]]:
    return [{"text": f"row {i}"} for i in range(start, start + n)]


def source(folder: Path, name: str, content: list[dict[str, str]], weight: float = 1.0) -> Source:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in content))
    return Source(path, name, weight=weight)


def test_split_keeps_order_and_loses_nothing(read: Read) -> None:
    result = read(rows(1000), split=0.2)
    train, held = texts(result, "train"), texts(result, "eval")
    numbers = [[int(t.split()[1]) for t in side] for side in (train, held)]
    assert numbers == [sorted(n) for n in numbers]
    assert sorted(train + held) == sorted(row["text"] for row in rows(1000))
    assert 150 < len(held) < 250
    assert (result.facts.rows_train, result.facts.rows_eval, result.facts.rows_test) == (len(train), len(held), 0)


def test_split_depends_on_the_seed_alone(read: Read) -> None:
    first, second, other = (texts(read(rows(200), split=0.2, split_seed=s), "eval") for s in (1, 1, 2))
    assert first == second != other


def test_equal_rows_land_on_one_side(read: Read) -> None:
    result = read(rows(100) * 3, split=0.3)
    assert not set(texts(result, "train")) & set(texts(result, "eval"))
    assert codes(result, Level.WARNING) == ["TF328"]
    assert "200 rows of `train.jsonl` repeat earlier ones: line 101 is train.jsonl:1" in result.diagnostics[0].message


@pytest.mark.parametrize(("share", "side"), [(0.0001, "eval"), (0.9999, "train")])
def test_each_side_gets_a_row(read: Read, share: float, side: str) -> None:
    result = read([*rows(5), *rows(5)], split=share)
    assert len(set(texts(result, side))) == 1 and result.facts.rows_train and result.facts.rows_eval
    assert codes(result, Level.NOTE) == ["TF333"]


def test_one_row_cannot_be_split(read: Read) -> None:
    result = read(rows(1) * 4, split=0.5)
    assert codes(result, Level.ERROR) == ["TF326"] and not result.rows


def test_weights(tmp_path: Path) -> None:
    sources = [source(tmp_path, "a.jsonl", rows(100), 2.5), source(tmp_path, "b.jsonl", rows(100, 100), 0.25)]
    result = read_data(DataRequest(train=sources))
    found = texts(result, "train")
    times = Counter(found)
    assert {times[row["text"]] for row in rows(100)} == {2, 3}
    assert 230 < sum(times[row["text"]] for row in rows(100)) < 270
    assert 10 < sum(times[row["text"]] for row in rows(100, 100)) < 40
    assert found[:200] == [row["text"] for row in rows(100)] * 2
    assert texts(read_data(DataRequest(train=sources)), "train") == found
    assert texts(read_data(DataRequest(train=sources, split_seed=7)), "train") != found


def test_weights_come_after_the_split(tmp_path: Path) -> None:
    result = read_data(DataRequest(train=[source(tmp_path, "a.jsonl", rows(100), 3)], split=0.2))
    held = texts(result, "eval")
    assert len(held) == len(set(held)) and len(texts(result, "train")) == 3 * (100 - len(held))


def test_weight_that_takes_nothing(tmp_path: Path) -> None:
    pair = [source(tmp_path, "a.jsonl", rows(9)), source(tmp_path, "b.jsonl", rows(1, 50), 1e-9)]
    result = read_data(DataRequest(train=pair))
    assert result.facts.rows_train == 9 and codes(result, Level.WARNING) == ["TF334"]
    alone = read_data(DataRequest(train=pair[1:]))
    assert codes(alone, Level.ERROR) == ["TF326"]


def test_held_out_rows_that_are_trained_on(tmp_path: Path) -> None:
    train = [source(tmp_path, "a.jsonl", rows(10)), source(tmp_path, "b.jsonl", rows(10, 10))]
    held = source(tmp_path, "held.jsonl", rows(4, 18))
    result = read_data(DataRequest(train=train, eval=[held], test=[held]))
    leaks = [d for d in result.diagnostics if d.code == "TF329"]
    assert [d.path for d in leaks] == ["data.eval", "data.test"]
    assert "2 rows of `held.jsonl` are also trained on: line 1 is b.jsonl:9, line 2 is b.jsonl:10" in leaks[0].message
    assert leaks[0].span and leaks[0].span.line == 1
    assert [result.facts.rows_train, result.facts.rows_eval, result.facts.rows_test] == [20, 4, 4]


def test_rows_that_repeat_across_sources(tmp_path: Path) -> None:
    pair = [source(tmp_path, "a.jsonl", rows(3)), source(tmp_path, "b.jsonl", rows(3, 2))]
    result = read_data(DataRequest(train=pair))
    assert [(d.code, d.path) for d in result.diagnostics] == [("TF328", "data.train[1]")]
    assert "1 row of `b.jsonl` repeat" in result.diagnostics[0].message


def test_rows_that_repeat_in_a_list_on_one_line(tmp_path: Path, read: Read) -> None:
    bad = {"text": ""}
    result = read(json.dumps([*rows(2), bad, *rows(1), *rows(1)]), "train.json", on_bad_row="skip")
    repeated = next(d for d in result.diagnostics if d.code == "TF328")
    assert "2 rows of `train.json` repeat earlier ones: row 4 is row 1 of train.json, row 5 is" in repeated.message
    held = source(tmp_path, "held.jsonl", rows(1, 1))
    train = Source(tmp_path / "train.json", "train.json")
    (leak,) = [d for d in read_data(DataRequest([train], [held], on_bad_row="skip")).diagnostics if d.code == "TF329"]
    assert leak.message.endswith("line 1 is row 2 of train.json")


def test_sources_of_different_shapes(tmp_path: Path) -> None:
    pair = [source(tmp_path, "a.jsonl", rows(3)), source(tmp_path, "b.jsonl", [{"prompt": "a", "completion": "b"}])]
    result = read_data(DataRequest(train=pair[:1], eval=pair[1:]))
    assert codes(result, Level.ERROR) == ["TF324"]
    assert "`b.jsonl` holds prompt_completion rows, but `a.jsonl` holds text rows" in result.diagnostics[0].message


def test_formats_of_one_shape_mix(tmp_path: Path) -> None:
    chat = {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}
    path = tmp_path / "b.json"
    path.write_text(json.dumps([chat]))
    pair = [source(tmp_path, "a.jsonl", [{"instruction": "c", "output": "d"}]), Source(path, "b.json")]
    result = read_data(DataRequest(train=pair))
    assert result.ok and result.facts.shape == "chat" and result.facts.rows_train == 2
