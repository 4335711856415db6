"""Files of every form: the same rows give the same data; problems are at their line or row."""

from __future__ import annotations

import builtins
import csv
import gzip
import io
import json
import os
import random
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pytest
import zstandard
from pyarrow import parquet

from tuneform.runtime.data import DataRequest, DataResult, Source, peek, read_data
from tuneform.runtime.readers import packed
from tuneform.spec.diagnostics import Level, render

from .conftest import Read, codes, errors

CHATS = [
    {
        "messages": [
            {"role": "user", "content": f'é {i} \u2028 "quoted", with\nlines\r\nand \U0001f600'},
            {"role": "assistant", "content": "4"},
        ]
    }
    for i in range(50)
]
PAIRS = [{"prompt": f"2+{i}?", "chosen": "a, b", "rejected": 'c "d"\n'} for i in range(30)]


def table(rows: list[dict[str, Any]], delimiter: str = ",", names: list[str] | None = None) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, names or list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({k: v if isinstance(v, str) else json.dumps(v) for k, v in row.items() if v is not None})
    return out.getvalue().encode()


def columns_of(rows: list[dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows), out, row_group_size=7)
    return out.getvalue()


def lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


FORMS: dict[str, Callable[[list[dict[str, Any]]], bytes]] = {
    "a.jsonl": lines,
    "a.json": lambda rows: json.dumps(rows).encode(),
    "a.csv": table,
    "b.csv": lambda rows: b"\xef\xbb\xbf" + table(rows),
    "a.tsv": lambda rows: table(rows, "\t"),
    "a.parquet": columns_of,
    "a.jsonl.gz": lambda rows: gzip.compress(lines(rows)),
    "a.json.gz": lambda rows: gzip.compress(json.dumps(rows, indent=1).encode()),
    "a.csv.gz": lambda rows: gzip.compress(table(rows)[:100]) + gzip.compress(table(rows)[100:]) + b"\0" * 20,
    "a.jsonl.zst": lambda rows: zstandard.compress(lines(rows)[:99]) + zstandard.compress(lines(rows)[99:]),
    "a.json.zst": lambda rows: zstandard.compress(json.dumps(rows).encode()),
    "a.csv.zst": lambda rows: zstandard.compress(table(rows)),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize(("rows", "method"), [(CHATS, "sft"), (PAIRS, "dpo")])
def test_the_same_rows_give_the_same_data(
    read: Read, name: str, rows: list[dict[str, Any]], method: str, tmp_path: Path
) -> None:
    result = read(FORMS[name](rows), name, method=method)
    assert result.ok, result.diagnostics
    assert result.digests == read(rows, method=method).digests and result.facts.rows_train == len(rows)
    found = peek(Source(tmp_path / name, name), method)
    assert found.shape == result.facts.shape
    assert [d for d in found.diagnostics if d.level is Level.ERROR] == []


def test_lines_of_a_table_count_line_ends_in_cells(read: Read) -> None:
    rows = [{"prompt": "a\nb", "completion": "c\r\n\nd"}, {"prompt": "e", "completion": " "}]
    result = read(table(rows) + b'\nf,g,h\ni\n"j"x,k\nl,m\n', "t.csv")
    assert errors(result) == [("TF319", 6), ("TF337", 8), ("TF337", 9), ("TF337", 10)]
    assert "6 | e, " in render(result.diagnostics[0])
    assert "this row has 3 cells, and there are 2 columns" in result.diagnostics[1].message
    kept = read(table(rows) + b"\nf,g,h\nl,m\n", "t.csv", on_bad_row="skip")
    assert kept.facts.rows_train == 2 and [(s.line, s.row) for s in kept.skipped] == [(6, 2), (8, 3)]


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b'prompt,completion\n"a,b\nc,d\n', "TF337", 2),
        (b"prompt,completion\ncaf\xe9,b\nc,d\n", "TF305", 2),
        (b"prompt,completion\na,b\n,b\n", "TF316", 3),
        (b"prompt,prompt\na,b\n", "TF337", 7),
        (b"prompt,\na,b\n", "TF337", 7),
        (b"a\xe9,b\nc,d\n", "TF305", 7),
        (b'messages\n"[{""role"""\n', "TF316", 2),
    ],
)
def test_broken_tables(read: Read, content: bytes, code: str, line: int) -> None:
    assert errors(read(content, "t.csv"))[0] == (code, line)


