"""Specs that several trainers train, and what TRL made of them: the same rows, rates and losses are expected."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .bundles import bundle

HERE = Path(__file__).parent
QUIET = {"AXOLOTL_DO_NOT_TRACK": "1", "ACCELERATE_USE_CPU": "1", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
# Answers of unequal length, so that a mean over micro batches is no mean over tokens.
UNEVEN = [
    {"messages": [{"role": "user", "content": f"Help {i}"}, {"role": "assistant", "content": "yes lamp " * (1 + i * 7 % 11)}]}
    for i in range(20)
]  # fmt: skip
PACE = {"max_steps": 4, "batch_size": 4, "micro_batch_size": 2, "precision": "fp32", "max_length": 64, "warmup": 1}
CASES: dict[str, tuple[str, str, list[dict[str, Any]] | None, dict[str, Any]]] = {
    "full": ("sft", "full", UNEVEN, {"training": {**PACE, "learning_rate": 3e-3}}),
    "lora": ("sft", "lora", UNEVEN, {"training": PACE}),
    "qlora": ("sft", "qlora", UNEVEN, {"training": PACE}),
    "pretrain": ("pretrain", "full", None, {"training": {**PACE, "learning_rate": 3e-3}}),
    "options": (
        "sft",
        "full",
        UNEVEN,
        {
            "model": {"dtype": "bfloat16", "chat_template": "./chat.jinja", "special_tokens": {"additional": ["<|new|>"]}},
            "training": {
                **{**PACE, "max_steps": None},
                **{"epochs": 2, "scheduler": {"name": "cosine", "min_lr_ratio": 0.2}, "learning_rate": 1e-3},
                **{"gradient_checkpointing": False, "weight_decay": 0.1, "on_too_long": "truncate", "max_length": 40},
            },
            "data": {"shuffle": False},
            "evaluation": {"every": "epoch", "at_start": False, "early_stopping": {"patience": 1, "min_delta": 0.001}},
            "saving": {"every": "epoch", "best": True},
        },
    ),
}  # fmt: skip
PREFERENCES = {
    f"{method}-{kind}": (method, kind, None, {"training": {**PACE, "learning_rate": 3e-3}})
    for method, kind in (("dpo", "lora"), ("dpo", "full"), ("kto", "lora"), ("orpo", "lora"), ("grpo", "lora"))
}
TEMPLATE = "{% for m in messages %}<|im_start|>{{ m.role }}: {{ m.content }}<|im_end|>\n{% endfor %}"
Found = dict[str, dict[str, Any]]


def bundles_of(target: str, names: Iterable[str], model: Path, root: Path) -> dict[str, Path]:
    """Compile the cases for a target, each in a folder of its own."""
    found = {}
    for name in names:
        method, kind, rows, changes = {**CASES, **PREFERENCES}[name]
        folder = root / f"{target}-{name}"
        folder.mkdir(parents=True)
        (folder / "chat.jinja").write_text(TEMPLATE)
        own = {**changes, "model": {"id": str(model), **changes.get("model", {})}}
        found[name] = bundle(method, kind, model, folder, rows, target=target, **own)
    return found


def run(python: str, script: str, folders: Iterable[Path]) -> Found:
    """What a probe says of the bundles, by their folders."""
    command = [python, str(HERE / script), *map(str, folders)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | QUIET)
    assert done.returncode == 0, done.stderr[-3000:]
    found: Found = json.loads(done.stdout.rsplit("RESULT ", 1)[1].splitlines()[0])
    return found


def train(python: str, script: str, target: str, names: Iterable[str], model: Path, root: Path) -> Found:
    """Train cases on a target, all in one process."""
    folders = bundles_of(target, names, model, root)
    found = run(python, script, folders.values())
    return {name: found[str(folder)] for name, folder in folders.items()}


def series(result: dict[str, Any], name: str) -> dict[int, float]:
    """The values of a metric by step."""
    return {line["step"]: line[name] for line in result["history"] if name in line}
