"""Validation errors of the models, told in the words of the spec."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from .diagnostics import Diagnostic, Level
from .fields import Section
from .language import describe, homes, literals, section_at, section_of
from .places import key_span, locate, steps
from .spec import Spec
from .words import ELSEWHERE, suggest
from .yaml_reader import Node

_LIMITS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "at most"),
}
_TYPES = {
    "int_type",
    "int_from_float",
    "float_type",
    "string_type",
    "bool_type",
    "tuple_type",
    "dict_type",
    "model_type",
}
_EXAMPLES = {
    "version": "version: 1",
    "name": "name: support-bot",
    "model": "model: HuggingFaceTB/SmolLM2-135M-Instruct",
    "method": "method: sft",
    "data": "data: {train: data/train.jsonl}",
    "data.train": "train: data/train.jsonl",
    "targets": "targets: {trl: {}}",
}


def translate(error: ValidationError, root: Node, model: type[Section] = Spec, at: str = "") -> list[Diagnostic]:
    """Every error as a diagnostic with its place. `at` is the path of `root` in the spec."""
    every = error.errors(include_url=False)
    # A list whose items are all wrong counts as too short beside them.
    wrong = {e["loc"][: len(e["loc"]) - n] for e in every for n in range(1, len(e["loc"]))}
    kept = [e for e in every if e["type"] != "too_short" or e["loc"] not in wrong]
    groups = groupby(kept, key=lambda e: _field(e, model))
    return [_diagnostic(loc, list(group), root, model, at) for loc, group in groups]


def _field(error: ErrorDetails, model: type[Section]) -> tuple[str | int, ...]:
    """The error's location in the language: pydantic also names the branches of unions in it."""
    found: list[str | int] = []
    section: type[Section] | None = model
    held = ""
    for index, step in enumerate(error["loc"]):
        last = index == len(error["loc"]) - 1
        if isinstance(step, int) or held == "<label>":
            found.append(step)
            held = "" if held == "<label>" else held
        elif section is not None and step in section.model_fields:
            found.append(step)
            section, held = section_of(section.model_fields[step].annotation)
        elif last and error["type"] in ("missing", "extra_forbidden"):
            found.append(step)
    return tuple(found)


def _diagnostic(
    loc: tuple[str | int, ...], details: list[ErrorDetails], root: Node, model: type[Section], at: str
) -> Diagnostic:
    node, path = locate(root, loc)
    path = f"{at}.{path}".strip(".") if at else path
    first = details[0]
    kind, value = first["type"], node.plain()
    where = f"`{path}`" if path else "the spec"
    names = tuple(step for step in loc if isinstance(step, str))
    code, span, hint = "TF103", node.span, None
    if kind == "missing":
        code, span = "TF101", key_span(node)
        full = f"{path}.{loc[-1]}".strip(".")
        message, hint, path = f"{where} needs `{loc[-1]}`", _EXAMPLES.get(full), full
        hint = f"for example `{hint}`" if hint else None
    elif kind == "extra_forbidden" and steps(path)[-1] != names[-1]:  # a bare word that names no choice
        section = section_at(names[:-1], model) or model
        code, words = "TF105", list(section.model_fields)
        message, near = f"{where} is {_list(words)}, not `{names[-1]}`", suggest(names[-1], words)
        hint = f"did you mean `{near}`?" if near else None
    elif kind == "extra_forbidden":
        code, span = "TF104", key_span(node)
        message, hint = _unknown(names, model, at)
    elif "[key]" in first["loc"]:
        span = key_span(node)
        message, hint = f"`{path}`: a label has letters, digits, `-` and `_`, at most 63 of them", None
    elif kind in _LIMITS:
        message = f"{where} must be {' and '.join(_limits(details))}, not {_show(value)}"
    elif words := _choices(details, names, model):
        code = "TF105"
        message = f"{where} is {_list(words)}, not {_show(value)}"
        near = suggest(value, words) if isinstance(value, str) else None
        hint = f"did you mean `{near}`?" if near else None
    elif kind in _TYPES or len(details) > 1:
        code = "TF102"
        message = f"{where} must be {_wanted(details, names, model)}, not {_show(value)}"
        hint = _type_hint(value, details)
    elif kind == "string_pattern_mismatch":
        message, hint = f"{where} cannot be {_show(value)}", _pattern_hint(path)
    elif kind in ("string_too_short", "too_short"):
        message = f"{where} is empty"
    elif kind in ("string_too_long", "too_long"):
        message = f"{where} is too long: {first['msg'].lower()}"
    elif kind == "finite_number":
        message = f"{where} must be a finite number"
    else:
        message = f"{where} {first['msg']}"
    return Diagnostic(code, Level.ERROR, path, message, hint, span)


