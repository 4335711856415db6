"""The real Axolotl takes every generated config, and trains what TRL trains: the same rows, rates and losses."""

from __future__ import annotations

import json
import os
import subprocess
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import bases, compiled

from .bundles import bundle

pytestmark = pytest.mark.trainer
HERE = Path(__file__).parent
KEYS = json.loads((HERE.parent.parent / "compilers" / "trainers" / "axolotl_keys.json").read_text())
# Answers of unequal length, so that a mean over micro batches is no mean over tokens.
UNEVEN = [
    {"messages": [{"role": "user", "content": f"Help {i}"}, {"role": "assistant", "content": "yes lamp " * (1 + i * 7 % 11)}]}
    for i in range(20)
]  # fmt: skip
PAIRS = [
    {"prompt": f"Order {i}?", "chosen": f" It is late{' lamp' * (i * 7 % 5)}", "rejected": f" No.{' maybe' * (i * 5 % 7)}"}
    for i in range(20)
]  # fmt: skip
JUDGED = [
    {"prompt": f"Order {i}?", "completion": f" It is {'late ' * (i % 5)}{i}.", "label": i % 3 == 0} for i in range(20)
]
TEXTS = [{"text": "The lamp buzzes. " * (1 + 5 * (i % 4))} for i in range(16)]
PACE = {"max_steps": 4, "batch_size": 4, "micro_batch_size": 2, "precision": "fp32", "max_length": 64, "warmup": 1}
TRACKERS = {"wandb": {"project": "${TEAM}-triage", "entity": "acme", "name": "first ${TEAM}"}, "tensorboard": {}}
CASES: dict[str, tuple[str, str, list[dict[str, Any]] | None, dict[str, Any]]] = {
    "full": ("sft", "full", UNEVEN, {"training": {**PACE, "learning_rate": 3e-3}}),
    "lora": ("sft", "lora", UNEVEN, {"training": PACE, "saving": {"every": 2}}),
    "qlora": ("sft", "qlora", UNEVEN, {"training": PACE}),
    "pretrain": ("pretrain", "full", None, {"training": {**PACE, "learning_rate": 3e-3}}),
    "dpo": ("dpo", "lora", PAIRS, {"training": {**PACE, "learning_rate": 1e-2}}),
    "dpo-qlora": ("dpo", "qlora", PAIRS, {"training": {**PACE, "learning_rate": 1e-2}}),
    "dpo-robust": (
        "dpo",
        "full",
        PAIRS,
        {
            "method": {
                "dpo": {
                    **{"beta": 0.3, "loss_type": "robust", "label_smoothing": 0.1, "rpo_alpha": 0.5},
                    "precompute_ref_log_probs": True,
                }
            },
            "training": {**PACE, "learning_rate": 3e-3},
            "tracking": TRACKERS,
        },
    ),
    "kto": ("kto", "lora", JUDGED, {"training": {**PACE, "learning_rate": 1e-2}}),
    "kto-full": (
        "kto",
        "full",
        JUDGED,
        {
            "method": {"kto": {"desirable_weight": 1.5}},
            "training": {**PACE, "learning_rate": 3e-3},
        },
    ),
    "kto-apo": (
        "kto",
        "full",
        JUDGED,
        {
            "method": {"kto": {"loss_type": "apo_zero_unpaired", "precompute_ref_log_probs": True}},
            "training": {**PACE, "learning_rate": 3e-3},
        },
    ),
    "orpo": ("orpo", "lora", PAIRS, {"training": {**PACE, "learning_rate": 1e-2}}),
    "orpo-full": ("orpo", "full", PAIRS, {"training": {**PACE, "learning_rate": 3e-3}}),
    "grpo": ("grpo", "lora", None, {"training": {**PACE, "learning_rate": 1e-2}}),
    "grpo-kl": (
        "grpo",
        "full",
        None,
        {
            "method": {"grpo": {**{"num_generations": 2, "max_completion_length": 8}, "beta": 0.1, "loss_type": "grpo"}},
            "training": {**PACE, "learning_rate": 3e-3},
        },
    ),
    "packed": ("sft", "full", UNEVEN, {"training": {**PACE, "learning_rate": 3e-3, "packing": True, "batch_size": 2}}),
    "packed-split": (
        "pretrain",
        "lora",
        TEXTS,
        {"training": {**PACE, "max_length": 32, "packing": True, "packing_strategy": "bfd_split"}},
    ),
    "packed-wrapped": (
        "pretrain",
        "full",
        TEXTS,
        {"training": {**PACE, "max_length": 32, "packing": True, "packing_strategy": "wrapped", "learning_rate": 3e-3}},
    ),
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
            "tracking": TRACKERS,
        },
    ),
}  # fmt: skip
TEMPLATE = "{% for m in messages %}<|im_start|>{{ m.role }}: {{ m.content }}<|im_end|>\n{% endfor %}"
MEASURED = ("loss", "reward", "logps", "logits", "kl", "completions/mean_length")
Found = dict[str, dict[str, Any]]


