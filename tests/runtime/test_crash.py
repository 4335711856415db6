"""Kill -9 of Tuneform itself, and what `status` says afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tuneform.runtime import reconcile
from tuneform.runtime.jsonfiles import read_lines, write_json
from tuneform.runtime.rundir import Busy, RunDir

from .fakes import keys, set_given, until

NewRun = Callable[..., RunDir]
_TUNEFORM = """
import sys
from pathlib import Path
from tuneform.runtime.envs import Environment
from tuneform.runtime.local import Options, run_local
from tuneform.runtime.progress import Silent
from tuneform.runtime.rundir import RunDir

def ensure(requirements, say):
    resolved = requirements.with_name("resolved.txt")
    resolved.write_text("")
    return Environment(Path(sys.executable), resolved)

run = RunDir(Path(sys.argv[1]))
with run.supervise():
    run_local(run, run.manifest(), Silent(), Options(ensure=ensure, poll=0.02))
"""


@pytest.fixture
def followed(new_run: NewRun) -> Iterator[Callable[..., tuple[RunDir, subprocess.Popen[bytes]]]]:
    """Start a run under a Tuneform in another process, and wait until it trains."""
    started: list[tuple[RunDir, subprocess.Popen[bytes]]] = []

    def begin(**given: object) -> tuple[RunDir, subprocess.Popen[bytes]]:
        run = new_run({"delay": 0.05, "steps": 30, **given}, total_steps=30)
        tuneform = subprocess.Popen([sys.executable, "-c", _TUNEFORM, str(run.path)])
        started.append((run, tuneform))
        until(lambda: run.metrics.exists() and len(list(read_lines(run.metrics))) > 8)
        return run, tuneform

    yield begin
    for run, tuneform in started:
        tuneform.kill()
        tuneform.wait()
        if trainer := reconcile.trainer_of(run):
            trainer.kill()


Followed = Callable[..., tuple[RunDir, "subprocess.Popen[bytes]"]]


def test_a_followed_run_is_shown_and_left_alone(followed: Followed) -> None:
    run, _ = followed()
    found = reconcile.standing(run)
    assert (found.state, found.supervised) == ("running", True)
    assert found.record["progress"]["step"] > 0
    with pytest.raises(Busy), run.supervise():
        pass


def test_the_trainer_goes_on_without_tuneform_and_nothing_is_lost(followed: Followed) -> None:
    run, tuneform = followed()
    tuneform.kill()
    tuneform.wait()
    found = reconcile.standing(run)
    assert (found.state, found.supervised) == ("running", False)
    before = len(list(read_lines(run.metrics)))
    until(lambda: reconcile.trainer_of(run) is None)
    found = reconcile.standing(run)
    assert (found.state, found.record["exit_code"]) == ("succeeded", 0)
    rows = list(read_lines(run.metrics))
    assert len(rows) > before and len(set(keys(rows))) == len(rows)
    assert [row["step"] for row in rows if (row["split"], row["name"]) == ("train", "loss")] == [1, *range(4, 30, 4)]
    assert {row["source"] for row in rows} == {"hf_trainer.state"}
    assert any(row["time"] is None for row in rows) and any(row["time"] for row in rows)
    content = run.metrics.read_bytes()
    assert reconcile.standing(run).state == "succeeded"
    assert run.metrics.read_bytes() == content


def test_both_killed_is_told_from_the_exit_file(followed: Followed) -> None:
    run, tuneform = followed()
    tuneform.kill()
    tuneform.wait()
    trainer = reconcile.trainer_of(run)
    assert trainer is not None and trainer.process is not None
    os.kill(trainer.process.pid, signal.SIGKILL)
    until(lambda: reconcile.trainer_of(run) is None)
    found = reconcile.standing(run)
    assert (found.state, found.record["exit_code"]) == ("failed", 137)


def test_a_whole_group_killed_is_lost_and_can_be_resumed(followed: Followed) -> None:
    run, tuneform = followed(save=2)
    tuneform.kill()
    tuneform.wait()
    trainer = reconcile.trainer_of(run)
    assert trainer is not None
    trainer.kill()
    until(lambda: reconcile.trainer_of(run) is None)
    found = reconcile.standing(run)
    assert found.state == "lost" and "checkpoint is of step" in found.record["message"]
    with run.metrics.open("a") as out:
        out.write('{"step": 7, "na')
    set_given(run, steps=30)
    subprocess.run([sys.executable, "-c", _TUNEFORM, str(run.path)], check=True)
    assert run.record()["state"] == "succeeded"
    rows = list(read_lines(run.metrics))
    assert len(rows) == len(run.metrics.read_text().splitlines()) == len(set(keys(rows)))


def test_killed_between_the_start_and_its_record(followed: Followed) -> None:
    """The process ids are missing from run.json: the trainer's own note finds it."""
    run, tuneform = followed()
    tuneform.kill()
    tuneform.wait()
    record = run.record()
    trainer = reconcile.trainer_of(run)
    record["attempts"] = [{k: record["attempts"][0][k] for k in ("number", "started", "resumed_from")}]
    write_json(run.path / "run.json", record)
    assert trainer is not None and reconcile.trainer_of(run) == trainer


def test_killed_before_anything_was_started(new_run: NewRun) -> None:
    run = new_run()
    run.set_state("provisioning", "preparing")
    found = reconcile.standing(run)
    assert found.state == "lost" and "before the training" in found.record["message"]


def test_a_pid_that_now_belongs_to_another_process_is_no_trainer(new_run: NewRun) -> None:
    run = new_run()
    attempt = {"number": 1, "started": "2026-01-01T00:00:00+00:00", "resumed_from": None}
    ids = {"group": os.getpid(), "group_started": "before:1", "pid": os.getpid(), "pid_started": "before:1"}
    run.set_state("running", "training", attempts=[attempt | ids])
    assert reconcile.trainer_of(run) is None
    assert reconcile.standing(run).state == "lost"


def test_a_run_folder_is_listed_only_when_it_is_whole(new_run: NewRun, runs: Path) -> None:
    from tuneform.runtime.rundir import all_runs

    run = new_run()
    (runs / ".new-1234").mkdir()
    (runs / "something else").mkdir()
    assert all_runs(runs) == [run]
