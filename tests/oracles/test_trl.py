"""The real TRL takes every generated script: its keywords, and a run of each method with each adapter."""

from __future__ import annotations

import ast
import json
import os
import subprocess
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.support import BASES, compiled

from .bundles import bundle
from .trl_fields import UNSET

pytestmark = pytest.mark.trainer
HERE = Path(__file__).parent
KEYS = json.loads((HERE.parent.parent / "compilers" / "trainers" / "trl_keys.json").read_text())
METHODS, ADAPTERS = ("sft", "pretrain", "dpo", "kto", "orpo", "grpo"), ("lora", "full", "qlora")
TRAINERS = {
    **{"sft": "SFTTrainer", "pretrain": "SFTTrainer", "grpo": "GRPOTrainer"},
    **{m: f"Prepared{m.upper()}Trainer" for m in ("dpo", "kto", "orpo")},
}
COLUMNS: dict[str, set[str]] = {
    "sft": {"input_ids", "labels"},
    "pretrain": {"input_ids", "labels"},
    "dpo": {"prompt_ids", "chosen_ids", "rejected_ids"},
    "kto": {"prompt_ids", "completion_ids", "KL_completion_ids"},
    "orpo": {"chosen_input_ids", "chosen_labels", "rejected_input_ids", "rejected_labels"},
    "grpo": set(),
}


