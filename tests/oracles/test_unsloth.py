"""The real Unsloth takes every generated script, and trains what TRL trains: the same rows, rates and losses."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support import bases, compiled

from .bundles import bundle
from .test_axolotl import TEMPLATE, UNEVEN
from .test_trl import keywords

pytestmark = pytest.mark.trainer
HERE = Path(__file__).parent
KEYS = json.loads((HERE.parent.parent / "compilers" / "trainers" / "unsloth_keys.json").read_text())
PACE = {"max_steps": 4, "batch_size": 4, "micro_batch_size": 2, "precision": "fp32", "max_length": 64, "warmup": 1}
FAST = {"training": {**PACE, "learning_rate": 3e-3}}
CASES: dict[str, tuple[str, str, list[dict[str, Any]] | None, dict[str, Any]]] = {
    "full": ("sft", "full", UNEVEN, FAST),
    "lora": ("sft", "lora", UNEVEN, {"training": PACE, "adapter": {"use_dora": True, "dropout": 0.1}}),
    "qlora": ("sft", "qlora", UNEVEN, {"training": PACE}),
    "pretrain": ("pretrain", "full", None, FAST),
    "dpo": ("dpo", "lora", None, FAST),
    "dpo-full": ("dpo", "full", None, {**FAST, "model": {"dtype": "bfloat16"}}),
    "kto": ("kto", "lora", None, FAST),
    "orpo": ("orpo", "lora", None, FAST),
    "grpo": ("grpo", "lora", None, FAST),
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
Found = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def trained(
    trl_python: str, unsloth_python: str, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Found]:
    """Every case on both trainers; one process runs all of a trainer's."""
    root, found = tmp_path_factory.mktemp("both"), {}
    for target, python in (("unsloth", unsloth_python), ("trl", trl_python)):
        folders = {case: made(target, case, tiny_model, root / f"{target}-{case}") for case in CASES}
        command = [python, str(HERE / "probe_scripts.py"), *map(str, folders.values())]
        done = subprocess.run(command, capture_output=True, text=True, env=environment())
        assert done.returncode == 0, done.stderr[-3000:]
        answers = json.loads(done.stdout.rsplit("RESULT ", 1)[1].splitlines()[0])
        found[target] = {case: answers[str(folder)] for case, folder in folders.items()}
    return found


def made(target: str, case: str, model: Path, folder: Path) -> Path:
    method, kind, rows, changes = CASES[case]
    folder.mkdir(parents=True)
    (folder / "chat.jinja").write_text(TEMPLATE)
    changes = {**changes, "model": {"id": str(model), **changes.get("model", {})}}
    if "adapter" in changes:
        changes["adapter"] = {"type": kind, **changes["adapter"]}
    return bundle(method, kind, model, folder, rows, target=target, **changes)


def environment() -> dict[str, str]:
    return os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


def series(result: dict[str, Any], name: str) -> dict[int, float]:
    return {line["step"]: line[name] for line in result["history"] if name in line}


def test_the_snapshot_of_unsloths_keys_is_fresh(unsloth_python: str) -> None:
    command = [unsloth_python, str(HERE / "snapshot_unsloth.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == KEYS, "run `make snapshots`"


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_every_keyword_is_one_that_unsloth_has(device: str, tmp_path: Path) -> None:
    classes = {name: set(keys) for name, keys in KEYS["classes"].items()}
    where = " (cpu)" if device == "cpu" else ""
    lora = {"target_parameters", "use_dora"}  # of PEFT's LoraConfig, which the rest goes to
    others = {"from_pretrained": {"use_exact_model_name", "random_state"}, "get_peft_model": lora}
    checked = 0
    for base, found in bases("unsloth").items():
        if device == "cpu" and base in ("sft-qlora8", "sft-packed", "sft-lion"):
            continue
        _, result = compiled({**found, "hardware": {"device": device}}, tmp_path, "unsloth")
        scripts = [file.text for file in result.bundle.files if file.path == "train.py"] if result.bundle else []
        for call, names in (item for text in scripts for item in keywords(text).items()):
            short = call.removeprefix("FastLanguageModel.")
            if call != short:
                assert names <= classes[f"{short}{where}"] | others[short], base
                checked += 1
            elif call in classes:
                assert names <= classes[call], base
    assert checked > 20


@pytest.mark.parametrize("case", CASES)
def test_unsloth_trains_what_trl_trains(case: str, trained: dict[str, Found]) -> None:
    unsloth, trl = trained["unsloth"][case], trained["trl"][case]
    assert unsloth["steps"] == trl["steps"] > 2
    copied = trl["trained"] if case in ("dpo", "kto") else 0  # TRL keeps the first adapter as the reference
    assert (unsloth["trained"], unsloth["all"]) == (trl["trained"], trl["all"] + copied)
    assert (unsloth["class"], unsloth["file"], unsloth["tensors"]) == (trl["class"], trl["file"], trl["tensors"])
    assert unsloth["first"] == trl["first"]
    assert ("Linear4bit" in unsloth["kinds"]) == (case == "qlora")
    assert series(unsloth, "learning_rate") == pytest.approx(series(trl, "learning_rate"), rel=1e-9)
    assert len(series(trl, "loss")) > 2
    for name in ("loss", "eval_loss", "reward", "grad_norm"):
        assert series(unsloth, name) == pytest.approx(series(trl, name), rel=5e-3, abs=1e-9), name


def test_two_processes_train_as_one(
    unsloth_python: str, trained: dict[str, Found], tiny_model: Path, tmp_path: Path
) -> None:
    training, hardware = {**FAST["training"], "micro_batch_size": 1}, {"device": "cpu", "count": 2}
    folder = bundle(
        "sft", "full", tiny_model, tmp_path, UNEVEN, target="unsloth", training=training, hardware=hardware
    )
    argv = json.loads((folder / "manifest.json").read_text())["run"]["argv"]
    assert argv[:2] == ["python", "-m"] and "2" in argv
    done = subprocess.run([unsloth_python, *argv[1:]], cwd=folder, capture_output=True, text=True, env=environment())
    assert done.returncode == 0, done.stderr[-2000:]
    both = {"history": json.loads((folder / "output" / "trainer_state.json").read_text())["log_history"]}
    for name in ("loss", "eval_loss"):
        assert series(both, name) == pytest.approx(series(trained["unsloth"]["full"], name), rel=5e-3), name
