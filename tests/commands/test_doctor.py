"""`tuneform doctor`: what this machine has, and what the targets of a spec lack on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tuneform.runtime import envs, machine
from tuneform.runtime.cli import main

SPEC = """
version: 1
name: x
model: {id: Qwen/Qwen2.5-7B-Instruct, revision: abc}
method: sft
data: {train: rows.jsonl, format: chat}
hardware: {count: 2}
tracking: {wandb: {project: "${PROJECT}"}}
targets: {trl: {}}
"""
A100 = "NVIDIA A100-SXM4-80GB, 81920, 8.0, 550.54"
T4 = "Tesla T4, 15360, 7.5, 550.54"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a spec, an empty cache and no GPU."""
    (tmp_path / "tuneform.yaml").write_text(SPEC)
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("TUNEFORM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.delenv("PROJECT", raising=False)
    monkeypatch.chdir(tmp_path)
    no_driver(tmp_path, monkeypatch)
    return tmp_path


def no_driver(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_QUERY", (str(folder / "bin" / "nvidia-smi"), "--query-gpu"))


def driver(folder: Path, *cards: str, code: int = 0) -> None:
    """A stand-in for nvidia-smi, which prints what the real one prints."""
    tool = folder / "bin" / "nvidia-smi"
    tool.write_text("#!/bin/sh\ncat <<'END'\n" + "".join(f"{card}\n" for card in cards) + f"END\nexit {code}\n")
    tool.chmod(0o755)


def doctor(*words: str) -> Result:
    return CliRunner().invoke(main, ["doctor", *words])


def found(result: Result, group: str) -> dict[str, dict[str, Any]]:
    return {finding["what"]: finding for finding in json.loads(result.stdout)[group]}


def test_without_a_spec_nothing_can_be_missing(place: Path) -> None:
    result = doctor()
    assert result.exit_code == 0, result.output
    assert "none with an NVIDIA driver" in result.stdout and "no environment yet" in result.stdout
    assert not (place / "cache").exists()


def test_a_target_that_lacks_gpus_and_a_variable(place: Path) -> None:
    result = doctor("tuneform.yaml", "--json")
    target = found(result, "tuneform.yaml: trl")
    assert result.exit_code == 1
    assert target["device"]["found"] == "2 GPUs wanted, none here" and target["device"]["state"] == "missing"
    assert target["$PROJECT"]["state"] == "missing" and target["environment"]["state"] == "note"


def test_a_target_that_can_run(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    driver(place, A100, A100)
    monkeypatch.setenv("PROJECT", "a-name-that-is-not-shown")
    result = doctor("tuneform.yaml", "--json")
    target = found(result, "tuneform.yaml: trl")
    assert result.exit_code == 0 and "a-name-that-is-not-shown" not in result.output
    assert target["device"]["found"] == "2 GPUs wanted, 2 here"
    assert target["memory"]["state"] == "ok" and target["memory"]["found"].endswith("80 GiB there")


def test_gpus_that_are_too_old_and_too_small(place: Path) -> None:
    driver(place, T4, T4)
    target = found(doctor("tuneform.yaml", "--json", "--set", "adapter=full"), "tuneform.yaml: trl")
    assert target["precision"]["found"] == "Tesla T4 does not compute in bf16"
    assert target["memory"]["state"] == "missing"


@pytest.mark.parametrize(
    ("said", "code", "message"),
    [
        (
            "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.",
            9,
            "nvidia-smi fails: NVIDIA",
        ),
        ("No devices were found", 0, "nvidia-smi says what is not understood: No devices"),
    ],
)
def test_a_driver_that_fails_is_told(place: Path, said: str, code: int, message: str) -> None:
    driver(place, said, code=code)
    result = doctor("--json")
    assert result.exit_code == 1 and found(result, "general")["gpu"]["found"].startswith(message)


def test_an_environment_that_is_built_is_found(place: Path) -> None:
    result = doctor("tuneform.yaml", "--json", "--set", "hardware.device=cpu", "--set", "hardware.count=1")
    assert found(result, "tuneform.yaml: trl")["device"]["found"] == "cpu, as the spec says"
    requirements = place / "requirements.txt"
    requirements.write_text("")
    envs.ensure(requirements, lambda text: None)
    assert envs.find("") is not None and envs.find("trl==1\n") is None
    (built,) = envs.built()
    (built / "resolved.txt").write_text("torch==2\ntrl==1.16.0\n")
    assert "trl==1.16.0: 1 environment built" in doctor().stdout


def test_options_need_a_spec(place: Path) -> None:
    result = doctor("-t", "trl")
    assert result.exit_code == 2 and "belong to a SPEC" in result.output
