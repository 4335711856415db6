"""The examples that stand in the docstrings of rules and advice."""

from __future__ import annotations

import re
from inspect import cleandoc
from typing import Any

import yaml

from tuneform.spec.advice.base import Advice
from tuneform.spec.rules.base import Rule
from tuneform.spec.yaml_reader import scalar

ROWS = 2_000  # where an example says nothing of them
BLOCK = r"(?:, with ([\d,]+) training rows)?:\n\n((?:    .*\n?|\n)+)"


def plain(value: Any) -> Any:
    """YAML 1.2 numbers: PyYAML takes 1e-5 for text."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return scalar(value) if isinstance(value, str) else value


def example(piece: Advice | Rule, word: str) -> tuple[dict[str, Any], int]:
    """The sections that an example changes, and its number of rows."""
    found = re.search(word + BLOCK, cleandoc(piece.explanation) + "\n")
    assert found, f"{piece.code} lacks an example after `{word}`"
    return plain(yaml.safe_load(cleandoc(found[2]))), int((found[1] or str(ROWS)).replace(",", ""))
