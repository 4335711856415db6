"""`tuneform data --problems`: the list is written when reading is done, and never over what is read."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tuneform.runtime.cli import main

ROWS = b'{"text": "one"}\n{"text": \n'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rows").mkdir()
    Path("rows/a.jsonl").write_bytes(ROWS)


def data(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["data", *arguments])


@pytest.mark.parametrize("read", ["rows", "rows/*.jsonl", "rows/a.jsonl"])
@pytest.mark.parametrize("written", ["rows/a.jsonl", "hard.jsonl", "soft.jsonl"])
def test_no_file_that_is_read_is_written_over(read: str, written: str) -> None:
    os.link("rows/a.jsonl", "hard.jsonl")
    os.symlink("rows/a.jsonl", "soft.jsonl")
    for files in ([read], ["other.jsonl", "--eval", read]):
        result = data(*files, "--problems", written)
        assert result.exit_code == 2 and "is one of the files to read" in result.output
        assert Path("rows/a.jsonl").read_bytes() == ROWS


def test_a_list_in_a_folder_that_is_read_is_no_row_of_it() -> None:
    assert data("rows", "--problems", "rows/new.jsonl").exit_code == 1
    assert data("rows/a.jsonl", "--problems", "new/folder/list.jsonl").exit_code == 1
    assert Path("new/folder/list.jsonl").read_bytes() == Path("rows/new.jsonl").read_bytes()
    (line,) = Path("rows/new.jsonl").read_text().splitlines()
    assert json.loads(line)["file"] == "rows/a.jsonl"


def test_an_older_list_stays_where_reading_ends_early(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("all.jsonl").write_text("older")
    monkeypatch.setattr("tuneform.runtime.datareport.gather._totals", lambda report: 1 / 0)
    assert isinstance(data("rows", "--problems", "all.jsonl").exception, ZeroDivisionError)
    assert Path("all.jsonl").read_text() == "older"


def test_a_pipe_takes_the_list() -> None:
    os.mkfifo("pipe")
    handle = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    assert data("rows", "--problems", "pipe").exit_code == 1
    assert json.loads(os.read(handle, 9999))["code"] == "TF306"
    os.close(handle)


def test_a_file_whose_name_is_no_utf_8() -> None:
    name = os.fsdecode(b"rows/b\xff.jsonl")
    Path(name).write_bytes(ROWS)
    result = data(name, "--problems", "all.jsonl")
    assert isinstance(result.exception, SystemExit) and result.exit_code == 1
    assert json.loads(Path("all.jsonl").read_bytes())["file"] == name
