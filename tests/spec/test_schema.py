"""The JSON Schema for editors takes what the language takes: parts that others complete, and keys with no value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.support import BASES, MINIMAL, document, put_somewhere
from tuneform.spec.language import Leaf, leaves
from tuneform.spec.schema import json_schema

SCHEMA = jsonschema.Draft202012Validator(json_schema())
IN_PARTS: list[dict[str, Any]] = [
    {"data": {"train": "a.jsonl", "eval": ["a.jsonl", {"path": "b.jsonl"}], "test": ["a.jsonl"]}},
    {"extends": "base.yaml", "model": {"dtype": "float32"}, "data": {"loss_on": "all"}, "saving": None},
    {"extends": "base.yaml", "data": {"eval": {"seed": 7}}, "adapter": {"rank": None, "init": None}},
    {"stages": {"first": None, "then": {"model": {"dtype": "float32"}, "data": {"format": None}, "training": None}}},
    {"training": {"warmup": "3.5%", "seed": None}, "evaluation": {"every": None, "early_stopping": None}},
]


@pytest.mark.parametrize("change", IN_PARTS)
def test_the_schema_takes_parts_and_keys_with_no_value(change: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(json.dumps(MINIMAL))
    own = {} if "extends" in change else MINIMAL
    assert document({**own, **change}, tmp_path).diagnostics == []
    SCHEMA.validate({**own, **change})


@pytest.mark.parametrize("leaf", [leaf for leaf in leaves() if "<label>" not in leaf.path], ids=lambda leaf: leaf.path)
def test_the_schema_takes_a_key_with_no_value_where_the_language_does(leaf: Leaf, tmp_path: Path) -> None:
    for base in BASES.values():
        changed = put_somewhere(base, leaf.path, None)
        if changed and document(changed, tmp_path).spec is not None:
            return SCHEMA.validate(changed)
    pytest.skip("a value is needed, or the key belongs to another one")


@pytest.mark.parametrize(
    "change",
    [
        {"training": {"warmup": "250%"}},
        {"model": {"dtype": "float32"}},
        {"data": {"format": "chat"}},
        {"data": {"train": "a.jsonl", "eval": {"seed": 7}}},
        {"name": None},
        {"model": None},
    ],
)
def test_a_whole_spec_lacks_nothing(change: dict[str, Any], tmp_path: Path) -> None:
    assert document({**MINIMAL, **change}, tmp_path).spec is None
    with pytest.raises(jsonschema.ValidationError):
        SCHEMA.validate({**MINIMAL, **change})
