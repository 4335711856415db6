"""The generated rewards.py, run by plain Python as a trainer calls it."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import compiled, spec


@pytest.fixture
def score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A function from rewards, answers and a row to the scores, one list a reward."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def run(rewards: list[dict[str, Any]], answers: list[Any], row: dict[str, Any] | None = None) -> list[list[float]]:
        _, result = compiled(spec(method={"grpo": {}}, rewards=rewards), tmp_path)
        assert result.bundle is not None
        for file in result.bundle.files:
            (tmp_path / file.path).write_text(file.text, encoding="utf-8")
        for source, copy in result.bundle.copies:
            (tmp_path / copy).write_text((tmp_path / Path(source).name).read_text())
        found = importlib.util.spec_from_file_location("rewards", tmp_path / "rewards.py")
        assert found and found.loader
        module = importlib.util.module_from_spec(found)
        sys.modules.pop("reward_1", None)
        found.loader.exec_module(module)
        items = [json.dumps(row or {})] * len(answers)
        return [f(prompts=[], completions=answers, item=items, trainer_state=None) for f in module.REWARDS]

    yield run
    sys.modules.pop("reward_1", None)


@pytest.mark.parametrize(
    ("reward", "answers", "expected"),
    [
        ({"exact_match": "answer"}, ["42", " 42\n", "43", ""], [1, 1, 0, 0]),
        ({"exact_match": {"reference": "answer", "strip": False}}, ["42", " 42"], [1, 0]),
        ({"exact_match": {"reference": "word"}}, ["Éa", "éA"], [1, 0]),
        ({"exact_match": {"reference": "word", "ignore_case": True}}, ["Éa", "éA", "e"], [1, 1, 0]),
        ({"regex": "[0-9]+"}, ["about 3", "none"], [1, 0]),
        ({"regex": {"pattern": "a.b", "match": "fullmatch"}}, ["a\nb", "a\nbc", "xa\nb"], [1, 0, 0]),
        ({"regex": {"pattern": "\"'\\\\\\n"}}, ["\"'\\\n", "n"], [1, 0]),
        ({"length": {"max": 2}}, ["", "a b", " a  b ", "a b c"], [1, 1, 1, 0]),
        ({"length": {"min": 2, "max": 3, "unit": "characters"}}, ["a", "ab", "abc", "abcd"], [0, 1, 1, 0]),
        ({"length": {"min": 1}}, ["", "a " * 1000], [0, 1]),
        ({"json_schema": {}}, ['{"a": 1}', "3", "{", ""], [1, 1, 0, 0]),
        (
            {"json_schema": {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}},
            ['{"a": 1}', '{"a": "1"}', "{}", "[]", "a: 1", "[" * 100_000],
            [1, 0, 0, 0, 0, 0],
        ),
    ],
)
def test_a_built_in_reward(score: Any, reward: dict[str, Any], answers: list[str], expected: list[float]) -> None:
    row = {"answer": 42, "word": "Éa"}
    (found,) = score([reward], answers, row)
    assert found == expected and all(type(value) is float for value in found)
    (as_messages,) = score([reward], [[{"role": "assistant", "content": a}] for a in answers], row)
    assert as_messages == expected


def test_a_column_that_a_row_lacks_is_named(score: Any) -> None:
    with pytest.raises(RuntimeError, match=r"the reward `exact_match` failed on the answer 'x': KeyError\('answer'\)"):
        score([{"exact_match": "answer"}], ["x"], {"other": 1})


def test_a_file_gets_the_answer_as_text_and_as_json_and_the_row(score: Any, tmp_path: Path) -> None:
    text = "def own(sample, item):\n    return (sample['output_json'] or {}).get('n', -1) + item['n'] / 2\n"
    (tmp_path / "mine.py").write_text(text)
    assert score([{"file": "mine.py", "function": "own"}], ['{"n": 3}', "x"], {"n": 1}) == [[3.5, -0.5]]


def test_several_functions_of_a_file_and_rewards_of_one_kind_keep_their_order(score: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def a(s, i):\n    return 1\n\n\ndef b(s, i):\n    return True\n")
    file = [{"file": "mine.py", "function": name} for name in ("b", "a")]
    assert score([{"regex": "x"}, *file, {"regex": "y"}], ["y"]) == [[0.0], [1.0], [1.0], [1.0]]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return 1 / 0", "failed on the answer 'the answer': ZeroDivisionError"),
        ("return 'good'", "must be real number, not str"),
        ("pass", "must be real number, not NoneType"),
        ("return float('nan')", "gave nan for the answer 'the answer', and no finite number"),
        ("return float('-inf')", "gave -inf"),
        ("return [1.0]", "must be real number, not list"),
    ],
)
def test_a_reward_that_does_not_work_says_which_it_is(score: Any, tmp_path: Path, body: str, words: str) -> None:
    (tmp_path / "mine.py").write_text(f"def own(sample, item):\n    {body}\n")
    with pytest.raises(RuntimeError) as error:
        score([{"file": "mine.py", "function": "own"}], ["the answer"])
    assert str(error.value).startswith("the reward `own` ") and words in str(error.value)
