"""`data split`, `data sample`, and `data.eval: {split, stratify}`: content decides, and nothing else moves."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tuneform.runtime.cli import main
from tuneform.runtime.data import DataRequest, Source, read_data
from tuneform.spec.diagnostics import Level

Rows = list[dict[str, Any]]
DRAWN = random.Random(3)
ROWS: Rows = [
    {"prompt": f"q{i}", "completion": f"a{i}", "topic": DRAWN.choice("aaaabbc") if i > 3 else "rare"}
    for i in range(400)
]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(rows: Rows, name: str = "a.jsonl") -> Path:
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Path(name).absolute()


def data(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["data", *arguments])


def split(*arguments: str) -> tuple[Rows, Rows]:
    result = data("split", "a.jsonl", "--ratio", "0.1", "-o", "out", "--force", *arguments)
    assert result.exit_code == 0, result.output
    train, held = (Path("out", name).read_text().splitlines() for name in ("train.jsonl", "eval.jsonl"))
    return [json.loads(line) for line in train], [json.loads(line) for line in held]


def numbers(rows: Rows) -> set[str]:
    return {row["prompt"] for row in rows}


def test_all_rows_are_written_as_they_are_and_in_order() -> None:
    write(ROWS)
    train, held = split()
    assert len(train) + len(held) == 400 and 20 < len(held) < 60
    assert sorted(map(json.dumps, train + held)) == sorted(map(json.dumps, ROWS))
    assert [ROWS.index(row) for row in held] == sorted(ROWS.index(row) for row in held)
    assert numbers(split("--seed", "7")[1]) != numbers(held)


@pytest.mark.parametrize("options", [(), ("--stratify", "topic")])
def test_added_rows_move_no_other(options: tuple[str, ...]) -> None:
    write(ROWS)
    before = numbers(split(*options)[1])
    added = [{"prompt": f"new{i}", "completion": "x", "topic": "ab"[i % 2]} for i in range(300)]
    write(added[:150] + ROWS + added[150:])
    after = numbers(split(*options)[1])
    assert {name for name in after if name.startswith("q")} == before


def test_equal_rows_are_on_one_side() -> None:
    write([row for row in ROWS for _ in range(2)] + [{**ROWS[7], "topic": "another"}])
    for options in ((), ("--stratify", "topic")):
        train, held = split(*options)
        assert not numbers(train) & numbers(held)


def test_each_value_has_rows_on_both_sides() -> None:
    write(ROWS)
    unstratified = Counter(row["topic"] for row in split()[1])
    assert unstratified["rare"] == 0, "or the case shows nothing"
    held = Counter(row["topic"] for row in split("--stratify", "topic")[1])
    assert held == unstratified + Counter(rare=1)
    result = data("split", "a.jsonl", "--ratio", "0.1", "-o", "out", "--force", "--stratify", "topic", "--json")
    found = json.loads(result.stdout)
    assert {entry["value"]: entry["eval"] for entry in found["stratify"]} == held
    assert [d["code"] for d in found["diagnostics"]] == ["TF333"]


@pytest.mark.parametrize("stratify", [None, "topic"])
def test_a_spec_holds_out_the_same_rows(stratify: str | None) -> None:
    source = Source(write(ROWS), "a.jsonl")
    result = read_data(DataRequest(train=[source], split=0.1, split_seed=42, stratify=stratify))
    assert result.ok
    held = split(*(("--stratify", stratify) if stratify else ()))[1]
    assert numbers(list(result.rows["eval"])) == numbers(held)
    assert numbers(list(result.rows["train"])) == numbers(ROWS) - numbers(held)
    unused = [d.message for d in result.diagnostics if d.code == "TF330"]
    assert len(unused) == (0 if stratify else 1), "a column to stratify by is used"


@pytest.mark.parametrize("count", [2, 3, 6])
@pytest.mark.parametrize("ratio", ["0.001", "0.5", "0.999"])
@pytest.mark.parametrize("stratify", [None, "topic", "half"])
def test_few_rows_are_held_out_as_by_a_spec_and_no_side_is_empty(count: int, ratio: str, stratify: str | None) -> None:
    source = Source(write([{**ROWS[i], "topic": i, "half": i % 2} for i in range(count)]), "a.jsonl")
    result = read_data(DataRequest(train=[source], split=float(ratio), split_seed=42, stratify=stratify))
    column = ("--stratify", stratify) if stratify else ()
    done = data("split", "a.jsonl", "--ratio", ratio, "-o", "out", "--json", *column)
    told = [d["message"] for d in json.loads(done.stdout)["diagnostics"]]
    train, held = (
        [json.loads(line) for line in Path("out", name).read_text().splitlines()]
        for name in ("train.jsonl", "eval.jsonl")
    )
    assert train and held and len(train) + len(held) == count
    assert numbers(held) == numbers(list(result.rows["eval"]))
    assert told == [d.message for d in result.diagnostics if d.code != "TF330"]


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ([{"text": "a"}, {"text": "b"}], "no row of `a.jsonl` has it"),
        ([{"text": "a", "topic": ["x"]}, {"text": "b"}], "holds a list"),
    ],
)
def test_a_column_that_cannot_be_stratified_by(rows: Rows, what: str) -> None:
    source = Source(write(rows), "a.jsonl")
    result = read_data(DataRequest(train=[source], split=0.5, stratify="topic"))
    assert [(d.code, what in d.message) for d in result.diagnostics if d.level is Level.ERROR] == [("TF352", True)]
    command = data("split", "a.jsonl", "--ratio", "0.5", "-o", "out", "--stratify", "topic")
    assert command.exit_code == 1 and what in command.stderr and not Path("out").exists()


def test_nothing_is_written_over_or_from_rows_that_cannot_be_read() -> None:
    write(ROWS)
    split()
    kept = Path("out/eval.jsonl").read_bytes()
    assert data("split", "a.jsonl", "--ratio", "0.5", "-o", "out").exit_code == 2
    Path("b.jsonl").write_text('{"text": "a"}\n{"text": \n')
    assert data("split", "b.jsonl", "--ratio", "0.5", "-o", "out", "--force").exit_code == 1
    assert Path("out/eval.jsonl").read_bytes() == kept
    own = data("split", "out/train.jsonl", "--ratio", "0.5", "-o", "out", "--force")
    assert own.exit_code == 2 and len(Path("out/train.jsonl").read_text()) > 1000


@pytest.mark.parametrize("several", [".", "*.jsonl"])
def test_splits_and_samples_are_of_one_file(several: str) -> None:
    write(ROWS)
    for done in (data("split", several, "--ratio", "0.5", "-o", "out"), data("sample", several)):
        assert done.exit_code == 2 and "this takes one file" in done.stderr and not Path("out").exists()


def test_samples_are_by_content() -> None:
    Path("a.jsonl").write_text("".join(f'{{"n":  {i}}}\n' for i in range(50)) + '{"n": 3}\n')
    first = data("sample", "a.jsonl", "-n", "5")
    lines = first.stdout.splitlines()
    assert first.exit_code == 0 and len(lines) == 5 and all(line.startswith('{"n":  ') for line in lines)
    assert [json.loads(line)["n"] for line in lines] == sorted(json.loads(line)["n"] for line in lines)
    write([{"n": i} for i in reversed(range(50))])
    again = [json.loads(line) for line in data("sample", "a.jsonl", "-n", "5").stdout.splitlines()]
    assert again == [json.loads(line) for line in reversed(lines)]
    assert data("sample", "a.jsonl", "-n", "5", "--seed", "1").stdout != first.stdout
    assert len(data("sample", "a.jsonl", "-n", "500").stdout.splitlines()) == 50


def test_samples_of_lists_and_of_files_with_bad_rows() -> None:
    Path("a.json").write_text('[{"n": 1,\n "t": "\u2028é"}, {"n": 2}]')
    assert data("sample", "a.json", "-o", "b.jsonl").exit_code == 0
    assert Path("b.jsonl").read_text() == '{"n":1,"t":"\\u2028é"}\n{"n":2}\n'
    Path("c.jsonl").write_text('{"n": 1}\n{"n": \n')
    result = data("sample", "c.jsonl")
    assert (result.exit_code, result.stdout) == (1, '{"n": 1}\n') and "1 rows" in result.stderr
    assert data("sample", "nowhere.jsonl").exit_code == 1
    assert data("sample", "c.jsonl", "-o", "c.jsonl").exit_code == 2