def keywords(script: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for node in ast.walk(ast.parse(script)):
        if isinstance(node, ast.Call):
            found.setdefault(ast.unparse(node.func), set()).update(k.arg for k in node.keywords if k.arg)
    return found


def script_of(base: str, folder: Path) -> str:
    _, result = compiled(BASES[base], folder)
    assert result.bundle is not None
    return next(f.text for f in result.bundle.files if f.path == "train.py")


def test_the_snapshot_of_trls_keys_is_fresh(trl_python: str) -> None:
    done = subprocess.run([trl_python, str(HERE / "snapshot_trl.py")], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == KEYS, "run `make snapshots`"


def test_every_keyword_exists_in_the_real_classes(trl_python: str, tmp_path: Path) -> None:
    used: dict[str, set[str]] = {}
    for base in BASES:
        for call, names in keywords(script_of(base, tmp_path)).items():
            used.setdefault(call, set()).update(names)
    probe = (
        "import inspect, json, peft, transformers, trl\n"
        "from trl.experimental.orpo import ORPOConfig, ORPOTrainer\n"
        "classes = [trl.SFTConfig, trl.DPOConfig, trl.KTOConfig, trl.GRPOConfig, ORPOConfig, ORPOTrainer,\n"
        "           trl.SFTTrainer, trl.DPOTrainer, trl.KTOTrainer, trl.GRPOTrainer, peft.LoraConfig,\n"
        "           transformers.BitsAndBytesConfig, transformers.EarlyStoppingCallback]\n"
        "print(json.dumps({c.__name__: list(inspect.signature(c).parameters) for c in classes}))"
    )
    real = json.loads(subprocess.run([trl_python, "-c", probe], capture_output=True, text=True, check=True).stdout)
    checked = 0
    for call, names in used.items():
        known = real.get(call.replace("Prepared", ""))
        if known is not None and "kwargs" not in known:
            assert names <= set(known), call
            checked += 1
    assert checked >= 12
    bits = real["BitsAndBytesConfig"]
    assert used["BitsAndBytesConfig"] <= set(bits)


def test_every_field_of_trls_configs_is_set_or_may_be_left_alone(tmp_path: Path) -> None:
    used: set[str] = set()
    for base in BASES:
        for call, names in keywords(script_of(base, tmp_path)).items():
            if call in KEYS["classes"]:
                used |= names
    fields = {name for fields in KEYS["classes"].values() for name in fields}
    native = {"truncation_mode", "assistant_only_loss", "completion_only_loss"}  # no base has native masks
    assert fields - used - native - {"run_name", "save_total_limit"} == set(UNSET)
    assert not used & set(UNSET)


@pytest.fixture(scope="module")
def trained(trl_python: str, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Every method with every adapter, trained for three steps."""
    root = tmp_path_factory.mktemp("scripts")
    cases = {f"{m}-{a}": bundle(m, a, tiny_model, root / f"{m}-{a}") for m, a in product(METHODS, ADAPTERS)}
    early: dict[str, Any] = {
        "evaluation": {"every": 1, "early_stopping": {"patience": 2}},
        "saving": {"every": 1, "best": True},
    }
    rising: dict[str, Any] = {
        "training": {"max_steps": 12, "batch_size": 4, "precision": "fp32", "learning_rate": 0.9, "warmup": 0}
    }
    cases["early"] = bundle("sft", "full", tiny_model, root / "early", **early, **rising)
    command = [trl_python, str(HERE / "probe_scripts.py"), *[str(c) for c in cases.values()]]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"HF_HUB_OFFLINE": "1"})
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.rsplit("RESULT ", 1)[1])
    return {case: found[str(folder)] for case, folder in cases.items()}


@pytest.mark.parametrize(("method", "adapter"), list(product(METHODS, ADAPTERS)))
def test_a_script_trains(method: str, adapter: str, trained: dict[str, dict[str, Any]]) -> None:
    result = trained[f"{method}-{adapter}"]
    assert result["steps"] == 3 and result["class"] == TRAINERS[method]
    losses = [line["loss"] for line in result["history"] if "loss" in line]
    assert len(losses) == 3 and all(abs(loss) < 10 for loss in losses)
    assert method == "grpo" or all(loss > 0 for loss in losses)
    if method == "grpo":
        assert all(line["rewards/score/mean"] >= 1 for line in result["history"] if "loss" in line)
        assert all("rewards/exact_match/mean" in line for line in result["history"] if "loss" in line)
    assert [line["step"] for line in result["history"] if "eval_loss" in line] == [0, 2, 3]  # and at the end
    quantized = any(kind.endswith("Linear4bit") for kind in result["kinds"])
    assert quantized == (adapter == "qlora")
    assert (result["trained"] == result["all"]) == (adapter == "full")
    assert result["file"] == ("model.safetensors" if adapter == "full" else "adapter_model.safetensors")
    assert COLUMNS[method] <= set(result["first"])
    masked = method == "sft"
    assert (-100 in result["first"].get("labels", [])) == masked


def test_early_stopping_stops(trained: dict[str, dict[str, Any]]) -> None:
    result = trained["early"]
    losses = [line["eval_loss"] for line in result["history"] if "eval_loss" in line]
    assert result["steps"] < 12 and len(losses) >= 3 and losses[-1] >= min(losses)


def test_a_script_alone_stops_where_it_was_not_made_for(trl_python: str, tiny_model: Path, tmp_path: Path) -> None:
    folder = bundle("sft", "lora", tiny_model, tmp_path, hardware={"device": "cpu", "count": 2})
    done = subprocess.run([trl_python, "train.py"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 1 and "made for 2 x cpu, but this is 1 x cpu" in done.stderr


def test_two_processes_train_as_one(trl_python: str, tiny_model: Path, tmp_path: Path) -> None:
    losses = []
    for count in (1, 2):
        training = {"max_steps": 3, "batch_size": 4, "micro_batch_size": 2, "precision": "fp32", "max_length": 64}
        hardware = {"device": "cpu", "count": count}
        folder = bundle("sft", "full", tiny_model, tmp_path / str(count), hardware=hardware, training=training)
        argv = json.loads((folder / "manifest.json").read_text())["run"]["argv"]
        done = subprocess.run([trl_python, *argv[1:]], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        state = json.loads((folder / "output" / "trainer_state.json").read_text())
        losses.append([line["loss"] for line in state["log_history"] if "loss" in line])
    assert losses[0] == pytest.approx(losses[1], rel=5e-3)
