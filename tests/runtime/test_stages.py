"""Runs of stages: one after the other, each from the result before it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tuneform.runtime import cancel, local, reconcile, rundir, stop_request
from tuneform.runtime.progress import Silent
from tuneform.runtime.reconcile import Standing
from tuneform.runtime.rundir import RunDir
from tuneform.runtime.supervise import supervise_stages
from tuneform.runtime.verdict import conclude

from .fakes import QUICK, make_chain, set_given, state, stepped, until

Cli = Callable[..., Result]
BAD = {"at": 3, "say": "ValueError: no good"}


def states(chain: list[RunDir]) -> list[str]:
    return [state(run) for run in chain]


def test_the_first_is_pending_and_the_others_wait(runs: Path, cli: Cli) -> None:
    chain = make_chain(runs, {}, {}, {})
    assert states(chain) == ["pending", "waiting", "waiting"]
    assert [run.id.split("-")[2] for run in chain] == ["s0", "s1", "s2"]
    assert chain[1].record()["message"] == f"waits for {chain[0].id}"
    assert (chain[1].path / "s0").resolve() == chain[0].bundle.resolve()
    assert rundir.matching(runs, "last") == [chain[0]]
    assert not list(runs.glob(".new-*"))


def test_each_goes_on_where_the_one_before_has_succeeded(runs: Path) -> None:
    chain = make_chain(runs, {}, {}, {})
    last, record = supervise_stages(chain[0], Silent, QUICK)
    assert (last, record["state"]) == (chain[2], "succeeded")
    assert states(chain) == ["succeeded"] * 3
    assert [event["state"] for event in chain[1].history()][:3] == ["waiting", "pending", "provisioning"]


def test_a_failed_stage_keeps_the_rest_waiting_and_resume_goes_on_to_the_end(runs: Path, cli: Cli) -> None:
    chain = make_chain(runs, {}, BAD, {})
    last, record = supervise_stages(chain[0], Silent, QUICK)
    assert (last, record["state"]) == (chain[1], "failed")
    assert states(chain) == ["succeeded", "failed", "waiting"]
    set_given(chain[1])
    result = cli("run", "--resume", chain[2].id, "--json")  # any of them names the chain
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["id"] == chain[2].id
    assert states(chain) == ["succeeded"] * 3 and f"resuming run {chain[1].id}" in result.stderr
    assert cli("run", "--resume", chain[0].id).exit_code == 3  # nothing is left


def test_stages_go_on_in_the_background(runs: Path, cli: Cli) -> None:
    chain = make_chain(runs, BAD, {"delay": 0.02})
    supervise_stages(chain[0], Silent, QUICK)
    set_given(chain[0], delay=0.02)
    assert cli("run", "--resume", "last", "--detach").exit_code == 0
    until(lambda: states(chain) == ["succeeded", "succeeded"])


def test_a_result_that_is_gone_is_one_sentence(runs: Path) -> None:
    chain = make_chain(runs, {}, {})
    assert supervise_stages(chain[0], Silent, QUICK)[1]["state"] == "succeeded"
    (chain[0].bundle / "output" / "config.json").unlink()
    chain[1].hand_over("again")
    record = supervise_stages(chain[1], Silent, QUICK)[1]
    assert record["state"] == "failed" and "which this run starts from" in record["message"]


def test_status_and_runs_tell_of_waiting(runs: Path, cli: Cli) -> None:
    chain = make_chain(runs, BAD, {})
    supervise_stages(chain[0], Silent, QUICK)
    shown = cli("status", chain[1].id)
    assert f"waiting: waits for {chain[0].id}" in shown.stdout and "resume" in shown.stdout
    assert "waiting" in cli("runs").stdout


def test_a_waiting_stage_is_cancelled_before_its_turn(runs: Path, cli: Cli) -> None:
    chain = make_chain(runs, {"delay": 0.05, "steps": 40}, {}, {})

    def elsewhere() -> None:
        until(lambda: stepped(chain[0]))
        told.append(cli("status", chain[1].id))
        told.append(cli("cancel", chain[1].id))

    told: list[Result] = []
    thread = threading.Thread(target=elsewhere)
    thread.start()
    last, record = supervise_stages(chain[0], Silent, QUICK)
    thread.join()
    assert "waiting" in told[0].stdout and "resume" not in told[0].stdout  # a stage before it is at work
    assert told[1].exit_code == 0 and "cancelled before the training" in told[1].stdout
    assert "had ended" not in told[1].stdout and "resume" not in told[1].stdout
    assert (last, record["state"]) == (chain[0], "succeeded")
    assert states(chain) == ["succeeded", "cancelled", "waiting"]
    assert cli("watch", chain[0].id).exit_code == 130  # as `run` does: what it was to do is not done
    resumed = cli("run", "--resume", chain[2].id)
    assert resumed.exit_code == 0 and states(chain) == ["succeeded"] * 3, resumed.stderr


def test_a_stage_whose_turn_comes_while_it_is_cancelled_is_asked_to_stop(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = make_chain(runs, {}, {})
    looked = reconcile.standing

    def late(run: RunDir) -> Standing:
        found = looked(run)
        if found.state == "waiting":
            run.hand_over("the stage before has succeeded")
        return found

    monkeypatch.setattr(cancel, "standing", late)
    cancel.ask(chain[1])
    assert state(chain[1]) == "pending" and stop_request.read(chain[1])
    assert supervise_stages(chain[1], Silent, QUICK)[1]["state"] == "cancelled"


def test_what_is_left_of_a_chain_is_shown_where_a_folder_is_gone(runs: Path, cli: Cli) -> None:
    chain = make_chain(runs, {}, {}, {})
    supervise_stages(chain[0], Silent, QUICK)
    shutil.rmtree(chain[1].path)
    for run in (chain[0], chain[2]):
        shown = cli("status", run.id)
        assert shown.exit_code == 0 and "succeeded" in shown.stdout and "resume" not in shown.stdout
        assert cli("watch", run.id).exit_code == 0


@pytest.mark.parametrize(("how", "code"), [("interrupt", 130), ("cancel", 130), ("budget", 3)])
def test_a_stop_in_the_last_steps_of_a_stage_begins_no_other(runs: Path, cli: Cli, how: str, code: int) -> None:
    chain = make_chain(runs, {"delay": 0.05, "steps": 60, "deaf": True}, {})
    if how == "budget":
        given = chain[0].manifest()
        given["run"]["max_hours"] = 1.5 / 3600
        (chain[0].bundle / "manifest.json").write_text(json.dumps(given))

    def ask() -> None:
        until(lambda: stepped(chain[0]))
        if how == "interrupt":
            os.kill(os.getpid(), signal.SIGINT)
        elif how == "cancel":
            stop_request.write(chain[0], kill=False)

    thread = threading.Thread(target=ask)
    thread.start()
    last, record = supervise_stages(chain[0], Silent, QUICK)
    thread.join()
    assert (last, record["state"], record["stop"]["reason"]) == (chain[0], "succeeded", how)
    assert states(chain) == ["succeeded", "waiting"]
    watched = cli("watch", chain[0].id)  # ends as `run` does
    assert watched.exit_code == code and f"resume: tuneform run --resume {chain[0].id}" in watched.stderr
    resumed = cli("run", "--resume", chain[0].id)
    assert resumed.exit_code == 0 and states(chain) == ["succeeded"] * 2, resumed.stderr


@pytest.mark.parametrize("how", ["interrupt", "cancel"])
def test_a_stop_that_comes_once_the_trainer_has_ended_counts(
    runs: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = make_chain(runs, {}, {})

    def late(run: RunDir) -> dict[str, Any]:
        if how == "interrupt":
            os.kill(os.getpid(), signal.SIGINT)
        else:
            stop_request.write(run, kill=False)
        return conclude(run)

    monkeypatch.setattr(local, "conclude", late)
    record = supervise_stages(chain[0], Silent, QUICK)[1]
    assert record["stop"]["reason"] == how and states(chain) == ["succeeded", "waiting"]
