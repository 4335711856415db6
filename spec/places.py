"""Finding the node that a path or a validation error speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .diagnostics import Span
from .yaml_reader import Node


def locate(root: Node, loc: Iterable[str | int]) -> tuple[Node, str]:
    """The deepest node on the way, and its path as the user wrote it.

    Steps that the file does not have are skipped: a shorthand stands at its section, a list of one at its item.
    """
    node, path = root, ""
    for step in loc:
        if isinstance(node.value, dict) and isinstance(step, str) and step in node.value:
            node, path = node.value[step], f"{path}.{step}" if path else step
        elif isinstance(node.value, list) and isinstance(step, int) and step < len(node.value):
            node, path = node.value[step], f"{path}[{step}]"
    return node, path


def key_span(node: Node) -> Span:
    """Where the key stands; where there is none (list items, the root), the value."""
    return node.key_span or node.span


def steps(path: str) -> list[str | int]:
    """`data.train[0].path` as steps."""
    parts = re.findall(r"\[(\d+)\]|([^.]+?)(?=\.|\[\d+\]|$)", path)
    return [int(index) if index else key for index, key in parts]
