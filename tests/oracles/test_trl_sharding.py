"""accelerate.yaml, read by Accelerate's own code as `accelerate launch` reads it."""

from __future__ import annotations

import json
import os
import subprocess
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.support import compiled, spec

pytestmark = pytest.mark.trainer
PROBE = Path(__file__).with_name("probe_accelerate.py")
Strategy = dict[str, Any]

FSDP: dict[str, Strategy] = {
    f"fsdp-{reshard}-{offload}": {"reshard_after_forward": reshard, "cpu_offload": offload}
    for reshard, offload in product((True, False), repeat=2)
}
DEEPSPEED: dict[str, Strategy] = {
    f"zero{stage}-{optimizer}-{parameters}": {
        "stage": stage,
        "offload_optimizer": optimizer,
        **({"offload_param": True} if parameters else {}),
    }
    for stage, optimizer, parameters in product((1, 2, 3), (True, False), (True, False))
    if stage == 3 or not parameters
}


@pytest.fixture(scope="module")
def plugins(trl_python: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    root, files = tmp_path_factory.mktemp("accelerate"), {}
    for name, settings in (FSDP | DEEPSPEED).items():
        strategy = "fsdp" if name in FSDP else "deepspeed"
        hardware = {"count": 4, "nodes": 2, "strategy": strategy, strategy: settings}
        (root / name).mkdir()
        changes: dict[str, Any] = {"hardware": hardware, "training": {"max_grad_norm": 0.5}}
        _, result = compiled(spec(**changes), root / name)
        assert result.bundle is not None
        assert result.bundle.run.argv == ("accelerate", "launch", "--config_file", "accelerate.yaml", "train.py")
        text = next(f.text for f in result.bundle.files if f.path == "accelerate.yaml")
        files[name] = root / name / "accelerate.yaml"
        files[name].write_text(text)
    command = [trl_python, str(PROBE), *map(str, files.values())]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.rsplit("RESULT ", 1)[1])
    return {name: found[str(file)] for name, file in files.items()}


@pytest.mark.parametrize("name", FSDP | DEEPSPEED)
def test_the_launcher_takes_every_key(name: str, plugins: dict[str, dict[str, Any]]) -> None:
    found = plugins[name]
    assert found["unknown"] == [] and found["precision"] == "bf16"
    assert (found["processes"], found["machines"]) == (8, 2)
    assert (found["fsdp"], found["deepspeed"]) == (name in FSDP, name in DEEPSPEED)


@pytest.mark.parametrize("name", FSDP)
def test_workers_shard_with_fsdp2_as_the_spec_says(name: str, plugins: dict[str, dict[str, Any]]) -> None:
    found, wanted = plugins[name], FSDP[name]
    assert found["fsdp_version"] == 2 and not found["activation_checkpointing"]
    assert found["reshard_after_forward"] is wanted["reshard_after_forward"]
    assert found["offload"] is wanted["cpu_offload"]
    assert found["state"].endswith("FULL_STATE_DICT") and found["cpu_ram_efficient_loading"]


@pytest.mark.parametrize("name", DEEPSPEED)
def test_workers_shard_with_deepspeed_as_the_spec_says(name: str, plugins: dict[str, dict[str, Any]]) -> None:
    found, wanted = plugins[name], DEEPSPEED[name]
    device = {True: "cpu", False: "none"}
    assert found["stage"] == wanted["stage"] and found["clipping"] == 0.5
    assert found["optimizer"] == device[wanted["offload_optimizer"]]
    assert found["parameters"] == device[wanted.get("offload_param", False)]
    assert found["whole"] is (wanted["stage"] == 3), "the final model is one piece"