def _unknown(names: tuple[str, ...], model: type[Section], at: str) -> tuple[str, str | None]:
    key, parents = names[-1], names[:-1]
    section = section_at(parents, model)
    inside = ".".join([*([at] if at else []), *parents])
    message = f"unknown key `{key}` in `{inside}`" if inside else f"unknown key `{key}`"
    known = list(section.model_fields) if section else []
    if near := suggest(key, known):
        return message, f"did you mean `{near}`?"
    if places := homes().get(key):
        return message, "it belongs in " + " or ".join(f"`{p}`" for p in places[:3])
    if key in ELSEWHERE:
        path, _, rest = ELSEWHERE[key].partition(" ")
        return message, f"here this is `{path}`{' ' + rest if rest else ''}"
    return message, f"known here: {', '.join(k for k in known)}" if known else None


def _limits(details: list[ErrorDetails]) -> Iterator[str]:
    for detail in details:
        if detail["type"] in _LIMITS:
            key, word = _LIMITS[detail["type"]]
            yield f"{word} {detail['ctx'][key]:g}"


def _choices(details: list[ErrorDetails], names: tuple[str, ...], model: type[Section]) -> list[str]:
    if all(detail["type"] != "literal_error" for detail in details):
        return []
    annotation = _annotation(names, model)
    if annotation is None or len(details) > 1:
        return []
    return literals(annotation)


def _annotation(names: tuple[str, ...], model: type[Section]) -> Any:
    section = section_at(names[:-1], model) if names else None
    info = section.model_fields.get(names[-1]) if section else None
    return info.annotation if info else None


def _wanted(details: list[ErrorDetails], names: tuple[str, ...], model: type[Section]) -> str:
    annotation = _annotation(names, model)
    if annotation is not None and all(isinstance(step, str) for step in details[0]["loc"][:1]):
        return describe(annotation)
    return {"string_type": "text", "model_type": "a mapping"}.get(details[0]["type"], "something else")


def _type_hint(value: Any, details: list[ErrorDetails]) -> str | None:
    kinds = {detail["type"] for detail in details}
    if isinstance(value, str) and kinds & {"int_type", "float_type"}:
        bare = value.replace("_", "").replace(",", "")
        try:
            float(bare)
        except ValueError:
            return None
        return f"write {bare}, without quotes or separators"
    if isinstance(value, str) and "bool_type" in kinds:
        return "YAML 1.2 has only `true` and `false`, without quotes"
    if not isinstance(value, str | dict | tuple) and "string_type" in kinds:
        return f'quote it: "{value}"'
    return None


def _pattern_hint(path: str) -> str | None:
    if path == "name":
        return "lower-case letters, digits, `.`, `_` and `-`, beginning and ending with a letter or digit, at most 63"
    return None


def _list(words: list[str]) -> str:
    quoted = [f"`{w}`" for w in words]
    return quoted[0] if len(quoted) == 1 else f"one of {', '.join(quoted[:-1])} and {quoted[-1]}"


def _show(value: Any) -> str:
    """A value as the user would know it again."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'the text "{value[:60]}{"…" if len(value) > 60 else ""}"'
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, tuple):
        return "a list"
    return "empty" if value is None else str(value)
