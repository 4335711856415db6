"""Specs for tests, and compiling them in memory."""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from tuneform.compilers import registry
from tuneform.compilers.compile import Compiled, compile_target, for_label
from tuneform.runtime.project import open_project
from tuneform.spec.diagnostics import Diagnostic, Level
from tuneform.spec.load import Document, load
from tuneform.spec.plan import DataFacts
from tuneform.spec.rows.shapes import METHODS

TODAY = date(2026, 11, 1)
UP = "../../.."

MINIMAL: dict[str, Any] = {
    "version": 1,
    "name": "support-bot",
    "model": {"id": "acme/tiny"},
    "method": {"sft": {}},
    "data": {"train": [{"path": "data/train.jsonl"}], "eval": {"split": 0.1}},
    "targets": {"trl": {}},
}


def spec(**changes: Any) -> dict[str, Any]:
    """The minimal spec with sections replaced or merged."""
    found = copy.deepcopy(MINIMAL)
    for key, value in changes.items():
        merge = isinstance(value, dict) and isinstance(found.get(key), dict) and key != "method"
        found[key] = {**found[key], **value} if merge else value
    return found


# One spec for each part of the language that rules another out.
BASES: dict[str, dict[str, Any]] = {
    "sft-lora": spec(evaluation={"every": 10, "early_stopping": {"patience": 2}}, saving={"every": 10, "best": True}),
    "sft-full": spec(adapter={"type": "full"}, training={"scheduler": {"name": "cosine_with_restarts"}}),
    "sft-qlora": spec(adapter={"type": "qlora"}),
    "sft-qlora8": spec(adapter={"type": "qlora", "quantization": {"bits": 8}}),
    "sft-steps": spec(
        training={"max_steps": 50, "neftune_noise_alpha": 5.0, "router_aux_loss_coef": 0.01},
        hardware={"device": "cpu", "count": 2, "nodes": 2},
    ),
    "sft-files": spec(
        data={
            "train": [{"path": "a.jsonl"}, {"id": "acme/rows", "format": "chat"}],
            "eval": [{"path": "b.jsonl"}, {"id": "acme/rows", "format": "chat", "split": "dev"}],
            "test": [{"path": "c.jsonl"}, {"id": "acme/rows", "format": "chat", "split": "test"}],
        }
    ),
    "sft-tracked": spec(tracking={"wandb": {"project": "p"}, "mlflow": {"uri": "u"}, "tensorboard": {}}),
    "pretrain": spec(method={"pretrain": {}}, training={"on_too_long": "truncate"}),
    "dpo": spec(method={"dpo": {}}),
    "dpo-robust": spec(method={"dpo": {"loss_type": "robust"}}),
    "kto": spec(method={"kto": {}}),
    "kto-apo": spec(method={"kto": {"loss_type": "apo_zero_unpaired"}}),
    "orpo": spec(method={"orpo": {}}),
    "grpo": spec(
        method={"grpo": {"min_p": 0.05}},
        rewards=[
            {"exact_match": {"reference": "answer"}},
            {"regex": {"pattern": "[0-9]+"}},
            {"json_schema": {"type": "object"}},
            {"length": {"max": 40}},
            {"file": "score.py", "function": "score"},
        ],
        evaluation={"every": 10, "early_stopping": {"patience": 2}},
    ),
    "sft-fsdp": spec(hardware={"count": 2, "strategy": "fsdp"}),
    "sft-deepspeed": spec(hardware={"count": 2, "strategy": "deepspeed", "deepspeed": {"stage": 3}}),
    "sft-lion": spec(training={"optimizer": {"name": "lion_32bit"}, "scheduler": {"name": "polynomial"}}),
    "sft-root": spec(training={"scheduler": {"name": "inverse_sqrt"}}),
    "sft-stable": spec(training={"scheduler": {"name": "warmup_stable_decay", "decay_steps": 5}}),
    "sft-packed": spec(model={"id": "a/b", "attn_implementation": "flash_attention_2"}, training={"packing": True}),
    "sft-hub": spec(saving={"hub_model_id": "acme/tuned"}),
}


EVERYWHERE = {name: {**base, "targets": {target: {} for target in registry.names()}} for name, base in BASES.items()}


def bases(target: str) -> dict[str, dict[str, Any]]:
    """The specs whose method a target does, for that target."""
    done = registry.get(target).methods
    return {
        name: {**base, "targets": {target: {}}} for name, base in BASES.items() if next(iter(base["method"])) in done
    }


def put(found: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of a spec with one leaf changed; `[]` is the first item of a list."""
    changed: dict[str, Any] = copy.deepcopy(dict(found))
    node: Any = changed
    *above, last = path.replace("[]", ".0").replace("<label>", "trl").split(".")
    for step in above:
        node = node[int(step)] if isinstance(node, list) else node.setdefault(step, {})
    node[last] = value
    return changed


def put_somewhere(base: Mapping[str, Any], path: str, value: Any) -> dict[str, Any] | None:
    """The base with the leaf changed, if the base has the part that the leaf is in."""
    path = path.replace("data.eval.sources[]", "data.eval[]")
    above, _, last = path.rpartition("[].")
    try:
        if above == "rewards":
            kind = {"function": "file"}.get(last, last.split(".")[0])
            index = next(i for i, reward in enumerate(base["rewards"]) if kind in reward or kind == "weight")
            path = f"rewards.{index}.{last}"
        elif above:
            sources = base["data"][above.removeprefix("data.")]
            hub = last in ("subset", "split", "revision", "id")
            index = next(i for i, source in enumerate(sources) if ("id" in source) == hub)
            path = f"{above}.{index}.{last}"
        return put(base, path, value)
    except (KeyError, TypeError, StopIteration, AttributeError):
        return None


def document(found: Mapping[str, Any], folder: Path) -> Document:
    """Load a spec given as a mapping."""
    file = folder / "tuneform.yaml"
    text = json.dumps(found, ensure_ascii=False)  # JSON's surrogate pairs are no YAML
    file.write_text("".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text), encoding="utf-8")
    return load(str(file))


def compiled(found: Mapping[str, Any], folder: Path, label: str = "trl") -> tuple[Document, Compiled]:
    """Load and compile a spec given as a mapping; it must be free of errors."""
    whole = document(found, folder)
    assert whole.spec is not None, whole.diagnostics
    own, result = compiled_for(whole, label)
    assert result is not None, for_label(whole, label)[1]
    return own, result


def compiled_for(whole: Document, label: str) -> tuple[Document, Compiled | None]:
    """A loaded spec as a target sees it, and what is made of it; None where it has errors for the target."""
    own, problems = for_label(whole, label)
    if own.spec is None or errors(problems):
        return own, None
    facts = DataFacts(METHODS[own.spec.method.name][0], rows_train=400, rows_eval=40)
    return own, compile_target(own, label, facts, TODAY, UP)


def errors(found: Mapping[str, Any] | list[Diagnostic] | tuple[Diagnostic, ...]) -> list[Diagnostic]:
    """The errors among diagnostics."""
    return [d for d in found if isinstance(d, Diagnostic) and d.level is Level.ERROR]


def is_valid(found: Mapping[str, Any], folder: Path, label: str = "trl") -> bool:
    """Whether a spec has no error before a target sees it."""
    whole = document(found, folder)
    return whole.spec is not None and not errors(for_label(whole, label)[1])


def check_bytes(data: bytes) -> list[Diagnostic]:
    """Everything that is wrong with a spec given as bytes, its targets included, without its rows."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tuneform.yaml"
        file.write_bytes(data)
        return open_project(file, reading="none").diagnostics
