"""Axolotl's keys for FSDP and DeepSpeed's file, read by the code that reads them when a run starts."""

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
HERE = Path(__file__).parent
Strategy = dict[str, Any]
FSDP: dict[str, Strategy] = {
    f"fsdp-{reshard}-{offload}": {"reshard_after_forward": reshard, "cpu_offload": offload}
    for reshard, offload in product((True, False), repeat=2)
}
DEEPSPEED: dict[str, Strategy] = {
    f"zero{stage}-{offload}": {
        "stage": stage,
        "offload_optimizer": offload,
        **({"offload_param": True} if stage == 3 else {}),
    }
    for stage, offload in product((1, 2, 3), (True, False))
}


def written(name: str, strategy: str, settings: Strategy, root: Path, **changes: Any) -> Path:
    folder = root / name
    folder.mkdir()
    hardware = {"count": 4, "nodes": 2, "strategy": strategy, strategy: settings}
    changes = {"training": {"max_grad_norm": 0.5}, "hardware": hardware, "targets": {"axolotl": {}}, **changes}
    _, result = compiled(spec(**changes), folder, "axolotl")
    assert result.bundle is not None, result.diagnostics
    line = "-m torch.distributed.run --nnodes 2 --nproc_per_node 4 -m axolotl.cli.train config.yaml"
    assert result.bundle.run.argv == ("python", *line.split())
    for file in result.bundle.files:
        (folder / file.path).write_text(file.text)
    return folder


def read(python: str, script: str, folders: list[Path]) -> dict[str, dict[str, Any]]:
    env = os.environ | {"OMP_NUM_THREADS": "1", "AXOLOTL_DO_NOT_TRACK": "1"}
    command = [python, str(HERE / script), *map(str, folders)]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr[-3000:]
    return {Path(folder).name: found for folder, found in json.loads(done.stdout.rsplit("RESULT ", 1)[1]).items()}


def test_workers_shard_with_fsdp2_as_the_spec_says(axolotl_python: str, tmp_path: Path) -> None:
    folders = [written(name, "fsdp", settings, tmp_path) for name, settings in FSDP.items()]
    folders.append(written("quantized", "fsdp", {}, tmp_path, adapter={"type": "qlora"}))
    found = read(axolotl_python, "probe_axolotl_sharding.py", folders)
    assert found.pop("quantized")["cpu_ram_efficient_loading"] is False
    for name, wanted in FSDP.items():
        own = found[name]
        assert own["fsdp_version"] == 2 and not own["activation_checkpointing"]
        assert own["reshard_after_forward"] is wanted["reshard_after_forward"], name
        assert own["offload"] is wanted["cpu_offload"], name
        assert own["state"].endswith("FULL_STATE_DICT") and own["cpu_ram_efficient_loading"]


def test_deepspeeds_file_is_the_specs_and_fits_the_config(trl_python: str, tmp_path: Path) -> None:
    folders = [written(name, "deepspeed", settings, tmp_path) for name, settings in DEEPSPEED.items()]
    found = read(trl_python, "probe_deepspeed.py", folders)
    for name, wanted in DEEPSPEED.items():
        own, zero = found[name], found[name]["zero_optimization"]
        assert (own["stage"], own["gradient_clipping"]) == (wanted["stage"], 0.5)
        assert zero["offload_optimizer"]["device"] == {True: "cpu", False: "none"}[wanted["offload_optimizer"]]
        assert zero["offload_param"]["device"] == {True: "cpu", False: "none"}[wanted.get("offload_param", False)]
        assert zero["stage3_gather_16bit_weights_on_model_save"] is (wanted["stage"] == 3), "the model is one piece"
        offloads = wanted["offload_optimizer"] or wanted.get("offload_param", False)
        assert own["offload"] is (offloads and wanted["stage"] > 1)  # transformers looks from stage 2 on
        assert own["bf16"] == {"enabled": True} and own["fp16"] == {"enabled": False}
        assert own["train_batch_size"] == 32 // 8  # what one of the 8 processes sees here
