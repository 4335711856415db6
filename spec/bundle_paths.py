"""Paths, sources of rows and rewards, as a bundle sees them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from .fields import Section
from .load import Document
from .places import locate


def from_spec(document: Document, loc: Sequence[str | int], text: str) -> str:
    """A path as seen from the spec's folder. It is relative to the file that names it, which may be a parent."""
    node, _ = locate(document.root, loc)
    here, there = os.path.dirname(document.file), os.path.dirname(node.span.file)
    if os.path.isabs(text):
        return text
    if node.span.file.startswith("--set "):
        there = ""
    return os.path.relpath(os.path.join(there, text), here or ".").replace(os.sep, "/")


def from_bundle(document: Document, loc: Sequence[str | int], text: str, up: str) -> str:
    """A path as seen from the bundle's folder."""
    path = from_spec(document, loc, text)
    return path if os.path.isabs(path) else os.path.normpath(os.path.join(up, path)).replace(os.sep, "/")


def rewards(document: Document, up: str) -> tuple[Mapping[str, Any], ...]:
    """The rewards, each as its kind, what that takes, and its weight; files as the bundle sees them."""
    assert document.spec is not None
    found = []
    for index, reward in enumerate(document.spec.rewards):
        value = getattr(reward, reward.kind)
        entry = {"kind": reward.kind, "weight": reward.weight}
        if reward.kind == "file":
            path = from_bundle(document, ["rewards", index, "file"], value, up)
            entry |= {"file": path, "function": reward.function}
        else:
            entry["settings"] = value.model_dump() if isinstance(value, Section) else value
        found.append(entry)
    return tuple(found)


def sources(document: Document, path: str, up: str) -> tuple[Mapping[str, Any], ...]:
    """The sources under a path, with their defaults settled and their files as the bundle sees them."""
    assert document.spec is not None
    data = document.spec.data
    held = {"data.train": data.train, "data.eval": data.eval.sources if data.eval else None, "data.test": data.test}
    found = []
    for index, source in enumerate(held[path] or ()):
        entry = source.model_dump(exclude_none=True)
        entry["format"] = source.format or data.format
        if source.path:
            entry["path"] = from_bundle(document, [*path.split("."), index, "path"], source.path, up)
        else:
            entry["split"] = source.split or "train"
        found.append(entry)
    return tuple(found)
