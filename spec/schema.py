"""The JSON Schema of the language, with the models' docstrings as descriptions."""

from __future__ import annotations

import ast
import inspect
import sys
from itertools import pairwise
from typing import Any

from .fields import Section
from .language import section_of
from .spec import Spec
from .stages import LABEL, NOT_IN_A_STAGE

ID = "urn:tuneform:spec:1"


def sections(root: type[Section] = Spec) -> dict[str, type[Section]]:
    """Every section by its name, the root first."""
    found = {root.__name__: root}
    for info in root.model_fields.values():
        held, _ = section_of(info.annotation)
        if held is not None and held.__name__ not in found:
            found |= {name: s for name, s in sections(held).items() if name not in found}
    return found


def descriptions(section: type[Section]) -> dict[str, str]:
    """The text under each field of a section."""
    tree = ast.parse(inspect.getsource(sys.modules[section.__module__]))
    body = next(n.body for n in tree.body if isinstance(n, ast.ClassDef) and n.name == section.__name__)
    found = {}
    for field, text in pairwise(body):
        name = getattr(field.target, "id", None) if isinstance(field, ast.AnnAssign) else None
        if name and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            found[name] = " ".join(str(text.value.value).split())
    return found


def json_schema(null: bool = True) -> dict[str, Any]:
    """The schema that editors complete and check with; `null=False` leaves out that a key may have no value."""
    schema = Spec.model_json_schema()
    known = sections()
    for name, definition in {"Spec": schema, **schema["$defs"]}.items():
        if name in known:
            _describe(definition, known[name])
    _tidy(schema)
    schema["properties"]["targets"]["additionalProperties"] = False
    _add_stages(schema)
    if null:
        for definition in (schema, *schema["$defs"].values()):
            _allow_null(definition)
        for name in ("targets", "stages"):
            for block in schema["properties"][name]["patternProperties"].values():
                _or_null(block)
    # A spec that extends another may leave out what that one has; one with stages, what these have.
    schema["if"] = {"anyOf": [{"required": ["extends"]}, {"required": ["stages"]}]}
    schema["else"] = _whole(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": ID, **schema}


def _add_stages(schema: dict[str, Any]) -> None:
    """A stage holds any part of the spec."""
    own = {key: dict(field) for key, field in schema["properties"].items() if key not in NOT_IN_A_STAGE}
    schema["$defs"]["Stage"] = {"type": "object", "properties": own, "additionalProperties": False}
    stages = schema["properties"]["stages"]
    stages.pop("default", None)
    stages["patternProperties"] = {LABEL: {"$ref": "#/$defs/Stage"}}
    stages["additionalProperties"] = False


def _whole(schema: dict[str, Any]) -> dict[str, Any]:
    """What a spec needs that is put together from no others; these keys are taken out of the sections themselves."""
    model, data, eval_ = (
        next(part for part in (d, *d.get("anyOf", [])[::-1]) if "required" in part)
        for d in (schema["$defs"][name] for name in ("Model", "Data", "Holdout"))
    )
    places = [{"required": [key]} for key in ("path", "id")]
    held = {"anyOf": [{"required": eval_.pop("required")}, *places]}
    sections = {
        "model": {"required": model.pop("required")},
        "data": {"required": data.pop("required"), "properties": {"eval": held}},
    }
    return {"required": schema.pop("required"), "properties": sections}


def _allow_null(definition: dict[str, Any]) -> None:
    """A key with no value is no key: null may stand wherever a field may be left out."""
    for part in (definition, *definition.get("anyOf", [])):
        for name, field in part.get("properties", {}).items():
            if name not in part.get("required", ()):
                _or_null(field)


def _or_null(field: dict[str, Any]) -> None:
    if "enum" in field and None not in field["enum"]:
        field["enum"] = [*field["enum"], None]
    if isinstance(field.get("type"), str):
        field["type"] = [field["type"], "null"]
    elif "$ref" in field:
        field["anyOf"] = [{"$ref": field.pop("$ref")}, {"type": "null"}]
    elif {"type": "null"} not in field.get("anyOf", [{"type": "null"}]):
        field["anyOf"] = [*field["anyOf"], {"type": "null"}]


def _describe(definition: dict[str, Any], section: type[Section]) -> None:
    definition["description"] = " ".join((section.__doc__ or "").split())
    texts = descriptions(section)
    for part in (definition, *definition.get("anyOf", [])):
        for name, field in part.get("properties", {}).items():
            if name in texts:
                field["description"] = texts[name]


def _tidy(node: Any) -> None:
    """Take out what says nothing: titles, `null` branches of fields that may be left out, null defaults."""
    if isinstance(node, list):
        for item in node:
            _tidy(item)
    if not isinstance(node, dict):
        return
    for field in node.get("properties", {}).values():
        field.pop("title", None)
        if "$ref" in field or field.get("default", 0) is None:
            field.pop("default", None)
        branches = [b for b in field.pop("anyOf", []) if b != {"type": "null"}]
        if len(branches) == 1:
            field.update(branches[0] | field)
        elif branches:
            field["anyOf"] = branches
    for value in node.values():
        _tidy(value)
