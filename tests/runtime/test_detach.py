"""Runs in the background, several at once, and runs whose terminal is closed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from click.testing import Result

from tuneform.runtime import reconcile, rundir
from tuneform.runtime.interrupts import Interrupts
from tuneform.runtime.jsonfiles import read_lines
from tuneform.runtime.process import start_time
from tuneform.runtime.rundir import RunDir, all_runs

from .fakes import state, stepped, until

Cli = Callable[..., Result]
Detached = Callable[..., RunDir]
NewRun = Callable[..., RunDir]
SPEC = """\
version: 1
name: real
model: acme/tiny
method: sft
data: {train: rows.jsonl}
training: {max_steps: 3, batch_size: 2}
hardware: {device: cpu}
targets: {trl: }
"""


def succeeded(run: RunDir) -> bool:
    return state(run) == "succeeded"


def supervisor(run: RunDir) -> int:
    return int(run.record()["supervisor"]["pid"])


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    row = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    (tmp_path / "rows.jsonl").write_text(f"{json.dumps(row)}\n" * 8)
    (tmp_path / "tuneform.yaml").write_text(SPEC)
    return tmp_path / "tuneform.yaml"


@pytest.fixture
def slow_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int | None]:
    """An installer that never ends; gives the process id of what it started."""
    tool = tmp_path / "bin" / "uv"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\nsleep 300 &\necho $! > {tmp_path}/new && mv {tmp_path}/new {tmp_path}/pid\nwait\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    pid = tmp_path / "pid"
    return lambda: int(pid.read_text()) if pid.exists() else None


def test_a_detached_run_has_a_session_of_its_own_and_ends_by_itself(cli: Cli, detached: Detached) -> None:
    run = detached(steps=40)
    assert os.getsid(supervisor(run)) not in (os.getsid(0), supervisor(run))  # it cannot get a terminal again
    assert reconcile.standing(run).supervised
    assert cli("run", "--resume", run.id).exit_code == 3
    until(lambda: succeeded(run))
    assert [e["state"] for e in run.history()] == [
        "pending", "failed", "pending", "provisioning", "running", "succeeded",
    ]  # fmt: skip
    assert "step 40/40  eval loss" in run.own_log.read_text()


def test_detaching_says_how_to_watch_and_cancel(cli: Cli, new_run: NewRun) -> None:
    run = new_run({"delay": 0.05})
    run.set_state("failed", "not started yet")
    result = cli("run", "--resume", run.id, "--detach")
    assert result.exit_code == 0
    assert f"tuneform watch {run.id}\n" in result.stdout and f"tuneform cancel {run.id}\n" in result.stdout
    assert cli("watch").exit_code == 0


def test_a_run_in_the_background_is_cancelled_while_its_environment_is_built(
    cli: Cli, spec: Path, slow_uv: Callable[[], int | None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TUNEFORM_CACHE", str(tmp_path / "empty"))
    started = json.loads(cli("run", str(spec), "--detach", "--json").stdout)
    assert started["state"] in ("pending", "provisioning") and started["supervisor"] != os.getpid()
    (run,) = all_runs(tmp_path / "runs")
    assert run.id == started["id"] and started["watch"] == f"tuneform watch {run.id}"
    until(slow_uv)
    until(lambda: "building an environment" in cli("status").stdout)
    assert cli("run", str(spec), "--detach").exit_code == 3  # beside a run that goes on
    installer = slow_uv()
    result = cli("cancel", "last")
    assert result.exit_code == 0 and "cancelled: cancelled before the training had begun" in result.stdout
    assert installer is not None
    until(lambda: start_time(installer) is None)
    assert run.record()["stop"]["reason"] == "cancel"
    until(lambda: "cancelled before the training had begun" in run.own_log.read_text())
    assert cli("watch").exit_code == 130


def test_what_can_fail_early_fails_in_the_foreground(
    cli: Cli, spec: Path, runs: Path, new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec.write_text(SPEC.replace("max_steps", "max_stops"))
    result = cli("run", str(spec), "--detach", "--json")
    assert result.exit_code == 1 and json.loads(result.stdout)["diagnostics"][0]["code"] == "TF104"
    spec.write_text(SPEC.replace("rows.jsonl", "no.jsonl"))
    assert cli("run", str(spec), "--detach").exit_code == 1
    assert not runs.exists()

    run = new_run(needs=["SURELY_NOT_SET"])
    run.set_state("failed", "not started yet")
    result = cli("run", "--resume", run.id, "--detach")
    assert result.exit_code == 4 and "SURELY_NOT_SET" in result.stderr and state(run) == "failed"

    monkeypatch.setattr(sys, "executable", "/bin/false")
    run.update(supervisor=None)
    (run.bundle / "manifest.json").write_text(json.dumps(new_run().manifest()))
    result = cli("run", "--resume", run.id, "--detach")
    assert result.exit_code == 4 and "background" in result.stderr and state(run) == "failed"


def test_two_runs_at_once_do_not_mix(cli: Cli, detached: Detached) -> None:
    both = [detached(steps=60), detached(steps=80)]
    assert both[0].id != both[1].id
    until(lambda: all(stepped(run) for run in both))
    listed = {row["id"]: row for row in json.loads(cli("runs", "--json").stdout)["runs"]}
    for run, steps in zip(both, (60, 80), strict=True):
        assert listed[run.id]["state"] == "running" and listed[run.id]["supervised"]
        assert listed[run.id]["progress"]["total"] == steps
    for run, steps in zip(both, (60, 80), strict=True):
        until(partial(succeeded, run))
        found = [row["step"] for row in read_lines(run.metrics) if (row["split"], row["name"]) == ("train", "loss")]
        assert found == [1, *range(4, steps + 1, 4)]


def test_a_closed_terminal_takes_nothing_along(cli: Cli, new_run: NewRun) -> None:
    run = new_run({"delay": 0.02, "steps": 100}, total_steps=100)
    run.set_state("failed", "not started yet")
    terminal, inner = os.openpty()
    code = f"import os, sys; os.login_tty({inner}); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    command = [sys.executable, "-c", code, "-m", "tuneform", "run", "--resume", run.id]
    tuneform = subprocess.Popen(command, pass_fds=[inner])
    os.close(inner)
    shown = bytearray()
    while b"/100" not in shown:  # an OSError here: it has ended
        shown += os.read(terminal, 4096)
    os.close(terminal)
    assert tuneform.wait(timeout=20) != -signal.SIGHUP
    assert state(run) == "succeeded"  # set by the Tuneform that lost its terminal: nobody else looked
    assert "the terminal is gone; the run goes on" in run.own_log.read_text()
    assert {row["time"] is not None for row in read_lines(run.metrics)} == {True}


def test_a_hang_up_while_the_environment_is_built(
    cli: Cli, new_run: NewRun, slow_uv: Callable[[], int | None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TUNEFORM_CACHE", str(tmp_path / "empty"))
    run = new_run()
    run.set_state("failed", "not started yet")
    command = [sys.executable, "-m", "tuneform", "run", "--resume", run.id]
    tuneform = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    until(slow_uv)
    installer = slow_uv()
    assert installer is not None
    os.killpg(tuneform.pid, signal.SIGHUP)
    assert "asked to stop" in cli("cancel", run.id).stderr
    assert tuneform.wait(timeout=20) == 130 and state(run) == "cancelled"
    until(lambda: start_time(installer) is None)


def test_an_id_that_is_taken_is_not_given_twice(new_run: NewRun, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = iter(["a", "a", "b"])
    monkeypatch.setattr(rundir, "new_id", lambda name, label: next(ids))
    assert (new_run().id, new_run().id) == ("a", "b")


def test_files_in_the_current_folder_are_not_taken_for_modules(cli: Cli, detached: Detached, tmp_path: Path) -> None:
    for name in ("json", "tuneform", "filelock"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong module')")
    run = detached(steps=4)
    until(lambda: succeeded(run))


def test_a_hang_up_is_passed_over_and_nohup_is_left_alone() -> None:
    reached: list[int] = []
    before = signal.signal(signal.SIGHUP, lambda number, frame: reached.append(number))
    try:
        with Interrupts() as interrupts:
            os.kill(os.getpid(), signal.SIGHUP)
        assert (interrupts.count, reached) == (0, [])
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with Interrupts():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_pending_run_is_lost_only_with_the_process_that_wants_it(new_run: NewRun) -> None:
    run = new_run()
    assert reconcile.standing(run).state == "pending"
    gone = subprocess.Popen(["true"])
    gone.wait()
    run.update(supervisor={"pid": gone.pid, "started": "an earlier boot:1"})
    assert reconcile.standing(run).state == "lost"
