"""`tuneform run` with the real TRL: a real model, a clean stop, and going on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.trainer
ROOT = Path(__file__).parent.parent.parent
ROWS = (ROOT / "examples" / "support-triage" / "data" / "train.jsonl").read_text(encoding="utf-8").splitlines(True)
SPEC = """\
version: 1
name: e2e
model: {id: MODEL}
method: sft
adapter: {type: lora, rank: 8}
data: {train: rows.jsonl}
training: {max_steps: 3, batch_size: 4, learning_rate: 1e-3, max_length: 128, precision: fp32, warmup: 0}
logging: {every: 1}
hardware: {device: cpu}
targets: {trl: }
"""


def write(folder: Path, model: Path, text: str = SPEC) -> Path:
    (folder / "rows.jsonl").write_text("".join(ROWS[:64]), encoding="utf-8")
    file = folder / "tuneform.yaml"
    file.write_text(text.replace("MODEL", str(model)), encoding="utf-8")
    return file


def tuneform(folder: Path, *args: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tuneform", *args, "--runs-dir", str(folder / "runs"), "--json"]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True, env=os.environ | {"HF_HUB_OFFLINE": "1"}
    )


def finish(process: subprocess.Popen[str], code: int = 0) -> tuple[dict[str, Any], str]:
    out, err = process.communicate(timeout=600)
    assert process.returncode == code, err[-3000:]
    return json.loads(out), err


def metrics(result: dict[str, Any]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(result["metrics"]).read_text().splitlines()]


@pytest.mark.parametrize("adapter", ["lora", "qlora"])
def test_a_real_model_learns(adapter: str, smollm2: Path, tmp_path: Path) -> None:
    text = SPEC.replace("type: lora", f"type: {adapter}")
    result, err = finish(tuneform(tmp_path, "run", str(write(tmp_path, smollm2, text)), "-t", "trl"))
    losses = [m["value"] for m in metrics(result) if (m["split"], m["name"]) == ("train", "loss")]
    assert result["state"] == "succeeded" and len(losses) == 3 and losses[-1] < losses[0] - 0.3
    assert (Path(result["output"]) / "adapter_model.safetensors").is_file()
    assert "step 3/3" in err


def wait_for_step(folder: Path, step: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and process.poll() is None:
        for file in folder.glob("runs/*/metrics.jsonl"):
            if any(json.loads(line)["step"] >= step for line in file.read_text().splitlines() if line.endswith("}")):
                return
        time.sleep(0.2)
    pytest.fail(f"the run did not come to step {step}")


def test_ctrl_c_saves_and_resume_goes_on_to_the_same_end(tiny_model: Path, tmp_path: Path) -> None:
    text = SPEC.replace("max_steps: 3", "max_steps: 300").replace("max_length: 128", "max_length: 512")
    file = write(tmp_path, tiny_model, text)
    process = tuneform(tmp_path, "run", str(file), "-t", "trl")
    wait_for_step(tmp_path, 5, process)
    process.send_signal(signal.SIGINT)
    stopped, err = finish(process, 130)
    assert stopped["state"] == "stopped" and "tuneform run --resume" in err
    reached = max(m["step"] for m in metrics(stopped))
    assert 5 <= reached < 300
    result, _ = finish(tuneform(tmp_path, "run", "--resume", stopped["id"]))
    assert result["state"] == "succeeded" and result["id"] == stopped["id"] and result["attempts"] == 2

    steps = [m["step"] for m in metrics(result) if (m["split"], m["name"]) == ("train", "loss")]
    assert steps == list(range(1, 301))

    whole = tmp_path / "whole"
    whole.mkdir()
    uninterrupted, _ = finish(tuneform(whole, "run", str(write(whole, tiny_model, text)), "-t", "trl"))
    last = [
        [m["value"] for m in metrics(r) if m["name"] == "loss" and m["split"] == "train"][-20:]
        for r in (result, uninterrupted)
    ]
    assert last[0] == pytest.approx(last[1], rel=5e-3)


def test_a_missing_model_is_one_sentence(tmp_path: Path) -> None:
    missing = tmp_path / "not-there"
    result, err = finish(tuneform(tmp_path, "run", str(write(tmp_path, missing)), "-t", "trl"), 4)
    assert result["state"] == "failed" and str(missing) in result["message"]
    assert "Traceback" not in err.splitlines()[-1] and result["message"] in err


def test_a_variable_that_is_not_set_is_told_before_anything_starts(tmp_path: Path, tiny_model: Path) -> None:
    text = SPEC + 'saving: {hub_model_id: "${TUNEFORM_NO_SUCH_ORG}/x"}\n'
    result, _ = finish(tuneform(tmp_path, "run", str(write(tmp_path, tiny_model, text)), "-t", "trl"), 4)
    assert "TUNEFORM_NO_SUCH_ORG" in result["message"] and result["attempts"] == 0


def test_rows_of_a_hub_dataset_are_fetched(trl_python: str, tiny_model: Path, tmp_path: Path) -> None:
    from tuneform.runtime.hub import fetch
    from tuneform.spec.data import Source

    folder = tmp_path / "acme" / "rows"  # a folder of this name stands in for the hub's
    folder.mkdir(parents=True)
    calls = [{"function": {"name": "f", "arguments": {key: 1}}} for key in ("a", "b")]
    rows = [
        {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "", "tool_calls": [c]}]}
        for c in calls
    ]
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        fetch(Path(trl_python), Source(id="acme/rows"), tmp_path / "out.jsonl")
    finally:
        os.chdir(before)
    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [r["messages"][1]["tool_calls"][0]["function"]["arguments"] for r in found] == [{"a": 1}, {"b": 1}]
