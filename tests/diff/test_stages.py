"""Specs with stages: each is compared with the one of its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.support import spec
from tuneform.runtime.cli import main

STAGES = {
    "sft": {"method": "sft", "data": {"train": "chat.jsonl", "format": "chat"}},
    "dpo": {"method": "dpo", "data": {"train": "pairs.jsonl", "format": "preference"}},
}
TARGETS = {"trl": {}, "other": {"target": "trl", "set": {"training.seed": 7}}}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = {key: value for key, value in spec(targets=TARGETS).items() if key not in ("method", "data")}
    Path("a.yaml").write_text(json.dumps({**found, "stages": STAGES}), encoding="utf-8")


def diff(*words: str) -> dict[str, Any]:
    result = CliRunner().invoke(main, ["diff", "a.yaml", *words, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_stage_is_compared_with_the_one_of_its_name() -> None:
    found = diff("a.yaml", "-t", "trl", "--set", "stages.dpo.training.learning_rate=5e-6")
    assert {t["labels"][0]: [c["path"] for c in t["changes"]] for t in found["targets"]} == {
        "trl/sft": [],
        "trl/dpo": ["training.learning_rate"],
    }
    one = diff("a.yaml", "-t", "trl/sft", "--set", "stages.dpo.training.learning_rate=5e-6")
    assert [t["labels"] for t in one["targets"]] == [["trl/sft"]] and not one["different"]


def test_a_stage_that_goes_changes_what_is_trained() -> None:
    found = diff("a.yaml", "-t", "trl", "--set", "stages.dpo=null")
    assert (found["targets_removed"], found["same_objective"]) == (["trl/dpo"], False)
    assert found["summary"] == "what is trained changes"
    whole = diff("a.yaml", "--set", "targets.other=null")
    assert whole["targets_removed"] == ["other/sft", "other/dpo"] and whole["same_objective"] is True


def test_two_targets_are_compared_stage_by_stage() -> None:
    found = diff("-t", "trl", "-t", "other")
    changes = [(label, c["path"]) for t in found["targets"] for label in t["labels"] for c in t["changes"]]
    assert sorted(changes) == [("dpo", "training.seed"), ("sft", "training.seed")]
    assert found["summary"].startswith("they train the same thing, and optimize it otherwise")


def test_two_stages_are_compared_with_each_other() -> None:
    found = diff("-t", "trl/sft", "-t", "trl/dpo")
    (pair,) = found["targets"]
    roots = {c["path"]: c for c in pair["changes"]}
    assert roots["model.start_from"]["after"] == "../sft/output" and "method" in roots
    part = diff("-t", "trl/sft", "-t", "trl")
    assert part["same_objective"] is False and any("trl/dpo is not compared" in note for note in part["notes"])
