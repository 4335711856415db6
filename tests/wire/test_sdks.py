"""Providers' own SDKs on the golden files, and on data that `tuneform data convert` wrote for them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from tuneform.runtime.cli import main
from tuneform.runtime.envs import ensure

pytestmark = pytest.mark.trainer
HERE = Path(__file__).parent
PROBE, GOLDEN = HERE.parent / "oracles" / "probe_wire.py", HERE / "golden"
EXAMPLES = HERE.parents[1] / "examples"
SDKS = (
    {"botocore": "1.44.5", "google-genai": "3.4.0", "openai": "3.54.0", "together": "3.1.1"},
    {"together": "1.5.35"},  # the last that checks each row
)
CHECKS = {
    "together": "together.chat.jsonl",
    "together_rules": "together.preference.jsonl",
    "openai": "openai.prompt.jsonl",
    "genai": "vertex-gemini.preference.jsonl",
    "converse": "sagemaker-nova.preference.jsonl",
}
CONVERTED = {  # wire form and shape -> the example's rows, and what must be said
    "chat": ("support-triage/data/train.jsonl", ("together", "openai", "azure", "vertex-gemini", "bedrock-nova"), ()),
    "preference": (
        "preferences/data/train.jsonl",
        ("together", "openai", "azure", "vertex-gemini", "sagemaker-nova"),
        ("--expand", "as-chat"),
    ),
    "prompt": (
        "methods/data/questions.jsonl",
        ("openai", "azure", "vertex-gemini"),
        ("--method", "rft", "--expand", "as-chat", "--expand", "json-values"),
    ),
}


@pytest.fixture(scope="module")
def pythons(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Pythons with the SDKs: $TUNEFORM_SDK_PYTHON (several with `:`), else environments built for the tests."""
    if own := os.environ.get("TUNEFORM_SDK_PYTHON"):
        return own.split(":")
    found = []
    for number, packages in enumerate(SDKS):
        requirements = tmp_path_factory.mktemp("sdks") / f"{number}.txt"
        requirements.write_text("".join(f"{name}=={version}\n" for name, version in packages.items()))
        found.append(str(ensure(requirements, print).python))
    return found


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The examples' data as services take them."""
    folder = tmp_path_factory.mktemp("converted")
    for shape, (file, wires, more) in CONVERTED.items():
        for wire in wires:
            out = folder / f"{wire}.{shape}.jsonl"
            asked = ["data", "convert", str(EXAMPLES / file), "--to", wire, "-o", str(out), *more]
            done = CliRunner().invoke(main, asked)
            assert done.exit_code == 0, done.output
    return folder


def checked(pythons: list[str], check: str, folder: Path) -> list[tuple[str, str]]:
    """What the first SDK that has the check says of each file."""
    for python in pythons:
        command = [python, "-W", "ignore", str(PROBE), check, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout)
        if "checked" in said:
            return [(name, wrong) for name, wrong in said["checked"]]
    raise AssertionError(f"none of {pythons} has what `{check}` needs")


@pytest.mark.parametrize("check", CHECKS)
def test_an_sdk_takes_the_golden_files(check: str, pythons: list[str]) -> None:
    said = checked(pythons, check, GOLDEN)
    assert CHECKS[check] in [name for name, _ in said]
    assert [(name, wrong) for name, wrong in said if wrong] == []


@pytest.mark.parametrize("check", CHECKS)
def test_an_sdk_takes_converted_data(check: str, pythons: list[str], converted: Path) -> None:
    said = checked(pythons, check, converted)
    assert {name for name, _ in said if name.endswith(".jsonl")} & {path.name for path in converted.iterdir()}
    assert [(name, wrong) for name, wrong in said if wrong] == []
