"""Write the keys of Unsloth's two calls and of the TRL beside it: `python snapshot_unsloth.py > unsloth_keys.json`.

Run it with the interpreter of Unsloth's environment; `make snapshots` does. The signatures are read from the source,
since importing Unsloth gives those of the machine that it is on. A key without an annotation has its default's type.
"""

import ast
import json
import sys
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import snapshot_trl

CALLS = {
    "from_pretrained": ("unsloth", "models/loader.py", "FastLanguageModel"),
    "get_peft_model": ("unsloth", "models/llama.py", "FastLlamaModel"),
}
ON_CPU = ("unsloth_zoo", "cpu/loader.py", "FastCPUModel")
ANY = "bool | dict | float | int | list | str | None"


def signature(package: str, file: str, owner: str, call: str) -> dict[str, dict[str, object]]:
    spec = find_spec(package)
    assert spec is not None and spec.submodule_search_locations is not None
    module = ast.parse(Path(spec.submodule_search_locations[0], file).read_text(encoding="utf-8"))
    body = next(n.body for n in module.body if isinstance(n, ast.ClassDef) and n.name == owner)
    found = next(n.args for n in body if isinstance(n, ast.FunctionDef) and n.name == call)
    return {name: described(default) for name, default in arguments(found) if name != "model"}


def arguments(found: ast.arguments) -> Iterator[tuple[str, ast.expr | None]]:
    given = [None] * (len(found.args) - len(found.defaults)) + list(found.defaults)
    yield from ((a.arg, default) for a, default in zip(found.args, given, strict=True))
    yield from ((a.arg, default) for a, default in zip(found.kwonlyargs, found.kw_defaults, strict=True))


def described(default: ast.expr | None) -> dict[str, object]:
    try:
        value = ast.literal_eval(default) if default else None
    except ValueError:
        value = None
    return {"type": ANY if value is None else type(value).__name__, "default": value}


def main() -> None:
    classes = dict(snapshot_trl.classes())
    for call, place in CALLS.items():
        classes[call] = signature(*place, call)
        classes[f"{call} (cpu)"] = signature(*ON_CPU, call)
    found = {"unsloth": version("unsloth"), "trl": version("trl"), "classes": classes}
    json.dump(found, sys.stdout, indent=1, sort_keys=True)
    print()


if __name__ == "__main__":
    main()
