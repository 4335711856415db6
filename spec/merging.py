"""Putting one tree on top of another, and single values into a tree."""

from __future__ import annotations

from .language import is_known, section_at
from .yaml_reader import Node

CHOICES = ("targets", "method", "tracking")
"""Sections whose keys are choices: one with no value is taken with its defaults."""


def merge(base: Node, over: Node, path: tuple[str, ...]) -> Node:
    """`over` on top of `base`: mappings are merged, anything else is replaced, null removes."""
    base = _expanded(base, path) if isinstance(over.value, dict) else base
    if not isinstance(base.value, dict) or not isinstance(over.value, dict):
        return over
    if path == ("method",) and base.value.keys() != over.value.keys():
        return over  # another method, not a second one
    entries = dict(base.value)
    for key, node in over.value.items():
        if node.value is None and key in entries:
            del entries[key]
        elif key in entries:
            entries[key] = merge(entries[key], node, (*path, key))
        else:
            entries[key] = node
    return Node(entries, over.span, over.key_span, 1 + sum(n.size for n in entries.values()))


def _expanded(node: Node, path: tuple[str, ...]) -> Node:
    """A shorthand as the mapping it stands for, so that a key can be put beside it."""
    section = section_at(path[2:] if path[:1] == ("stages",) else path)
    key = section.shorthand_key(node.value) if section and not isinstance(node.value, dict | list) else None
    if section is None or key is None:
        return node
    value = Node({}, node.span, node.span) if section.choices else Node(node.value, node.span, node.span)
    return Node({key: value}, node.span, node.key_span, 2)


def put(root: Node, path: list[str], node: Node, above: tuple[str, ...] = ()) -> Node:
    """A value put at a path. Null removes what is there; where nothing is, it only names a choice (`method.dpo=`)."""
    base = _expanded(root, above)
    entries = dict(base.value) if isinstance(base.value, dict) else {}
    key, rest = path[0], path[1:]
    if node.value is None and key not in entries and _says_nothing((*above, *path)):
        return root
    if node.value is None and not rest and key in entries:
        del entries[key]
    elif rest:
        child = entries.get(key) or Node({}, node.span, node.key_span)
        entries[key] = put(child, rest, node, (*above, key))
    else:
        entries[key] = merge(entries[key], node, (*above, key)) if key in entries else node
    return Node(entries, base.span, base.key_span, 1 + sum(n.size for n in entries.values()))


def _says_nothing(path: tuple[str, ...]) -> bool:
    """Whether null for a path that is not there has no meaning."""
    in_a_set = path[:1] == ("targets",) and path[2:3] == ("set",)
    return ".".join(path[:-1]) not in CHOICES and not in_a_set and is_known(path)