def environment() -> dict[str, str]:
    quiet = {"AXOLOTL_DO_NOT_TRACK": "1", "ACCELERATE_USE_CPU": "1"}
    tracking = {"TEAM": "red", "WANDB_MODE": "offline", "WANDB_SILENT": "true"}
    return os.environ | quiet | tracking | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


def run(python: str, script: str, folders: list[Path]) -> Found:
    command = [python, str(HERE / script), *map(str, folders)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment())
    assert done.returncode == 0, done.stderr[-3000:]
    found: Found = json.loads(done.stdout.rsplit("RESULT ", 1)[1].splitlines()[0])
    return found


def bundles_of(target: str, model: Path, root: Path) -> dict[str, Path]:
    found = {}
    for case, (method, kind, rows, changes) in CASES.items():
        folder = root / f"{target}-{case}"
        folder.mkdir()
        (folder / "chat.jinja").write_text(TEMPLATE)
        own = {**changes, "model": {"id": str(model), **changes.get("model", {})}}
        found[case] = bundle(method, kind, model, folder, rows, target=target, **own)
    return found


@pytest.fixture(scope="module")
def trained(
    trl_python: str, axolotl_python: str, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Found]:
    """Every case on both trainers; one process runs all of a trainer's."""
    root = tmp_path_factory.mktemp("both")
    answers = {}
    for target, python, script in (
        ("axolotl", axolotl_python, "probe_axolotl.py"),
        ("trl", trl_python, "probe_scripts.py"),
    ):
        folders = bundles_of(target, tiny_model, root)
        if target == "axolotl":
            method, kind, rows, changes = CASES["lora"]
            own = {**changes, "model": {"id": str(tiny_model)}}
            folders["resumed"] = bundle(method, kind, tiny_model, root / "resumed", rows, target=target, **own)
            (folders["resumed"] / "kill_after").write_text("3")
        found = run(python, script, list(folders.values()))
        answers[target] = {case: found[str(folder)] for case, folder in folders.items()}
    return answers


def series(result: dict[str, Any], name: str) -> dict[int, float]:
    return {line["step"]: line[name] for line in result["history"] if name in line}


