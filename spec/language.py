"""Looking into the language: its fields, their types, and every leaf by path."""

from __future__ import annotations

import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from .fields import Marker, Section
from .spec import Spec


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field that is no section. `path` has `[]` behind a list and `<label>` for a key that the user chooses."""

    path: str
    info: FieldInfo
    annotation: Any


def branches(annotation: Any) -> list[Any]:
    """The members of a union without None; other types stand alone. `Annotated` is looked through."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        return [b for member in get_args(annotation) if member is not type(None) for b in branches(member)]
    return [annotation]


def section_of(annotation: Any) -> tuple[type[Section] | None, str]:
    """The section inside a type and how it is held: "" alone, "[]" in a list, "<label>" in a mapping."""
    return _section_of(annotation)


@cache  # a compile asks a hundred times
def _section_of(annotation: Any) -> tuple[type[Section] | None, str]:
    for branch in branches(annotation):
        if isinstance(branch, type) and issubclass(branch, Section):
            return branch, ""
        origin, args = get_origin(branch), get_args(branch)
        if origin is tuple and args and (held := section_of(args[0])[0]):
            return held, "[]"
        if origin is dict and (held := section_of(args[1])[0]):
            return held, "<label>"
    return None, ""


def leaves(section: type[Section] = Spec, prefix: str = "") -> Iterator[Leaf]:
    """Every leaf of the language, in the order of the models."""
    for name, info in section.model_fields.items():
        held, how = section_of(info.annotation)
        path = f"{prefix}{name}"
        if held is None:
            yield Leaf(path, info, info.annotation)
        else:
            yield from leaves(held, path + (how if how == "[]" else f".{how}" if how else "") + ".")


def section_at(path: tuple[str, ...], root: type[Section] = Spec) -> type[Section] | None:
    """The section that a path leads to, list indices and labels left out; None for a leaf or an unknown key."""
    section: type[Section] | None = root
    how = ""
    for key in path:
        if how == "<label>":
            how = ""
            continue
        if section is None or key not in section.model_fields:
            return None
        section, how = section_of(section.model_fields[key].annotation)
    return section if how != "<label>" else None


def _has(annotation: Any, mark: Marker) -> bool:
    if get_origin(annotation) is Annotated:
        base, *metadata = get_args(annotation)
        return mark in metadata or _has(base, mark)
    return any(_has(arg, mark) for arg in get_args(annotation))


@cache
def marked_paths(mark: Marker) -> frozenset[str]:
    """The leaves whose type carries a mark, without `[]`."""
    return frozenset(
        leaf.path.replace("[]", "") for leaf in leaves() if mark in leaf.info.metadata or _has(leaf.annotation, mark)
    )


_OPEN = "*"  # stands for keys of the user's own


@cache
def _tree() -> dict[str, Any]:
    """Every key of the language under the keys above it."""
    root: dict[str, Any] = {}
    for leaf in leaves():
        path = leaf.path.replace("data.eval.sources[]", "data.eval").replace("[]", "")  # sources stand under `eval`
        keys = path.partition(".<label>")[0].split(".")
        own = "<label>" in path or any(get_origin(branch) is dict for branch in branches(leaf.annotation))
        node = root
        for key in [*keys, _OPEN] if own else keys:
            node = node.setdefault(key, {})
    return root


def is_known(path: Sequence[str]) -> bool:
    """Whether the language has this key, or one of the user's own may stand here. Indices of lists are left out."""
    node = _tree()
    for key in path:
        if _OPEN in node:
            return True
        if key not in node:
            return False
        node = node[key]
    return True


@cache
def homes() -> dict[str, tuple[str, ...]]:
    """Key name -> the places where the language has it; for hints about a key in the wrong place."""
    found: dict[str, list[str]] = {}
    for leaf in leaves():
        if "<label>" not in leaf.path:
            found.setdefault(leaf.path.rsplit(".", 1)[-1], []).append(leaf.path.replace("[]", ""))
    return {name: tuple(paths) for name, paths in found.items()}


def literals(annotation: Any) -> list[str]:
    """The words that a field takes, if it takes words only."""
    return [str(w) for b in branches(annotation) if get_origin(b) is Literal for w in get_args(b)]


def describe(annotation: Any) -> str:
    """What a field takes, in words."""
    return " or ".join(dict.fromkeys(_describe(branch) for branch in branches(annotation)))


def _describe(branch: Any) -> str:
    words = {int: "a whole number", float: "a number", str: "text", bool: "true or false", dict: "a mapping"}
    if isinstance(branch, type) and issubclass(branch, Section):
        return "a mapping"
    if get_origin(branch) is Literal:
        return ", ".join(f"`{word}`" for word in get_args(branch))
    if get_origin(branch) is tuple:
        return "a list"
    return words.get(get_origin(branch) or branch, "a value")
