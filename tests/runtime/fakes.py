"""Run folders with a fake trainer in them."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tuneform.runtime import rundir
from tuneform.runtime.envs import Environment, Say
from tuneform.runtime.jsonfiles import read_lines
from tuneform.runtime.local import Options
from tuneform.runtime.rundir import RunDir
from tuneform.runtime.staging import staging

HERE = Path(__file__).parent


def manifest(**run: Any) -> dict[str, Any]:
    """A manifest as `compile` writes it, for the fake trainer."""
    metrics = {
        "source": "hf_trainer",
        "output": "output",
        "logging_steps": 4,
        "logging_first_step": True,
        "eval_steps": 4,
        "eval_on_start": True,
    }
    return {
        "manifest_version": 1,
        "tuneform": "0.1.0",
        "name": "fake",
        "label": "trl",
        "target": {"name": "trl", "kind": "trainer", "written_for": "trl==1.16.0"},
        "spec": "tuneform.yaml",
        "spec_digest": "sha256:00",
        "facts": {},
        "files": {"train.py": "sha256:11"},
        "data": {},
        "run": {
            "kind": "local",
            "argv": ["python", "train.py"],
            "env": {},
            "requirements": "requirements.txt",
            "metrics": metrics,
            "total_steps": 10,
            "max_hours": None,
        }
        | run,
    }


def write_bundle(folder: Path, given: dict[str, Any], **run: Any) -> dict[str, Any]:
    """Write a bundle that trains nothing."""
    folder.mkdir(parents=True)
    shutil.copy(HERE / "fake_trainer.py", folder / "train.py")
    (folder / "requirements.txt").write_text("")
    (folder / "fake.json").write_text(json.dumps(given))
    found = manifest(**run)
    (folder / "manifest.json").write_text(json.dumps(found))
    return found


def make_run(runs: Path, given: dict[str, Any] | None = None, **run: Any) -> RunDir:
    """A pending run."""
    spec = runs.parent / "tuneform.yaml"
    spec.write_text("version: 1\n")
    with staging(runs) as staged:
        folder = staged.bundle(None)
        return rundir.create(runs, [folder], [write_bundle(folder, given or {}, **run)], spec)


def this_python(requirements: Path, say: Say) -> Environment:
    """Stands in for `ensure`: the trainer needs nothing but Python."""
    resolved = requirements.with_name("resolved.txt")
    resolved.write_text("nothing==1\n")
    return Environment(Path(sys.executable), resolved)


QUICK = Options(ensure=this_python, poll=0.02)


def set_given(run: RunDir, **given: Any) -> None:
    """Change how the fake trainer of a run behaves from its next attempt on."""
    (run.bundle / "fake.json").write_text(json.dumps(given))


def keys(rows: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What must be unique in metrics.jsonl."""
    return [(row["split"], row["name"], row["step"]) for row in rows]


def until(what: Callable[[], object], seconds: float = 20) -> None:
    """Wait for something; fail if it does not come."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def state(run: RunDir) -> str:
    """The state in run.json, whoever wrote it."""
    return str(run.record()["state"])


def stepped(run: RunDir) -> bool:
    """Whether some steps of training have been measured."""
    return len(list(read_lines(run.metrics))) > 8


def make_chain(runs: Path, *given: dict[str, Any]) -> list[RunDir]:
    """The runs of stages s0, s1 and so on: the first pending, each other starting from the result before it."""
    spec = runs.parent / "tuneform.yaml"
    spec.write_text("version: 1\n")
    with staging(runs) as staged:
        folders = [staged.bundle(f"s{index}") for index in range(len(given))]
        manifests = []
        for index, (folder, behaviour) in enumerate(zip(folders, given, strict=True)):
            inputs = [f"../s{index - 1}/output"] if index else []
            manifests.append(write_bundle(folder, behaviour, inputs=inputs) | {"stage": f"s{index}"})
        first = rundir.create(runs, folders, manifests, spec)
    return [RunDir(runs / name) for name in first.record()["stages"]]
