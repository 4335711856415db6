"""`extra:`: a target's own keys, checked against a snapshot of its schema."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ..spec.diagnostics import Diagnostic, Level
from ..spec.words import suggest

Schema = Mapping[str, Mapping[str, Any]]  # key -> {"type", "default"}
SECRETS = {"token", "hub_token", "push_to_hub_token", "hf_use_auth_token", "comet_api_key"}
_PYTHON: dict[str, type | tuple[type, ...]] = {
    "bool": bool,
    "int": int,
    "float": (int, float),
    "str": str,
    "dict": dict,
    "list": tuple,
}


@cache
def native_schema(file: str, name: str) -> Schema:
    """The keys of one class from a snapshot beside the trainers."""
    data = json.loads((Path(__file__).parent / "trainers" / file).read_text(encoding="utf-8"))
    found: Schema = data["classes"][name]
    return found


def check_extra(
    extra: Mapping[str, Any], schema: Schema, owned: Mapping[str, str], label: str, target: str
) -> Iterator[Diagnostic]:
    """Problems in `extra:`. `owned` maps the keys that the plan sets to the path in the spec that rules each."""
    for key, value in extra.items():
        path = f"targets.{label}.extra.{key}"
        if key in SECRETS:
            message = f"`{key}` is a secret and would stand in the artifact"
            yield Diagnostic("TF208", Level.ERROR, path, message, "log in on the machine, or set HF_TOKEN there")
        elif key in owned:
            rule = owned[key] or "Tuneform itself"
            hint = f"set `{rule}` instead" if owned[key] else "remove it"
            yield Diagnostic("TF207", Level.ERROR, path, f"`{key}` follows from {_code(rule)}", hint)
        elif key not in schema:
            near = suggest(key, schema)
            message = f"{target} has no key `{key}`"
            yield Diagnostic("TF206", Level.ERROR, path, message, f"did you mean `{near}`?" if near else None)
        elif not fits(value, str(schema[key]["type"])):
            message = f"{target} takes `{schema[key]['type']}` for `{key}`, not {type(value).__name__}"
            yield Diagnostic("TF206", Level.ERROR, path, message.replace("tuple", "list"))
        elif not _is_finite(value):
            yield Diagnostic("TF206", Level.ERROR, path, f"`{key}` holds a number that is not finite", None)


def fits(value: Any, declared: str) -> bool:
    """Whether a value is of a declared type. A type that is not plain (a class, a callable) fits nothing."""
    members = [member.strip().split("[")[0] for member in declared.split(" | ")]
    if value is None:
        return "None" in members
    for member in members:
        kind = _PYTHON.get(member)
        if kind and isinstance(value, kind) and (member == "bool" or not isinstance(value, bool)):
            return True
    return False


def _is_finite(value: Any) -> bool:
    """Whether every number is one that JSON and a Python literal can write: no infinity, and not NaN."""
    if isinstance(value, dict | tuple):
        return all(map(_is_finite, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, float) or math.isfinite(value)


def _code(rule: str) -> str:
    return f"`{rule}`" if "." in rule else rule
