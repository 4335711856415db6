"""Runs of stages: one after the other, each from the result before it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from tuneform.runtime import rundir
from tuneform.runtime.progress import Silent
from tuneform.runtime.rundir import RunDir
from tuneform.runtime.supervise import supervise_stages

from .fakes import QUICK, make_chain, set_given, state, until

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
    assert cli("cancel", chain[1].id).exit_code == 0 and state(chain[1]) == "waiting"
