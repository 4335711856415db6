"""SFT, then DPO from its result, with the real TRL."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .test_run import ROWS, finish, tuneform

pytestmark = pytest.mark.trainer
SPEC = """\
version: 1
name: stages
model: {id: MODEL}
adapter: {type: lora, rank: 8}
training: {max_steps: 2, batch_size: 4, max_length: 128, precision: fp32, warmup: 0}
logging: {every: 1}
hardware: {device: cpu}
stages:
  sft:
    method: sft
    data: {train: rows.jsonl}
    training: {learning_rate: 1e-3}
  dpo:
    method: dpo
    data: {train: pairs.jsonl}
    training: {learning_rate: 1e-4}
targets: {trl: }
"""
# The second stage's start is the first's base with its adapter in it; its adapter begins at zero, so that its first
# loss is that of a model compared with itself: log 2.
PROBE = """
import json, sys
from pathlib import Path
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM
base, one, two = sys.argv[1:]
start = AutoModelForCausalLM.from_pretrained(Path(two, "start"), dtype=torch.float32).state_dict()
model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
before = {k: v.clone() for k, v in model.state_dict().items()}
merged = PeftModel.from_pretrained(model, Path(one, "output")).merge_and_unload().state_dict()
print(json.dumps({
    "far": max((start[k] - merged[k]).abs().max().item() for k in merged),
    "moved": max((merged[k] - before[k]).abs().max().item() for k in merged),
    "base": json.loads(Path(two, "output/adapter_config.json").read_text())["base_model_name_or_path"],
}))
"""


def write(folder: Path, model: Path) -> Path:
    (folder / "rows.jsonl").write_text("".join(ROWS[:16]), encoding="utf-8")
    with (folder / "pairs.jsonl").open("w", encoding="utf-8") as file:
        for line in ROWS[:16]:
            messages = json.loads(line)["messages"]
            pair = {"prompt": messages[:-1], "chosen": messages[-1:], "rejected": [{**messages[-1], "content": "No."}]}
            file.write(json.dumps(pair) + "\n")
    spec = folder / "tuneform.yaml"
    spec.write_text(SPEC.replace("MODEL", str(model)), encoding="utf-8")
    return spec


def test_dpo_starts_where_sft_ended(smollm2: Path, trl_python: str, tmp_path: Path) -> None:
    result, _ = finish(tuneform(tmp_path, "run", str(write(tmp_path, smollm2)), "-t", "trl"))
    assert result["state"] == "succeeded" and "-dpo-" in result["id"]
    runs = {r["stage"]: r for r in records(tmp_path / "runs")}
    assert [runs["sft"]["state"], runs["dpo"]["state"]] == ["succeeded", "succeeded"]
    assert runs["sft"]["stages"] == runs["dpo"]["stages"] == [runs["sft"]["id"], runs["dpo"]["id"]]
    one, two = (tmp_path / "runs" / runs[stage]["id"] / "bundle" for stage in ("sft", "dpo"))
    done = subprocess.run([trl_python, "-c", PROBE, str(smollm2), str(one), str(two)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["far"] < 1e-6 < 1e-4 < found["moved"] and found["base"] == "start"
    state = json.loads((two / "output" / "trainer_state.json").read_text())
    assert state["log_history"][0]["loss"] == pytest.approx(0.6931, abs=1e-3)


def records(runs: Path) -> list[dict[str, Any]]:
    return [json.loads(file.read_text()) for file in sorted(runs.glob("*/run.json"))]
