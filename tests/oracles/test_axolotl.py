"""The real Axolotl takes every generated config, and trains what TRL trains: the same rows, rates and losses."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support import bases, compiled
from tuneform.compilers.trainers.axolotl import REQUIREMENTS
from tuneform.runtime.envs import ensure

from .bundles import bundle
from .same_cases import CASES, QUIET, TEMPLATE, Found, run, series, train

pytestmark = pytest.mark.trainer
HERE = Path(__file__).parent
KEYS = json.loads((HERE.parent.parent / "compilers" / "trainers" / "axolotl_keys.json").read_text())


@pytest.fixture(scope="module")
def axolotl_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Python of an environment with Axolotl: $TUNEFORM_TEST_AXOLOTL_PYTHON, else one built for the tests."""
    if own := os.environ.get("TUNEFORM_TEST_AXOLOTL_PYTHON"):
        return own
    requirements = tmp_path_factory.mktemp("axolotl") / "requirements.txt"
    requirements.write_text("".join(f"{name}=={version}\n" for name, version in sorted(REQUIREMENTS.items())))
    return str(ensure(requirements, print).python)


@pytest.fixture(scope="module")
def trained(axolotl_python: str, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """Every case on Axolotl; one process runs them all."""
    root = tmp_path_factory.mktemp("axolotl-cases")
    return train(axolotl_python, "probe_axolotl.py", "axolotl", CASES, tiny_model, root)


def test_the_snapshot_of_axolotls_keys_is_fresh(axolotl_python: str) -> None:
    command = [axolotl_python, str(HERE / "snapshot_axolotl.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | QUIET)
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
def test_axolotl_trains_what_trl_trains(case: str, trained: Found, trl_trained: Found) -> None:
    axolotl, trl = trained[case], trl_trained[case]
    assert axolotl["steps"] == trl["steps"] > 2
    assert (axolotl["trained"], axolotl["all"]) == (trl["trained"], trl["all"])
    first = axolotl["rows"][0]
    assert {name: trl["first"][name] for name in first} == first
    assert series(axolotl, "learning_rate") == pytest.approx(series(trl, "learning_rate"), rel=1e-9)
    near = {"qlora": 2e-2, "lora": 5e-3, "options": 5e-3}.get(case, 1e-3)  # A, and rows of new tokens, are drawn
    for name in ("loss", "eval_loss"):
        assert series(axolotl, name) == pytest.approx(series(trl, name), rel=near), name
    if case in ("full", "pretrain"):
        assert series(axolotl, "grad_norm") == pytest.approx(series(trl, "grad_norm"), rel=1e-3)


def test_rows_are_masked_and_cut(trained: Found) -> None:
    for case in ("full", "options"):
        rows = trained[case]["rows"]
        assert all(-100 in row["labels"] and set(row["labels"]) != {-100} for row in rows)
    assert max(len(row["labels"]) for row in trained["options"]["rows"]) == 40


def test_what_the_plugin_adds_takes_effect(trained: Found) -> None:
    options, plain = trained["options"], trained["full"]
    assert options["template"] == TEMPLATE and plain["template"] != TEMPLATE
    assert options["vocabulary"] == plain["vocabulary"] + 1
    assert options["dtypes"] == ["torch.bfloat16"] and plain["dtypes"] == ["torch.float32"]
    arguments = options["arguments"]
    assert (arguments["train_sampling_strategy"], arguments["enable_jit_checkpoint"]) == ("sequential", True)
    assert [line["step"] for line in plain["history"] if "eval_loss" in line] == [0, 2, 4]
    assert "trainer_state.json" in options["files"] and "model.safetensors" in options["files"]


def test_an_adapter_is_that_of_the_spec(trained: Found) -> None:
    for case in ("lora", "qlora"):
        result = trained[case]
        assert (result["lora"]["r"], result["lora"]["lora_alpha"]) == (16, 32)
        assert ("Linear4bit" in result["kinds"]) == (case == "qlora")
        assert "adapter_model.safetensors" in result["files"]


def test_two_processes_train_as_one(axolotl_python: str, tiny_model: Path, trained: Found, tmp_path: Path) -> None:
    method, kind, rows, changes = CASES["full"]
    training = {**changes["training"], "micro_batch_size": 1}
    hardware = {"device": "cpu", "count": 2}
    folder = bundle(method, kind, tiny_model, tmp_path, rows, target="axolotl", training=training, hardware=hardware)
    argv = json.loads((folder / "manifest.json").read_text())["run"]["argv"]
    assert argv[:2] == ["python", "-m"] and "2" in argv
    done = subprocess.run(
        [axolotl_python, *argv[1:]], cwd=folder, capture_output=True, text=True, env=os.environ | QUIET
    )
    assert done.returncode == 0, done.stderr[-2000:]
    state = json.loads((folder / "output" / "trainer_state.json").read_text())
    both = {"history": state["log_history"]}
    for name in ("loss", "eval_loss", "grad_norm"):
        assert series(both, name) == pytest.approx(series(trained["full"], name), rel=1e-3), name
