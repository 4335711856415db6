"""Rules: each one's example breaks it, and the corrected twin does not."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from tests.spec.examples import example
from tests.support import check_bytes, document, spec
from tuneform.compilers.compile import for_label
from tuneform.spec.codes import codes
from tuneform.spec.diagnostics import Diagnostic
from tuneform.spec.rules.base import REGISTERED, Rule
from tuneform.spec.rules.check import RULES

BASE = spec(data={"train": "train.jsonl", "format": "chat", "eval": {"split": 0.1}})


def problems(changes: dict[str, Any], folder: Path) -> list[Diagnostic]:
    whole = document(copy.deepcopy(BASE) | changes, folder)
    assert whole.spec is not None, whole.diagnostics
    return for_label(whole, "trl")[1]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_the_example_breaks_the_rule_and_its_twin_breaks_none(rule: Rule, tmp_path: Path) -> None:
    found = problems(example(rule, "Example")[0], tmp_path)
    assert {d.code for d in found} == {rule.code}
    assert all(d.span and d.source and d.message and d.level is rule.level for d in found)
    assert problems(example(rule, "Instead")[0], tmp_path) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_is_documented(rule: Rule) -> None:
    assert "Fix: " in codes()[rule.code].explanation


def test_each_code_is_registered_once() -> None:
    assert len({rule.code for rule in REGISTERED}) == len(REGISTERED) == len(RULES)


def test_a_schema_that_is_none_is_told(tmp_path: Path) -> None:
    changes = {"method": "grpo", "data": {"train": "q.jsonl", "format": "prompt"}}
    wrong = problems(changes | {"rewards": [{"json_schema": {"type": "objekt"}}]}, tmp_path)
    assert [d.code for d in wrong] == ["TF122"] and "objekt" in wrong[0].message
    assert problems(changes | {"rewards": [{"json_schema": {"type": "object"}}]}, tmp_path) == []


def test_a_schema_of_infinite_numbers_is_told(tmp_path: Path) -> None:
    text = "version: 1\nname: a\nmodel: a/b\nmethod: grpo\ndata: {train: q.jsonl, format: prompt}\ntargets: {trl: }\n"
    found = check_bytes((text + "rewards: [{json_schema: {maximum: .inf}}]\n").encode())
    assert [d.code for d in found if d.code != "TF130"] == ["TF122"] and "not finite" in found[-1].message


@pytest.mark.parametrize(("shuffle", "codes"), [(False, ["TF112"]), (True, [])])
def test_an_order_that_grouping_by_length_overrides_is_told(shuffle: bool, codes: list[str], tmp_path: Path) -> None:
    changes = {
        "data": {"train": "t.jsonl", "format": "chat", "eval": {"split": 0.1}, "shuffle": shuffle},
        "training": {"group_by_length": True},
    }
    found = problems(changes, tmp_path)
    assert [d.code for d in found] == codes and all(d.path == "data.shuffle" for d in found)
