"""Older versions of Axolotl take every generated config, and train what the newest does.

Their environments are large, so that these run where $TUNEFORM_TEST_AXOLOTL_018_PYTHON and the like name one.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support import bases, compiled
from tuneform.compilers.axolotl_methods import REFUSED
from tuneform.compilers.trainers.axolotl import KEYS, NEWEST, REQUIREMENTS

from .bundles import bundle
from .test_axolotl import HERE, JUDGED, PACE, PAIRS, UNEVEN, Found, environment, run, series

pytestmark = pytest.mark.trainer
FAST = {**PACE, "learning_rate": 1e-2}
CASES: dict[str, tuple[str, list[dict[str, Any]] | None, dict[str, Any]]] = {
    "sft": ("lora", UNEVEN, FAST),
    "dpo": ("lora", PAIRS, FAST),
    "kto": ("full", JUDGED, {**PACE, "learning_rate": 3e-3}),
    "orpo": ("lora", PAIRS, FAST),
    "grpo": ("lora", None, FAST),
}
OLDER = [version for version in REQUIREMENTS if version != NEWEST]
PAIRED = [(version, method) for version in OLDER for method in CASES if (version, method) not in REFUSED]


def python_of(version: str) -> str:
    name = f"TUNEFORM_TEST_AXOLOTL_{''.join(version.split('.')[:2])}_PYTHON"
    return os.environ.get(name) or pytest.skip(f"{name} names no environment")


@pytest.fixture(scope="module")
def newest(axolotl_python: str, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """Every case with the newest version."""
    return train(NEWEST, axolotl_python, tiny_model, tmp_path_factory.mktemp("newest"))


@pytest.fixture(scope="module", params=OLDER)
def older(
    request: pytest.FixtureRequest, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Found]:
    """Every case that an older version does."""
    version = request.param
    return version, train(version, python_of(version), tiny_model, tmp_path_factory.mktemp(version))


def train(version: str, python: str, model: Path, root: Path) -> Found:
    folders = {}
    for method, (kind, rows, training) in CASES.items():
        if (version, method) not in REFUSED:
            own: dict[str, Any] = {"training": training, "targets": {"axolotl": {"version": version}}}
            folders[method] = bundle(method, kind, model, root / method, rows, target="axolotl", **own)
    found = run(python, "probe_axolotl.py", list(folders.values()))
    return {method: found[str(folder)] for method, folder in folders.items()}


def test_an_older_version_trains_what_the_newest_does(older: tuple[str, Found], newest: Found) -> None:
    version, found = older
    assert {(version, method) for method in found} == {pair for pair in PAIRED if pair[0] == version}
    for method, answer in found.items():
        assert answer["unknown"] == [] and answer["steps"] == 4
        for name in ("loss", "learning_rate", "grad_norm", "eval_loss"):
            one, two = series(newest[method], name), series(answer, name)
            assert len(one) >= 3 and two == pytest.approx(one, rel=5e-3, abs=1e-6), (method, name)


@pytest.mark.parametrize("version", OLDER)
def test_its_config_model_takes_every_config(version: str, tmp_path: Path) -> None:
    python, folders = python_of(version), []
    for base, spec in bases("axolotl").items():
        _, result = compiled({**spec, "targets": {"axolotl": {"version": version}}}, tmp_path, "axolotl")
        for file in result.bundle.files if result.bundle else ():
            if file.path == "config.yaml":
                folders.append(tmp_path / base)
                folders[-1].mkdir()
                (folders[-1] / "config.yaml").write_text(file.text)
    found = run(python, "probe_axolotl.py", folders)
    assert len(found) >= 9 and all(result["lost"] == {} for result in found.values()), found


@pytest.mark.parametrize("version", OLDER)
def test_the_snapshot_of_its_keys_is_fresh(version: str) -> None:
    command = [python_of(version), str(HERE / "snapshot_axolotl.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment())
    file = HERE.parent.parent / "compilers" / "trainers" / KEYS[version]
    assert json.loads(done.stdout) == json.loads(file.read_text()), "run `make snapshots`"
