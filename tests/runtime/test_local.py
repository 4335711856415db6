"""A run from its start to each of its ends, with a trainer that only pretends."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tuneform.runtime import metrics, process
from tuneform.runtime.checkpoints import State
from tuneform.runtime.envs import Environment, Say
from tuneform.runtime.following import Following
from tuneform.runtime.jsonfiles import read_lines
from tuneform.runtime.local import Options, run_local
from tuneform.runtime.progress import Silent
from tuneform.runtime.reconcile import standing, trainer_of
from tuneform.runtime.rundir import RESUMABLE, RunDir
from tuneform.runtime.verdict import judge
from tuneform.spec.diagnostics import RunError

from .fakes import QUICK, keys, manifest, set_given

NewRun = Callable[..., RunDir]


def go(run: RunDir, options: Options = QUICK, progress: Any = None) -> dict[str, Any]:
    with run.supervise():
        return run_local(run, run.manifest(), progress or Silent(), options)


def rows(run: RunDir) -> list[dict[str, Any]]:
    return list(read_lines(run.metrics))


def series(run: RunDir, split: str, name: str) -> dict[int, float]:
    return {row["step"]: row["value"] for row in rows(run) if (row["split"], row["name"]) == (split, name)}


@contextmanager
def interrupt_at(run: RunDir, step: int, times: int = 1, after: float = 0.0) -> Iterator[None]:
    """Press Ctrl-C once the trainer has reached a step; not any more once the block is over."""
    over = threading.Event()

    def press() -> None:
        log = run.files(1).log
        while not over.is_set() and not (log.exists() and f"| {step}/".encode() in log.read_bytes()):
            time.sleep(0.01)
        for _ in range(times):
            if not over.is_set():
                os.kill(os.getpid(), signal.SIGINT)
                over.wait(after)

    thread = threading.Thread(target=press)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_success_leaves_exact_metrics_and_a_full_record(new_run: NewRun) -> None:
    run = new_run()
    record = go(run)
    assert (record["state"], record["exit_code"]) == ("succeeded", 0)
    assert [event["state"] for event in run.history()] == ["pending", "provisioning", "running", "succeeded"]
    loss = series(run, "train", "loss")
    assert list(loss) == [1, 4, 8]
    assert loss[4] == 3.0 / 5 + 4e-7  # not the printed 0.6
    assert list(series(run, "eval", "loss")) == [0, 4, 8, 10]
    assert series(run, "train", "tokens")[8] == 80.0
    assert series(run, "train", "mean_loss") == {10: 1.5}
    assert {row["source"] for row in rows(run)} == {"hf_trainer.state"}
    assert all(row["time"] for row in rows(run))
    assert record["progress"] == {
        "step": 10,
        "total": 10,
        "loss": loss[8],
        "eval_loss": series(run, "eval", "loss")[10],
    }
    assert record["files"] == {"train.py": "sha256:11"}
    assert (run.path / record["environment"]["resolved"]).read_text() == "nothing==1\n"


def test_metrics_grow_while_the_trainer_runs(new_run: NewRun) -> None:
    run = new_run({"delay": 0.05})
    seen: list[int] = []

    class Watch(Silent):
        def update(self, step: int, total: int | None, fresh: Any) -> None:
            seen.append(len(rows(run)))
            assert total == 10

    go(run, progress=Watch())
    assert 0 < seen[0] < seen[-1] <= len(rows(run))


def test_ctrl_c_saves_and_a_resumed_run_has_no_metric_twice(new_run: NewRun) -> None:
    run = new_run({"delay": 0.05, "steps": 30}, total_steps=30)
    with interrupt_at(run, 6):
        record = go(run)
    assert record["state"] == "stopped"
    assert record["stop"]["reason"] == "interrupt"
    stopped_at = record["progress"]["step"]
    assert 6 <= stopped_at < 30
    assert [event["state"] for event in run.history()][-2:] == ["stopping", "stopped"]

    set_given(run, steps=30)
    record = go(run)
    assert record["state"] == "succeeded"
    assert [attempt["number"] for attempt in record["attempts"]] == [1, 2]
    assert record["attempts"][1]["resumed_from"] == stopped_at
    assert list(series(run, "train", "loss")) == [1, *range(4, 30, 4)]
    assert len(set(keys(rows(run)))) == len(rows(run))
    assert run.files(1).log.exists() and run.files(2).log.exists()


def test_a_second_ctrl_c_kills(new_run: NewRun) -> None:
    run = new_run({"delay": 0.05, "steps": 1000, "deaf": True}, total_steps=1000)
    with interrupt_at(run, 6, times=2, after=0.3):
        record = go(run)
    assert record["state"] == "cancelled"
    assert "the last checkpoint is of step" in record["message"]
    assert trainer_of(run) is None


def test_max_hours_stops_and_then_kills_what_does_not_stop(new_run: NewRun) -> None:
    run = new_run({"delay": 0.02, "steps": 1000}, total_steps=1000, max_hours=0.4 / 3600)
    record = go(run)
    assert (record["state"], record["stop"]["reason"]) == ("stopped", "budget")
    assert "max_hours" in record["message"]

    run = new_run({"delay": 0.02, "steps": 1000, "deaf": True}, total_steps=1000, max_hours=0.2 / 3600)
    record = go(run, Options(QUICK.ensure, QUICK.poll, grace=0.2))
    assert record["state"] == "stopped" and record["stop"]["killed"] is True


def test_kill_9_of_the_trainer_keeps_what_was_measured(new_run: NewRun) -> None:
    run = new_run({"at": 7, "signal": signal.SIGKILL, "say": ""})
    record = go(run)
    assert (record["state"], record["exit_code"]) == ("failed", 137)
    assert "SIGKILL" in record["message"]
    assert list(series(run, "train", "loss")) == [1, 4]

    set_given(run)
    assert go(run)["state"] == "succeeded"
    assert list(series(run, "train", "loss")) == [1, 4, 8]
    assert len(set(keys(rows(run)))) == len(rows(run))


def test_the_state_of_an_earlier_attempt_is_kept_and_not_taken_for_that_of_a_later_one(new_run: NewRun) -> None:
    run = new_run({"delay": 0.05, "steps": 30}, total_steps=30)
    with interrupt_at(run, 6):
        assert go(run)["state"] == "stopped"
    stopped = set(keys(rows(run)))
    set_given(run, steps=30, at=run.record()["progress"]["step"] + 1, whole_group=True, say="")
    record = go(run)
    assert (record["state"], record["exit_code"]) == ("lost", None)
    assert run.state_file(1).exists()
    assert {key for key in stopped if key[2] <= 4} <= set(keys(rows(run)))


def test_an_incomplete_checkpoint_is_set_aside_and_named(new_run: NewRun) -> None:
    run = new_run({"die_saving": 8})
    assert go(run)["state"] == "failed"
    said: list[str] = []

    class Notes(Silent):
        def note(self, text: str) -> None:
            said.append(text)

    set_given(run)
    record = go(run, progress=Notes())
    assert record["state"] == "succeeded"
    assert record["attempts"][1]["resumed_from"] == 4
    aside = run.bundle / "output" / "incomplete-checkpoint-8"
    assert (aside / "model.bin").exists() and str(aside) in " ".join(said)


def test_steps_after_the_checkpoint_are_measured_anew(new_run: NewRun) -> None:
    run = new_run({"at": 7, "log": 1, "say": "boom"}, metrics=_metrics(logging_steps=1))
    go(run)
    assert list(series(run, "train", "loss")) == [1, 2, 3, 4, 5, 6]
    set_given(run, log=1, at=5, say="boom")
    go(run)
    assert list(series(run, "train", "loss")) == [1, 2, 3, 4]


def _metrics(**changes: Any) -> dict[str, Any]:
    return dict(manifest()["run"]["metrics"]) | changes


def test_a_script_asked_to_stop_from_outside_has_not_succeeded(new_run: NewRun) -> None:
    run = new_run({"delay": 0.05, "steps": 100}, total_steps=100)

    def terminate() -> None:
        while (trainer := trainer_of(run)) is None or not run.metrics.exists() or len(rows(run)) < 6:
            time.sleep(0.02)
        trainer.ask()

    thread = threading.Thread(target=terminate)
    thread.start()
    record = go(run)
    thread.join()
    assert record["state"] == "stopped" and record["exit_code"] == 0
    assert "ended by itself" in record["message"]


def test_early_stopping_is_success(new_run: NewRun) -> None:
    callback = {"args": {"early_stopping_patience": 2}, "attributes": {"early_stopping_patience_counter": 2}}
    state = {"stateful_callbacks": {"EarlyStoppingCallback": callback}, "max_steps": 50}
    record = go(new_run({"state": state}))
    assert record["state"] == "succeeded"


def test_an_environment_that_cannot_be_built_fails_the_run(new_run: NewRun) -> None:
    def refuse(requirements: Path, say: Say) -> Environment:
        raise RunError("no version of `trl` was found", log_tail="the end of the log")

    run = new_run()
    record = go(run, Options(ensure=refuse))
    assert (record["state"], record["message"]) == ("failed", "no version of `trl` was found")
    assert record["attempts"] == []


def test_ctrl_c_while_the_environment_is_built(new_run: NewRun) -> None:
    def interrupted(requirements: Path, say: Say) -> Environment:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
        raise AssertionError("unreachable")

    run = new_run()
    with pytest.raises(KeyboardInterrupt):
        go(run, Options(ensure=interrupted))
    assert run.record()["state"] == "cancelled"
    assert standing(run).state == "cancelled"


def test_no_secret_of_the_environment_is_stored(new_run: NewRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hush-hush-1234")
    run = new_run({"say": "ValueError: bad token hush-hush-1234", "exit": True})
    record = go(run)
    assert record["message"] == "ValueError: bad token [redacted]"
    for path in (run.path / "run.json", run.events):
        assert "hush-hush" not in path.read_text()
    assert "HF_TOKEN" not in json.dumps(record)
    run.set_state("failed", "again hush-hush-1234", log_tail="hush-hush-1234")
    assert "hush-hush" not in (run.path / "run.json").read_text() + run.events.read_text()


@pytest.mark.parametrize(
    ("code", "stop", "state"),
    [
        (None, None, "lost"),
        (None, {"reason": "interrupt", "killed": True}, "cancelled"),
        (None, {"reason": "budget", "killed": True}, "stopped"),
        (137, {"reason": "interrupt", "killed": True}, "cancelled"),
        (0, {"reason": "interrupt", "killed": True}, "succeeded"),
        (0, None, "succeeded"),
    ],
)
def test_a_trainer_that_was_killed_after_its_last_state_has_not_succeeded(
    code: int | None, stop: dict[str, Any] | None, state: str
) -> None:
    final = State(step=10, total=10, history=[], patience=None)
    verdict = judge(code, stop, final, 10, b"")
    assert verdict.state == state and (state == "succeeded" or state in RESUMABLE)


def test_a_full_disk_leaves_no_trainer_alone(new_run: NewRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    said: list[str] = []

    class Notes(Silent):
        def note(self, text: str) -> None:
            said.append(text)

    monkeypatch.setattr(metrics, "append_lines", full)
    run = new_run({"delay": 0.03})
    record = go(run, progress=Notes())
    assert record["state"] == "succeeded" and list(series(run, "train", "loss")) == [1, 4, 8]
    assert len([text for text in said if "No space left" in text]) == 1


def test_a_full_disk_does_not_keep_a_trainer_from_being_killed(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **changes: object) -> None:
        raise OSError(28, "No space left on device")

    run = new_run()
    trainer, shell = process.start(["sleep", "60"], run.bundle, dict(os.environ), run.files(1))
    collector = metrics.Collector(run.metrics, run.files(1).log, metrics.source_of(run.manifest()).follow(None))
    monkeypatch.setattr(RunDir, "set_state", full)
    with pytest.raises(OSError, match="No space left"):
        Following(run, trainer, shell, collector, Silent(), 0.02, 600.0).obey(interrupts=2)
    assert shell.wait(timeout=10) == -signal.SIGKILL
