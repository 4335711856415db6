"""The oracles run the real trainer, in an environment that the product itself builds."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tuneform.compilers.trainers.trl import OPTIONAL, REQUIREMENTS
from tuneform.runtime.envs import ensure

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def trl_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Python of an environment with TRL: $TUNEFORM_TEST_TRL_PYTHON, else one that is built for the tests."""
    own = os.environ.get("TUNEFORM_TEST_TRL_PYTHON")
    if own:
        return own
    wanted = REQUIREMENTS | {name: OPTIONAL[name] for name in ("bitsandbytes", "tensorboard")}
    requirements = tmp_path_factory.mktemp("trl") / "requirements.txt"
    requirements.write_text("".join(f"{name}=={version}\n" for name, version in sorted(wanted.items())))
    return str(ensure(requirements, print).python)


@pytest.fixture(scope="session")
def tiny_model(trl_python: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model of a few thousand weights with a ChatML tokenizer."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    subprocess.run([trl_python, str(HERE / "probe_tiny_model.py"), str(folder)], check=True, capture_output=True)
    return folder