def test_the_snapshot_of_axolotls_keys_is_fresh(axolotl_python: str) -> None:
    command = [axolotl_python, str(HERE / "snapshot_axolotl.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment())
    assert json.loads(done.stdout) == KEYS, "run `make snapshots`"


def test_the_real_config_model_takes_every_config(axolotl_python: str, tmp_path: Path) -> None:
    folders = []
    for base, spec in bases("axolotl").items():
        _, result = compiled(spec, tmp_path, "axolotl")
        for file in result.bundle.files if result.bundle else ():
            if file.path == "config.yaml":
                folders.append(tmp_path / base)
                folders[-1].mkdir()
                (folders[-1] / "config.yaml").write_text(file.text)
                assert yaml.safe_load(file.text).keys() <= KEYS["classes"]["AxolotlInputConfig"].keys()
    found = run(axolotl_python, "probe_axolotl.py", folders)
    assert len(found) >= 9 and all(result["lost"] == {} for result in found.values()), found


@pytest.mark.parametrize("case", CASES)
def test_axolotl_trains_what_trl_trains(case: str, trained: dict[str, Found]) -> None:
    axolotl, trl = trained["axolotl"][case], trained["trl"][case]
    assert axolotl["steps"] == trl["steps"] > 2
    assert (axolotl["trained"], axolotl["all"]) == (trl["trained"], trl["all"])
    first = {name: value for name, value in axolotl["rows"][0].items() if name != "seq_lengths"}
    assert {name: trl["first"][name] for name in first} == first
    assert series(axolotl, "learning_rate") == pytest.approx(series(trl, "learning_rate"), rel=1e-9)
    near = {"qlora": 1e-3, "options": 5e-3}.get(case, 1e-4)  # rows of new tokens are drawn
    compared = 0
    for name in {name for line in trl["history"] for name in line if name.removeprefix("eval_").startswith(MEASURED)}:
        assert series(axolotl, name) == pytest.approx(series(trl, name), rel=near, abs=1e-6), name
        compared += 1
    assert compared >= (2 if trl["class"] == "SFTTrainer" else 4)
    if case not in ("qlora", "options"):
        assert series(axolotl, "grad_norm") == pytest.approx(series(trl, "grad_norm"), rel=1e-3)


def documents(result: dict[str, Any], column: str) -> list[list[int]]:
    """The rows that packed rows are made of."""
    found = []
    for row in result["rows"]:
        ends = list(accumulate(row["seq_lengths"]))
        found += [row[column][start:end] for start, end in zip([0, *ends], ends, strict=False)]
    return found


def test_packing_loses_no_token_and_no_row_sees_another(trained: dict[str, Found]) -> None:
    packed, single = trained["axolotl"]["packed"], trained["axolotl"]["full"]
    for column in ("input_ids", "labels"):
        assert sorted(documents(packed, column)) == sorted(row[column] for row in single["rows"])
    assert max(len(row["seq_lengths"]) for row in packed["rows"]) > 1 and packed["crossing"] < 1e-6
    cut = [trained["axolotl"][f"packed-{name}"]["rows"] for name in ("split", "wrapped")]
    tokens = [sum(len(row["input_ids"]) for row in rows) for rows in cut]
    assert tokens[0] == tokens[1] > 32 * 3 and max(len(row["input_ids"]) for rows in cut for row in rows) == 32


def test_a_run_that_was_killed_goes_on_as_if_it_had_not_been(trained: dict[str, Found]) -> None:
    whole, resumed = trained["axolotl"]["lora"], trained["axolotl"]["resumed"]
    assert resumed["steps"] == whole["steps"] and "checkpoint-2" in resumed["files"]
    for name in ("loss", "eval_loss", "learning_rate"):
        assert series(resumed, name) == pytest.approx(series(whole, name), rel=1e-4), name


def test_rows_are_masked_and_cut(trained: dict[str, Found]) -> None:
    for case in ("full", "options"):
        rows = trained["axolotl"][case]["rows"]
        assert all(-100 in row["labels"] and set(row["labels"]) != {-100} for row in rows)
    assert max(len(row["labels"]) for row in trained["axolotl"]["options"]["rows"]) == 40


def test_what_the_plugin_adds_takes_effect(trained: dict[str, Found]) -> None:
    options, plain = trained["axolotl"]["options"], trained["axolotl"]["full"]
    assert options["template"] == TEMPLATE and plain["template"] != TEMPLATE
    assert options["vocabulary"] == plain["vocabulary"] + 1
    assert options["dtypes"] == ["torch.bfloat16"] and plain["dtypes"] == ["torch.float32"]
    arguments = options["arguments"]
    assert (arguments["train_sampling_strategy"], arguments["enable_jit_checkpoint"]) == ("sequential", True)
    assert [line["step"] for line in plain["history"] if "eval_loss" in line] == [0, 2, 4]
    assert "trainer_state.json" in options["files"] and "model.safetensors" in options["files"]


@pytest.mark.parametrize("case", ["options", "dpo-robust"])
def test_trackers_have_the_runs_losses_under_the_names_of_the_spec(case: str, trained: dict[str, Found]) -> None:
    result = trained["axolotl"][case]
    wandb, expected = result["tracked"]["wandb"], pytest.approx(series(result, "loss"), rel=1e-6)
    assert (wandb["project"], wandb["entity"], wandb["name"]) == ("red-triage", "acme", "first red")
    for losses in (wandb["losses"], result["tracked"]["tensorboard"]):
        assert {int(step): loss for step, loss in losses.items()} == expected


def test_an_adapter_is_that_of_the_spec(trained: dict[str, Found]) -> None:
    for case in ("lora", "qlora"):
        result = trained["axolotl"][case]
        assert (result["lora"]["r"], result["lora"]["lora_alpha"]) == (16, 32)
        assert ("Linear4bit" in result["kinds"]) == (case == "qlora")
        assert "adapter_model.safetensors" in result["files"]


def test_two_processes_train_as_one(
    axolotl_python: str, tiny_model: Path, trained: dict[str, Found], tmp_path: Path
) -> None:
    method, kind, rows, changes = CASES["full"]
    training = {**changes["training"], "micro_batch_size": 1}
    hardware = {"device": "cpu", "count": 2}
    folder = bundle(method, kind, tiny_model, tmp_path, rows, target="axolotl", training=training, hardware=hardware)
    argv = json.loads((folder / "manifest.json").read_text())["run"]["argv"]
    assert argv[:2] == ["python", "-m"] and "2" in argv
    done = subprocess.run([axolotl_python, *argv[1:]], cwd=folder, capture_output=True, text=True, env=environment())
    assert done.returncode == 0, done.stderr[-2000:]
    state = json.loads((folder / "output" / "trainer_state.json").read_text())
    both = {"history": state["log_history"]}
    for name in ("loss", "eval_loss", "grad_norm"):
        assert series(both, name) == pytest.approx(series(trained["axolotl"]["full"], name), rel=1e-3), name
