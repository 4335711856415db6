"""Write the names and types of Axolotl's config keys: `python snapshot_axolotl.py > axolotl_keys.json`.

Run it with the interpreter of Axolotl's environment; `make snapshots` does. A nested model is a mapping, an enumeration
a text: what a YAML file can say.
"""

import json
import sys
import types
import typing
from enum import Enum
from importlib.metadata import version

from axolotl.utils.schemas.config import AxolotlInputConfig
from pydantic import BaseModel

PLAIN = (bool, int, float, str, dict)


def kinds(annotation: object) -> set[str]:
    """The plain types of an annotation."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return set().union(*(kinds(member) for member in arguments))
    if origin is typing.Annotated:
        return kinds(arguments[0])
    if origin is typing.Literal:
        return {type(value).__name__ for value in arguments}
    if annotation in (None, type(None)):
        return {"None"}
    if annotation is typing.Any:
        return {kind.__name__ for kind in PLAIN} | {"list", "None"}
    kind = origin or annotation
    if kind in (list, tuple, set):
        return {"list"}
    if not isinstance(kind, type):
        return set()
    if issubclass(kind, BaseModel | dict):
        return {"dict"}
    return {"str"} if issubclass(kind, Enum) else {kind.__name__}


def main() -> None:
    keys = {}
    for name, field in AxolotlInputConfig.model_fields.items():
        key = field.alias or name
        keys[key] = {"type": " | ".join(sorted(kinds(field.annotation), key=lambda kind: (kind == "None", kind)))}
    json.dump(
        {"axolotl": version("axolotl"), "classes": {"AxolotlInputConfig": keys}}, sys.stdout, indent=1, sort_keys=True
    )
    print()


if __name__ == "__main__":
    main()
