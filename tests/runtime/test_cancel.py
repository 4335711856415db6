"""`watch` and `cancel`, and what may happen between a request and the stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from tuneform.runtime import cancel, metrics, reconcile, stop_request
from tuneform.runtime.jsonfiles import read_lines, write_lines
from tuneform.runtime.local import run_local
from tuneform.runtime.progress import Enduring, Plain, Silent
from tuneform.runtime.records import Metric
from tuneform.runtime.rundir import RunDir

from .fakes import QUICK, keys, set_given, state, stepped, until

Cli = Callable[..., Result]
Detached = Callable[..., RunDir]
NewRun = Callable[..., RunDir]


_WATCH = """
import signal, sys
from tuneform.runtime.cli import main

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored, where the tests run as a shell's background job
main(["watch", *sys.argv[1:]])
"""


def kill_supervisor(run: RunDir) -> None:
    os.kill(run.record()["supervisor"]["pid"], signal.SIGKILL)
    until(lambda: reconcile.refresh(run))


@pytest.fixture
def watching(cli: Cli) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """`tuneform watch` in another process."""
    started: list[subprocess.Popen[str]] = []

    def begin(*args: str) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        started.append(subprocess.Popen([sys.executable, "-c", _WATCH, *args], stdout=pipe, stderr=pipe, text=True))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def test_a_supervised_run_is_cancelled_with_a_checkpoint_and_resumed(cli: Cli, detached: Detached) -> None:
    run = detached()
    until(lambda: stepped(run))
    document = json.loads(cli("cancel", run.id, "--json").stdout)
    (row,) = document["runs"]
    assert (row["state"], row["was_active"]) == ("stopped", True)
    assert row["resume"] == f"tuneform run --resume {run.id}"
    assert [e["state"] for e in run.history()][-2:] == ["stopping", "stopped"]
    assert run.record()["stop"]["reason"] == "cancel"
    set_given(run, steps=1000)
    result = cli("run", "--resume", run.id)  # the request of before is forgotten
    assert result.exit_code == 0, result.stderr
    assert run.record()["attempts"][1]["resumed_from"] == row["progress"]["step"]

    result = cli("cancel", run.id)
    assert result.exit_code == 0 and "succeeded" in result.stdout and "had ended before" in result.stdout
    assert stop_request.read(run) is None
    assert cli("cancel", "nope").exit_code == cli("cancel").exit_code == 2


def test_a_run_that_nobody_follows_is_cancelled_by_hand(cli: Cli, detached: Detached) -> None:
    run = detached()
    until(lambda: stepped(run))
    kill_supervisor(run)
    result = cli("cancel", run.id)
    assert result.exit_code == 0 and "stopped: stopped at step" in result.stdout
    assert len(set(keys(list(read_lines(run.metrics))))) == len(list(read_lines(run.metrics)))
    assert {row["source"] for row in read_lines(run.metrics)} == {"hf_trainer.state"}


def test_now_kills_a_trainer_that_does_not_listen(cli: Cli, detached: Detached) -> None:
    run = detached(deaf=True)
    until(lambda: stepped(run))
    result = cli("cancel", run.id, "--no-wait")
    assert result.exit_code == 0
    until(lambda: state(run) == "stopping")
    assert cli("cancel", run.id, "--no-wait").exit_code == 0  # twice is once
    assert not run.record()["stop"]["killed"] and reconcile.trainer_of(run)
    result = cli("cancel", run.id, "--now")
    assert "cancelled: killed before it had stopped by itself" in result.stdout
    assert reconcile.trainer_of(run) is None


@pytest.mark.parametrize("deaf", [False, True])
def test_a_supervisor_killed_between_request_and_stop(cli: Cli, detached: Detached, deaf: bool) -> None:
    run = detached(deaf=deaf)
    until(lambda: stepped(run))
    os.kill(run.record()["supervisor"]["pid"], signal.SIGSTOP)
    assert "running" in cli("cancel", run.id, "--no-wait", *(["--now"] if deaf else [])).stdout
    kill_supervisor(run)
    record = cancel.wait(run)
    assert (record["state"], record["stop"]["killed"]) == (("cancelled", True) if deaf else ("stopped", False))


def test_a_suspended_supervisor_is_named(cli: Cli, detached: Detached, monkeypatch: pytest.MonkeyPatch) -> None:
    run = detached()
    until(lambda: stepped(run))
    monkeypatch.setattr(cancel, "_PATIENCE", 0.0)
    pid = run.record()["supervisor"]["pid"]
    os.kill(pid, signal.SIGSTOP)
    cancel.ask(run)
    said: list[str] = []

    def wake(text: str) -> None:
        said.append(text)
        os.kill(pid, signal.SIGCONT)

    assert cancel.wait(run, wake)["state"] == "stopped"
    assert len(said) == 1 and f"kill -CONT {pid}" in said[0]


def test_not_waiting_for_a_run_that_nobody_follows(cli: Cli, detached: Detached) -> None:
    run = detached()
    until(lambda: stepped(run))
    kill_supervisor(run)
    assert "stopping" in cli("cancel", run.id, "--no-wait").stdout
    until(lambda: reconcile.trainer_of(run) is None)
    assert "stopped: stopped at step" in cli("status", run.id).stdout


def test_a_request_and_ctrl_c_together_still_save(new_run: NewRun) -> None:
    run = new_run({"delay": 0.02, "steps": 1000}, total_steps=1000)

    def press() -> None:
        until(lambda: stepped(run))
        stop_request.write(run, kill=False)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    with run.supervise():
        record = run_local(run, run.manifest(), Silent(), QUICK)
    thread.join()
    assert (record["state"], record["stop"]["killed"]) == ("stopped", False)


def test_a_request_before_anything_has_begun(new_run: NewRun) -> None:
    run = new_run()
    stop_request.write(run, kill=True)
    stop_request.write(run, kill=False)
    assert stop_request.read(run) == stop_request.Request(kill=True)
    with run.supervise():
        assert run_local(run, run.manifest(), Silent(), QUICK)["state"] == "cancelled"
    assert [event["state"] for event in run.history()] == ["pending", "cancelled"]
    run.hand_over("resumed")
    run.update(supervisor=None)  # the Tuneform that was to take it has died
    assert reconcile.standing(run).state == "cancelled"


def test_watching_from_before_the_first_metric_to_a_cancelled_end(
    detached: Detached, watching: Callable[..., subprocess.Popen[str]]
) -> None:
    run = detached()
    process = watching(run.id[:-2], "--json")
    until(lambda: stepped(run))
    assert process.stderr is not None
    seen = [next(line for line in process.stderr if "loss" in line)]
    cancel.ask(run)
    out, err = process.communicate(timeout=20)
    assert "/1000  loss" in seen[0] or "/1000  eval loss" in seen[0]
    assert process.returncode == 130 and "stopping: asked to stop by `tuneform cancel`" in err
    assert json.loads(out)["state"] == "stopped" and f"resume: tuneform run --resume {run.id}" in err


def test_ctrl_c_ends_the_watching_only(detached: Detached, watching: Callable[..., subprocess.Popen[str]]) -> None:
    run = detached()
    process = watching()
    assert process.stderr is not None
    assert process.stderr.readline() == f"run {run.id}\n"
    next(line for line in process.stderr if "loss" in line)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130 and f"the run goes on (`tuneform cancel {run.id}` stops it)" in err
    assert reconcile.standing(run).supervised


def test_watching_goes_on_when_the_supervisor_is_gone(cli: Cli, detached: Detached) -> None:
    run = detached(steps=100)
    until(lambda: stepped(run))
    kill_supervisor(run)
    result = cli("watch", run.id)
    assert result.exit_code == 0, result.stderr
    assert "no Tuneform follows this run; its trainer goes on" in result.stderr
    assert "step 100/100  eval loss" in result.stderr and "succeeded" in result.stdout


def test_a_failed_run_is_watched_to_exit_4(cli: Cli, detached: Detached) -> None:
    run = detached(at=10, say="ValueError: a bad day", exit=True)
    result = cli("watch", run.id)
    assert result.exit_code == 4 and "failed: ValueError: a bad day" in result.stderr


def test_metrics_are_read_on_while_the_file_is_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    tail = metrics.MetricsTail(path)

    def rows(*steps: int) -> list[dict[str, object]]:
        return [Metric(step, 0.1, "train", "loss", 1.0, None, "x").as_dict() for step in steps]

    def fresh() -> list[int | None]:
        return [metric.step for metric in tail.poll()]

    assert fresh() == []
    write_lines(path, rows(1, 2))
    assert fresh() == [1, 2]
    with path.open("a") as out:
        out.write(json.dumps(rows(3)[0]) + "\n" + json.dumps(rows(4)[0])[:20])
    assert (fresh(), fresh()) == ([3], [])
    write_lines(path, rows(1, 2, 3, 4, 5))
    assert fresh() == [4, 5]
    write_lines(path, rows(1, 2))  # resumed from step 2
    assert fresh() == []
    with path.open("a") as out:
        out.write(json.dumps(rows(3)[0]) + "\n")
    assert fresh() == [3]


def test_progress_survives_what_it_is_shown_on(tmp_path: Path) -> None:
    class Gone(Silent):
        def note(self, text: str) -> None:
            raise OSError(5, "Input/output error")

    progress = Enduring(Gone(), tmp_path / "log")
    progress.note("one")
    progress.note("two")
    progress.close()
    progress.note("three")
    assert (tmp_path / "log").read_text() == "the terminal is gone; the run goes on\none\ntwo\n"
    nowhere = Enduring(Gone(), tmp_path / "no" / "log")
    nowhere.note("lost")
    nowhere.close()
    with (tmp_path / "log").open("w") as out:
        Enduring(Plain(out), tmp_path / "log").note("as before")
