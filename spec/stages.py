"""Stages: one spec as several runs in order, each with its own block on top of the rest."""

from __future__ import annotations

import re

from .yaml_reader import Node

LABEL = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$"
NOT_IN_A_STAGE = ("version", "name", "extends", "targets", "stages")


def names(root: Node) -> tuple[str, ...]:
    """The stages of a spec in order; none where it has none, or where a stage is no mapping."""
    blocks = _blocks(root)
    return (
        tuple(blocks) if all(block.value is None or isinstance(block.value, dict) for block in blocks.values()) else ()
    )


def unnamed(root: Node) -> list[tuple[str, Node]]:
    """Names of stages that no folder can have."""
    return [(name, node) for name, node in _blocks(root).items() if not re.fullmatch(LABEL, name)]


def misplaced(root: Node) -> list[tuple[str, Node]]:
    """Keys in a stage's block that only the whole spec can have, with their paths."""
    return [
        (f"stages.{name}.{key}", node)
        for name, block in _blocks(root).items()
        if isinstance(block.value, dict)
        for key, node in block.value.items()
        if key in NOT_IN_A_STAGE
    ]


def without(root: Node) -> Node:
    """The spec without its stages."""
    assert isinstance(root.value, dict)
    return Node({k: v for k, v in root.value.items() if k != "stages"}, root.span, root.key_span, root.size)


def block(root: Node, name: str) -> Node:
    """What a stage says itself, without the keys that are misplaced there."""
    found = _blocks(root)[name]
    entries = found.value if isinstance(found.value, dict) else {}
    return Node({k: v for k, v in entries.items() if k not in NOT_IN_A_STAGE}, found.span, None, found.size)


def _blocks(root: Node) -> dict[str, Node]:
    stages = root.value.get("stages") if isinstance(root.value, dict) else None
    return stages.value if stages is not None and isinstance(stages.value, dict) else {}
