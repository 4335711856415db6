"""A bundle for an older version of a trainer trains in that version, and trains what the newest does."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tuneform.compilers.trainers.trl import KEYS, NEWEST

from .bundles import bundle
from .test_axolotl import JUDGED, PAIRS, UNEVEN

pytestmark = pytest.mark.trainer
HERE = Path(__file__).parent
SNAPSHOTS = HERE.parent.parent / "compilers" / "trainers"
PACE = {"max_steps": 4, "batch_size": 4, "micro_batch_size": 2, "precision": "fp32", "max_length": 64, "warmup": 1}
FAST = {**PACE, "learning_rate": 1e-2}
OLDER = "1.9.0"  # stands with the packages of Axolotl's own environment
EXPERTS = """
import sys
from transformers import AutoTokenizer, MixtralConfig, MixtralForCausalLM, set_seed
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
set_seed(3)
sizes = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
config = MixtralConfig(vocab_size=len(tokenizer), num_key_value_heads=4, num_local_experts=4, router_aux_loss_coef=0.5,
                       pad_token_id=tokenizer.pad_token_id, eos_token_id=tokenizer.eos_token_id, **sizes)
MixtralForCausalLM(config).save_pretrained(sys.argv[2])
tokenizer.save_pretrained(sys.argv[2])
"""
CASES: dict[str, tuple[str, str, list[dict[str, Any]] | None, dict[str, Any]]] = {
    "sft": ("sft", "lora", UNEVEN, {"training": FAST}),
    "dpo": ("dpo", "lora", PAIRS, {"training": FAST}),
    "kto": ("kto", "full", JUDGED, {"training": {**PACE, "learning_rate": 3e-3}}),
    "orpo": ("orpo", "lora", PAIRS, {"training": FAST}),
    "grpo": ("grpo", "lora", None, {"training": FAST}),
    "experts-sft": ("sft", "full", UNEVEN, {"training": {**PACE, "learning_rate": 3e-3, "micro_batch_size": 4}}),
    "experts-dpo": ("dpo", "full", PAIRS, {"training": {**PACE, "learning_rate": 3e-3}}),
}
Histories = dict[str, dict[str, list[dict[str, float]]]]


@pytest.fixture(scope="module")
def experts(trl_python: str, tiny_model: Path) -> Path:
    """A mixture of experts with random weights, whose own weight of the load-balancing loss is large."""
    folder = tiny_model.parent / "experts"
    subprocess.run([trl_python, "-c", EXPERTS, str(tiny_model), str(folder)], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def histories(
    trl_python: str,
    axolotl_python: str,
    tiny_model: Path,
    experts: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Histories:
    """Version -> case -> what each step logged; one process a version trains all cases."""
    root, found = tmp_path_factory.mktemp("versions"), {}
    for version, python in ((NEWEST, trl_python), (OLDER, axolotl_python)):
        folders = {}
        for name, (method, kind, rows, changes) in CASES.items():
            model = experts if name.startswith("experts") else tiny_model
            own = {**changes, "targets": {"trl": {"version": version}}}
            folders[name] = bundle(method, kind, model, root / version / name, rows, **own)
        command = [python, str(HERE / "probe_scripts.py"), *map(str, folders.values())]
        env = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, capture_output=True, text=True, env=env)
        assert done.returncode == 0, done.stderr[-3000:]
        answers = json.loads(done.stdout.rsplit("RESULT ", 1)[1])
        found[version] = {name: answers[str(folder)]["history"] for name, folder in folders.items()}
    return found


@pytest.mark.parametrize("key", ["loss", "learning_rate", "grad_norm", "eval_loss"])
@pytest.mark.parametrize("case", CASES)
def test_both_versions_train_the_same(case: str, key: str, histories: Histories) -> None:
    one, two = ([line[key] for line in histories[v][case] if key in line] for v in (NEWEST, OLDER))
    assert len(one) >= 3 and two == pytest.approx(one, rel=5e-3, abs=1e-6)


def test_the_experts_own_weight_is_in_the_loss(histories: Histories) -> None:
    assert all("aux_loss" in line for line in histories[OLDER]["experts-dpo"] if "loss" in line)


def test_the_snapshot_of_the_older_keys_is_fresh(axolotl_python: str) -> None:
    command = [axolotl_python, str(HERE / "snapshot_trl.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == json.loads((SNAPSHOTS / KEYS[OLDER]).read_text()), "run `make snapshots`"
