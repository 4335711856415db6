"""Providers' own SDKs on the golden files, where a Python has them: $TUNEFORM_SDK_PYTHON (several with `:`), or this."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROBE = Path(__file__).parents[1] / "oracles" / "probe_wire.py"
GOLDEN = Path(__file__).parent / "golden"
CHECKS = {
    "together": "together.chat.jsonl",
    "together_rules": "together.preference.jsonl",
    "openai": "openai.prompt.jsonl",
    "genai": "vertex-gemini.preference.jsonl",
    "converse": "sagemaker-nova.preference.jsonl",
}


@pytest.mark.parametrize("check", CHECKS)
def test_an_sdk_takes_the_golden_files(check: str) -> None:
    pythons = os.environ.get("TUNEFORM_SDK_PYTHON", sys.executable).split(":")
    missing = []
    for python in pythons:
        done = subprocess.run(
            [python, "-W", "ignore", PROBE, check, GOLDEN], capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout)
        if "missing" in said:
            missing.append(said["missing"])
            continue
        assert CHECKS[check] in [name for name, _ in said["checked"]]
        assert [(name, wrong) for name, wrong in said["checked"] if wrong] == []
        return
    pytest.skip(f"no SDK for it here: {'; '.join(missing)}")