def test_cells_are_texts_and_empty_ones_are_none(read: Read) -> None:
    result = read(b'prompt,answer,more\n1,2,\n"[{x",4,\n', "t.csv", method="grpo")
    assert list(result.rows["train"]) == [
        {"prompt": "1", "item": {"answer": "2", "more": None}},
        {"prompt": "[{x", "item": {"answer": "4", "more": None}},
    ]
    labels = read(b"prompt,completion,label\na,b,True\nc,d,false\n", "t.csv", method="kto")
    assert [row["label"] for row in labels.rows["train"]] == [True, False]
    mapped = read(table([{"chat": CHATS[0]["messages"]}]), "t.csv", columns={"messages": "chat"})
    assert list(mapped.rows["train"]) == CHATS[:1]


def test_parquet_values(read: Read, tmp_path: Path) -> None:
    rows = [
        {"prompt": "a", "day": date(2026, 1, 2), "price": Decimal("1.50"), "n": [1, None], "s": {"k": None, "l": 2}}
    ]
    result = read(columns_of(rows), "t.parquet", method="grpo")
    item = {"day": "2026-01-02", "price": "1.50", "n": [1, None], "s": {"l": 2}}
    assert list(result.rows["train"]) == [{"prompt": "a", "item": item}]
    bad = [{"text": "a", "x": 1.0}, {"text": "b", "x": float("nan")}, {"text": "", "x": 2.0}]
    result = read(columns_of(bad), "t.parquet")
    assert [(d.code, str(d.span).rpartition("/")[2]) for d in result.diagnostics[:2]] == [
        ("TF338", "t.parquet: row 2"),
        ("TF319", "t.parquet: row 3"),
    ]
    skipped = read(columns_of(bad), "t.parquet", on_bad_row="skip")
    assert skipped.facts.rows_train == 1 and [s.row for s in skipped.skipped] == [2, 3]
    (told,) = [d for d in skipped.diagnostics if d.code == "TF327"]
    assert told.hint and "1 TF338, first at row 2: " in told.hint and "1 TF319, first at row 3: " in told.hint
    assert told.span and not told.span.file.endswith(".parquet"), "a line would tell nothing"
    bytes_ = read(columns_of([{"text": "a", "image": b"x"}]), "t.parquet")
    assert "`image` holds bytes" in bytes_.diagnostics[0].message


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zst", "a.csv.gz", "a.csv.zst", "a.json.zst", "a.parquet"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.99])
@pytest.mark.parametrize("on_bad_row", ["error", "skip"])
def test_a_cut_off_file_is_an_error(read: Read, name: str, share: float, on_bad_row: str) -> None:
    whole = FORMS[name](CHATS).rstrip(b"\0")
    result = read(whole[: int(len(whole) * share)], name, on_bad_row=on_bad_row)
    assert "TF335" in codes(result, Level.ERROR) and not result.rows


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zst"])
def test_what_comes_before_damage_is_told(read: Read, name: str) -> None:
    rng = random.Random(1)
    rows = [{"text": "" if i == 3 else rng.randbytes(40).hex()} for i in range(20_000)]
    whole = FORMS[name](rows)
    found = errors(read(whole[: len(whole) // 2], name))
    assert found[0] == ("TF319", 4)
    assert found[1][0] == "TF335" and 1000 < found[1][1] < 19_000


def test_a_bomb_is_an_error(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "FLOOR", 2**22)
    many = b'{"text": "a"}\n' * 2**20
    for name, data in (("a.jsonl.gz", gzip.compress(many)), ("a.jsonl.zst", zstandard.compress(many))):
        (problem,) = [d for d in read(data, name).diagnostics if d.level is Level.ERROR]
        assert problem.code == "TF335" and "unpacks to more than" in problem.message


@pytest.mark.parametrize(("name", "extra"), [("a.parquet", "parquet"), ("a.jsonl.zst", "zstd")])
def test_a_missing_package_is_one_sentence(read: Read, monkeypatch: pytest.MonkeyPatch, name: str, extra: str) -> None:
    real = builtins.__import__

    def without(module: str, *more: Any) -> Any:
        if module.split(".")[0] in ("pyarrow", "zstandard"):
            raise ImportError(module)
        return real(module, *more)

    data = FORMS[name](PAIRS)
    monkeypatch.setattr(builtins, "__import__", without)
    (problem,) = read(data, name).diagnostics
    assert problem.code == "TF336" and problem.hint == f"pip install 'tuneform[{extra}]'"


def many(folder: Path, path: str, **more: Any) -> DataResult:
    return read_data(DataRequest([Source(Path(os.path.abspath(folder / path)), path, **more)]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.jsonl", "a.csv", "deep/c.json.gz", ".hidden.jsonl", "README.md"):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        form = "a" + name[name.index(".", 1) :]
        path.write_bytes(FORMS[form]([{"text": name}]) if form in FORMS else b"about")
    return tmp_path


def test_folders_and_patterns(folder: Path) -> None:
    result = many(folder, "data")
    assert [row["text"] for row in result.rows["train"]] == ["a.csv", "b.jsonl", "deep/c.json.gz"]
    assert [(d.code, d.level) for d in result.diagnostics] == [("TF339", Level.NOTE)]
    assert "README.md" in result.diagnostics[0].message
    found = {pattern: many(folder, pattern) for pattern in ("data/*.jsonl", "data/**/*.*.gz", "data/[ab].*")}
    texts = {pattern: [row["text"] for row in result.rows["train"]] for pattern, result in found.items()}
    assert texts == {
        "data/*.jsonl": ["b.jsonl"],
        "data/**/*.*.gz": ["deep/c.json.gz"],
        "data/[ab].*": ["a.csv", "b.jsonl"],
    }
    assert codes(many(folder, "data/x*"), Level.ERROR) == ["TF301"]
    assert codes(many(folder, "data/*"), Level.ERROR) == ["TF303"]


def test_messages_name_the_file_of_a_folder(folder: Path) -> None:
    (folder / "data/deep/d.jsonl").write_text('{"text": "b.jsonl"}\n{"text": ""}\n')
    result = many(folder, "data/**/*.jsonl")
    (problem,) = [d for d in result.diagnostics if d.level is Level.ERROR]
    assert problem.span and problem.span.file.endswith("data/deep/d.jsonl") and problem.span.line == 2
    (folder / "data/deep/d.jsonl").write_text('{"text": "b.jsonl"}\n')
    (warning,) = many(folder, "data/**/*.jsonl").diagnostics
    assert "`data/deep/d.jsonl` repeat earlier ones: line 1 is data/b.jsonl:1" in warning.message


def test_files_that_came_later_are_left_out_of_an_earlier_revision(folder: Path) -> None:
    def at(path: str) -> str:
        return path if path.endswith("b.jsonl") else f"{path}.absent"

    result = many(folder, "data", at=at)
    assert result.ok and [row["text"] for row in result.rows["train"]] == ["b.jsonl"]
    assert codes(many(folder, "data", at=lambda path: f"{path}.absent"), Level.ERROR) == ["TF301"]


def test_a_folder_that_cannot_be_read_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.scandir

    def refuse(path: str) -> Any:
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert codes(many(folder, "data"), Level.ERROR) == ["TF302"]


@pytest.mark.parametrize("name", ["a[1]", "what?", "all*"])
def test_folders_that_are_there_may_have_any_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name / "data"
    folder.mkdir(parents=True)
    (folder / "b.jsonl").write_text('{"text": "b"}\n{"text": ""}\n')
    for pattern in ("data/*.jsonl", "data/**/[ab].jsonl", "data/../*/b.*"):
        (problem,) = many(tmp_path / name, pattern).diagnostics
        assert problem.code == "TF319" and problem.span and problem.span.file.endswith(f"{name}/data/b.jsonl")
    (absent,) = many(tmp_path / name, "data/c.jsonl").diagnostics
    assert "does not exist" in absent.message and absent.hint == "did you mean `b.jsonl`?"
    assert many(tmp_path, f"{name}/data/*.jsonl").diagnostics[0].code == "TF319"
