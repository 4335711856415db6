"""Files of rewards, read on both sides; text of a reward stays text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.support import spec
from tuneform.runtime.cli import main

FILE = {"file": "score.py", "function": "score"}


def diff(folder: Path, one: list[Any], two: list[Any], *words: str) -> str:
    for name, rewards in (("a", one), ("b", two)):
        found = spec(method={"grpo": {}}, rewards=rewards, data={"train": [{"id": "acme/rows"}], "format": "prompt"})
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "tuneform.yaml").write_text(json.dumps(found), encoding="utf-8")
    words = ("diff", "a/tuneform.yaml", "b/tuneform.yaml", *words)
    result = CliRunner().invoke(main, words, catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    return result.stdout


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "score.py").write_text("def score(sample, item): return 1.0\n", encoding="utf-8")
    return tmp_path


def test_a_function_that_does_something_else_is_another_reward(folder: Path) -> None:
    same = diff(folder, [FILE], [FILE])
    assert "the same thing is trained in the same way" in same and "with the same content" in same
    (folder / "b" / "score.py").write_text("def score(sample, item): return 0.0\n", encoding="utf-8")
    other = diff(folder, [FILE], [FILE])
    assert "what is trained changes" in other
    assert "rewards score (score is read from ../b/score.py instead of score.py, with other content)" in other


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_a_pattern_does_not_leave_its_line(form: str, folder: Path) -> None:
    shown = diff(folder, [{"regex": "a"}], [{"regex": "\u202e| `x\n# b"}], "--format", form)
    (line,) = [line for line in shown.splitlines() if "pattern of regex a" in line]
    assert "# b" in line and "\u202e" not in shown
    assert form == "text" or "`` pattern of regex a -> �\\| `x�# b ``" in line
