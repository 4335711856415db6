"""Write the names, types and defaults of TRL's config classes: `python snapshot_trl.py > trl_keys.json`.

Run it with the interpreter of TRL's environment; `make snapshots` does.
"""

import dataclasses
import json
import sys
import typing

import trl
from trl.experimental.orpo import ORPOConfig


def kind(annotation: object) -> str:
    """A type as text, without module names."""
    text = annotation.__name__ if isinstance(annotation, type) and not typing.get_args(annotation) else str(annotation)
    for noise in (
        "typing.",
        "transformers.trainer_utils.",
        "transformers.training_args.",
        "transformers.debug_utils.",
    ):
        text = text.replace(noise, "")
    return text.replace("NoneType", "None")


def default(field: "dataclasses.Field[object]") -> object:
    value = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
    value = getattr(value, "value", value)
    return None if value is dataclasses.MISSING else value


def classes() -> dict[str, dict[str, dict[str, object]]]:
    """The fields of each config class."""
    found = {}
    for config in (trl.SFTConfig, trl.DPOConfig, trl.KTOConfig, trl.GRPOConfig, ORPOConfig):
        name, fields = config.__name__, dataclasses.fields(config)
        found[name] = {f.name: {"type": kind(f.type), "default": default(f)} for f in fields if f.init}
    return found


def main() -> None:
    json.dump({"trl": trl.__version__, "classes": classes()}, sys.stdout, indent=1, sort_keys=True)
    print()


if __name__ == "__main__":
    main()
