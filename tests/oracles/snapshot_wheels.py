"""The keys of trainers that are read from their wheels, without installing them.

    pip download --no-deps --dest WHEELS axolotl==0.19.0 llamafactory==0.9.5 unsloth==2026.10.9
    python tests/oracles/snapshot_wheels.py WHEELS

Names and types only: a default may be computed, and a type says enough for a decision.
"""

from __future__ import annotations

import ast
import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

KEYS = Path(__file__).parent / "keys"
Keys = dict[str, str]
Classes = dict[str, ast.ClassDef]


def modules(wheel: zipfile.ZipFile, folder: str) -> Iterator[ast.Module]:
    for name in sorted(wheel.namelist()):
        if name.startswith(folder) and name.endswith(".py"):
            yield ast.parse(wheel.read(name))


def classes(wheel: zipfile.ZipFile, folder: str) -> Classes:
    nodes = (node for module in modules(wheel, folder) for node in ast.walk(module))
    return {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}


def fields(found: Classes, name: str) -> Keys:
    """The annotated fields of a class, its bases' first."""
    keys: Keys = {}
    for base in reversed(found[name].bases):
        if isinstance(base, ast.Name) and base.id in found:
            keys |= fields(found, base.id)
    for node in found[name].body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and not _private(node):
            keys[_alias(node) or node.target.id] = kind(node.annotation)
    return keys


def _alias(node: ast.AnnAssign) -> str:
    """The name that a file has for a field, where `Field(alias=...)` gives one."""
    given = [k.value for k in node.value.keywords if k.arg == "alias"] if isinstance(node.value, ast.Call) else []
    return next((str(value.value) for value in given if isinstance(value, ast.Constant)), "")


def _private(node: ast.AnnAssign) -> bool:
    is_class_var = ast.unparse(node.annotation).startswith("ClassVar")
    not_an_argument = node.value is not None and "init=False" in ast.unparse(node.value)
    return is_class_var or not_an_argument or ast.unparse(node.target).startswith("_")


def kind(annotation: ast.expr) -> str:
    """A type as text; of `Annotated[T, ...]` the T."""
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Annotated":
        assert isinstance(annotation.slice, ast.Tuple)
        annotation = annotation.slice.elts[0]
    return ast.unparse(annotation)


def arguments(module: ast.Module, owner: str, function: str) -> Keys:
    """The arguments of a method, `self` and `*` left out."""
    body = next(n.body for n in module.body if isinstance(n, ast.ClassDef) and n.name == owner)
    found = next(n.args for n in body if isinstance(n, ast.FunctionDef) and n.name == function)
    every = [*found.posonlyargs, *found.args, *found.kwonlyargs]
    return {a.arg: kind(a.annotation) if a.annotation else "" for a in every if a.arg not in ("self", "model")}


def axolotl(wheel: zipfile.ZipFile) -> Keys:
    """The config model, with the models of its nested parts."""
    found = classes(wheel, "axolotl/utils/schemas/")
    keys: Keys = {}
    for name, prefix in AXOLOTL.items():
        keys |= {f"{prefix}{key}": declared for key, declared in fields(found, name).items()}
    return keys


AXOLOTL = {
    "AxolotlInputConfig": "",
    "PretrainingDataset": "datasets[].",
    "DPODataset": "datasets[].",
    "KTODataset": "datasets[].",
    "SFTDataset": "datasets[].",
    "SpecialTokensConfig": "special_tokens.",
    "PeftConfig": "peft.",
    "LoftQConfig": "peft.loftq_config.",
    "TRLConfig": "trl.",
    "VllmConfig": "vllm.",
    "FSDPConfig": "fsdp_config.",
}


def llamafactory(wheel: zipfile.ZipFile) -> Keys:
    """The argument classes, which share one namespace; those of transformers' TrainingArguments are in TRL's."""
    found = classes(wheel, "llamafactory/hparams/")
    keys: Keys = {}
    for name in ("ModelArguments", "DataArguments", "TrainingArguments", "FinetuningArguments", "GeneratingArguments"):
        keys |= fields(found, name)
    return keys


def unsloth(wheel: zipfile.ZipFile) -> Keys:
    """The two calls that make a model."""
    keys: Keys = {}
    for file, owner, call in (
        ("loader", "FastLanguageModel", "from_pretrained"),
        ("llama", "FastLlamaModel", "get_peft_model"),
    ):
        module = ast.parse(wheel.read(f"unsloth/models/{file}.py"))
        keys |= {f"{call}.{name}": declared for name, declared in arguments(module, owner, call).items()}
    return keys


READERS: dict[str, Callable[[zipfile.ZipFile], Keys]] = {
    "axolotl": axolotl,
    "llamafactory": llamafactory,
    "unsloth": unsloth,
}


def main() -> None:
    for name, read in READERS.items():
        (file,) = Path(sys.argv[1]).glob(f"{name}-*.whl")
        with zipfile.ZipFile(file) as wheel:
            found = {"of": f"{name} {file.name.split('-')[1]}", "keys": read(wheel)}
        text = json.dumps(found, indent=1, sort_keys=True)
        (KEYS / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
