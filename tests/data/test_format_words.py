"""The words of `data.format`: each names rows that `auto` would tell by itself, and shapes without reading any."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from tests.pages.rows import ROWS
from tests.support import spec
from tuneform.runtime.commands.data.common import FORMATS
from tuneform.runtime.data import DataRequest, Source
from tuneform.runtime.project import open_project
from tuneform.spec.data import Format
from tuneform.spec.rows.shapes import SHAPES, methods_for

from .conftest import Read, errors

WORDS = [word for word in get_args(Format) if word != "auto"]
REWARDED = {"method": {"grpo": {}}, "rewards": [{"regex": "4"}]}


def test_commands_and_specs_have_the_same_words() -> None:
    assert set(FORMATS) - {"sharegpt"} == set(get_args(Format))  # ShareGPT is `chat` in a spec
    assert set(WORDS) == set(SHAPES) - {"sharegpt"} == set(ROWS)


@pytest.mark.parametrize("word", WORDS)
def test_a_word_reads_what_auto_reads(read: Read, word: str) -> None:
    method = methods_for(SHAPES[word])[0]
    named, told = (read([ROWS[word]], format=format, method=method) for format in (word, "auto"))
    assert named.ok and named.facts.shape == SHAPES[word]
    assert named.digests == told.digests and named.facts == told.facts


@pytest.mark.parametrize("word", WORDS)
def test_rows_of_another_format_are_an_error(read: Read, word: str) -> None:
    other = {"text": "one"} if word != "text" else ROWS["chat"]
    result = read([ROWS[word], other], format=word, method=methods_for(SHAPES[word])[0])
    assert [line for _, line in errors(result)] == [2]


@pytest.mark.parametrize("word", WORDS)
def test_a_hub_dataset_has_the_shape_of_its_word(word: str, tmp_path: Path) -> None:
    method = methods_for(SHAPES[word])[0]
    named: dict[str, Any] = REWARDED if method == "grpo" else {"method": {method: {}}}
    file = tmp_path / "tuneform.yaml"
    file.write_text(str(spec(data={"train": {"id": "acme/rows", "format": word}}, **named)))
    project = open_project(file).require()
    plan = project.targets[0].compiled.plan
    assert plan is not None and plan["data.shape"] == SHAPES[word]


def test_requests_know_no_needs_unless_told() -> None:
    assert DataRequest([Source(Path("a"), "a")]).needs.columns == ()
