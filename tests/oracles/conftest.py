"""The oracles run the real trainer, in an environment that the product itself builds."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tuneform.compilers.trainers import axolotl, unsloth
from tuneform.compilers.trainers.trl import NEWEST, OPTIONAL, REQUIREMENTS
from tuneform.compilers.trl_script import pins
from tuneform.runtime.envs import ALONE, ensure

from .option_cases import all_cases

HERE = Path(__file__).parent
PACKAGES = ("bitsandbytes", "deepspeed", "jsonschema", "mlflow", "tensorboard", "wandb")


@pytest.fixture(scope="session")
def trl_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Python of an environment with TRL: $TUNEFORM_TEST_TRL_PYTHON, else one that is built for the tests."""
    own = os.environ.get("TUNEFORM_TEST_TRL_PYTHON")
    if own:
        return own
    wanted = {**REQUIREMENTS[NEWEST], **{name: OPTIONAL[NEWEST][name] for name in PACKAGES}}
    requirements = tmp_path_factory.mktemp("trl") / "requirements.txt"
    requirements.write_text("".join(f"{name}=={version}\n" for name, version in sorted(wanted.items())))
    return str(ensure(requirements, print).python)


@pytest.fixture(scope="session")
def axolotl_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Python of an environment with Axolotl: $TUNEFORM_TEST_AXOLOTL_PYTHON, else one built for the tests."""
    if own := os.environ.get("TUNEFORM_TEST_AXOLOTL_PYTHON"):
        return own
    requirements = tmp_path_factory.mktemp("axolotl") / "requirements.txt"
    requirements.write_text(
        "".join(f"{name}=={version}\n" for name, version in sorted(axolotl.REQUIREMENTS[axolotl.NEWEST].items()))
    )
    return str(ensure(requirements, print).python)


@pytest.fixture(scope="session")
def unsloth_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Python of an environment with Unsloth: $TUNEFORM_TEST_UNSLOTH_PYTHON, else one built for the tests."""
    if own := os.environ.get("TUNEFORM_TEST_UNSLOTH_PYTHON"):
        return own
    wanted = unsloth.REQUIREMENTS | {name: unsloth.OPTIONAL[name] for name in ("bitsandbytes", "jsonschema")}
    requirements = tmp_path_factory.mktemp("unsloth") / "requirements.txt"
    for file, listed in ((requirements, wanted), (requirements.with_name(ALONE), unsloth.OWN)):
        file.write_text("".join(f"{line}\n" for line in pins(listed)))
    return str(ensure(requirements, print).python)


@pytest.fixture(scope="session")
def tiny_model(trl_python: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model of a few thousand weights with a ChatML tokenizer."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    subprocess.run([trl_python, str(HERE / "probe_tiny_model.py"), str(folder)], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def ran(trl_python: str, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What became of every script of option_cases.py; one process runs them all, one after another."""
    root = tmp_path_factory.mktemp("options")
    job, answers = root / "job.json", root / "answers.json"
    job.write_text(json.dumps(all_cases(tiny_model, root)))
    env = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}  # threads only get in each other's way here
    command = [trl_python, str(HERE / "probe_options.py"), str(job), str(answers)]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, dict[str, Any]] = json.loads(answers.read_text())
    return found
