"""The oracles run the real trainers, each in its own environment."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tuneform.runtime.envs import ensure

TRL = """\
trl==1.16.0
transformers==5.23.0
peft==0.21.2
datasets==5.2.0
accelerate==1.15.0
torch==2.13.0
bitsandbytes==0.50.2
tensorboard
"""


@pytest.fixture(scope="session")
def trl_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Python of an environment with TRL: $TUNEFORM_TEST_TRL_PYTHON, else one that is built for the tests."""
    own = os.environ.get("TUNEFORM_TEST_TRL_PYTHON")
    if own:
        return own
    requirements: Path = tmp_path_factory.mktemp("trl") / "requirements.txt"
    requirements.write_text(TRL)
    say: Callable[[str], None] = print
    return str(ensure(requirements, say).python)
