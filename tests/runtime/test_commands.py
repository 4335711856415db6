"""`run`, `runs` and `status` as a user meets them."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from tuneform.runtime import console, envs, reconcile, rundir
from tuneform.runtime.commands import run as run_module
from tuneform.runtime.commands import runs as runs_module
from tuneform.runtime.commands import status as status_module
from tuneform.runtime.rundir import RunDir, all_runs
from tuneform.runtime.staging import staging
from tuneform.spec.diagnostics import Diagnostic, Level, RunError, SpecError

from .fakes import make_run, this_python, write_bundle

Call = Callable[..., Result]


@pytest.fixture
def given() -> dict[str, Any]:
    """How the fake trainer behaves; a test changes it."""
    return {"run": {}}


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any]) -> Call:
    """Call a command in a folder with a spec; compiling and environments are stood in for."""

    def build_bundles(
        spec: Path,
        label: str | None,
        out: Callable[[str | None], Path],
        sets: Sequence[str],
        say: Callable[[str], None],
    ) -> SimpleNamespace:
        if "bad" in spec.read_text():
            raise SpecError([Diagnostic("TF104", Level.ERROR, "x", "unknown key `x`")])
        behaviour = {key: value for key, value in given.items() if key != "run"}
        warning = Diagnostic("TF201", Level.WARNING, "y", "a warning")
        folder = out(None)
        found = write_bundle(folder, behaviour, **given["run"])
        return SimpleNamespace(manifests=[found], folders=[folder], diagnostics=[warning])

    stand_in = ModuleType("tuneform.runtime.build")
    stand_in.__dict__["build_bundles"] = build_bundles
    monkeypatch.setitem(sys.modules, "tuneform.runtime.build", stand_in)
    monkeypatch.setattr("tuneform.runtime.local.Options.__init__.__defaults__", (this_python, 0.02, 600.0))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNEFORM_RUNS", raising=False)
    (tmp_path / "tuneform.yaml").write_text("version: 1\n")

    def invoke(command: click.Command, *args: str) -> Result:
        result = CliRunner().invoke(command, list(args))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.stderr
        return result

    return invoke


RUN, RUNS, STATUS = run_module.command, runs_module.command, status_module.command


def test_a_run_prints_its_result_on_stdout_and_the_rest_on_stderr(call: Call) -> None:
    result = call(RUN, "tuneform.yaml", "-t", "trl")
    assert result.exit_code == 0
    (run,) = all_runs(Path("runs"))
    assert result.stdout.startswith(run.id)
    assert "succeeded" in result.stdout and "3" in result.stdout and "metrics.jsonl" in result.stdout
    assert "TF201" in result.stderr and "TF201" not in result.stdout
    assert [path.name for path in Path("runs").iterdir()] == [run.id]


def test_json_is_one_document(call: Call) -> None:
    document = json.loads(call(RUN, "tuneform.yaml", "-t", "trl", "--json").stdout)
    assert (
        document["state"] == "succeeded" and document["losses"]["train"]["last"] < document["losses"]["train"]["first"]
    )
    shown = json.loads(call(STATUS, "last", "--json").stdout)
    assert shown == document
    (listed,) = json.loads(call(RUNS, "--json").stdout)["runs"]
    assert listed["id"] == document["id"] and listed["progress"]["step"] == 10


def test_a_wrong_spec_is_exit_1_and_leaves_nothing(call: Call) -> None:
    Path("tuneform.yaml").write_text("bad")
    result = call(RUN, "tuneform.yaml", "-t", "trl", "--json")
    assert result.exit_code == 1 and "error TF104" in result.stderr
    assert json.loads(result.stdout)["diagnostics"][0]["code"] == "TF104"
    assert not Path("runs").exists()


def test_a_failed_run_is_exit_4_with_a_sentence_and_the_tail(call: Call, given: dict[str, Any]) -> None:
    given |= {"say": "ValueError: a bad day", "at": 5}
    result = call(RUN, "tuneform.yaml")
    assert result.exit_code == 4
    assert "failed: ValueError: a bad day" in result.stderr and "  | " in result.stderr
    assert "tuneform run --resume fake-trl-" in result.stderr
    assert json.loads(call(RUN, "--resume", "--json").stdout)["attempts"] == 2


def test_an_environment_that_fails_is_exit_4(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(requirements: Path, say: envs.Say) -> envs.Environment:
        raise RunError("no version of `trl`", log_tail="the end")

    monkeypatch.setattr("tuneform.runtime.local.Options.__init__.__defaults__", (fail, 0.02, 600.0))
    result = call(RUN, "tuneform.yaml", "--json")
    assert result.exit_code == 4 and "  | the end" in result.stderr
    assert json.loads(result.stdout)["message"] == "no version of `trl`"
    shown = call(STATUS)
    assert "no version of `trl`" in shown.stdout and "the end" in shown.stdout


def test_ctrl_c_is_exit_130_and_resuming_finishes(call: Call, given: dict[str, Any]) -> None:
    given |= {"delay": 0.05, "steps": 40, "run": {"total_steps": 40}}

    over = threading.Event()

    def press() -> None:
        while not over.is_set() and (not (found := all_runs(Path("runs"))) or not found[0].metrics.exists()):
            time.sleep(0.02)
        if not over.wait(0.2):
            os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    try:
        result = call(RUN, "tuneform.yaml", "-t", "trl")
    finally:
        over.set()
        thread.join()
    assert result.exit_code == 130, result.stderr
    (run,) = all_runs(Path("runs"))
    assert f"resume: tuneform run --resume {run.id}" in result.stderr
    assert "asked to stop" in result.stderr
    Path("tuneform.yaml").write_text("version: 1 # changed\n")
    result = call(RUN, "tuneform.yaml", "--resume")
    assert result.exit_code == 0 and "has changed since" in result.stderr, result.stderr
    result = call(RUN, "--resume", run.id)
    assert result.exit_code == 3 and "has succeeded" in result.stderr


def test_a_live_run_is_neither_resumed_nor_started_twice(call: Call) -> None:
    run = make_run(Path("runs").absolute())
    with run.supervise():
        run.set_state("running", "training")
        result = call(RUN, "--resume", run.id)
        assert result.exit_code == 3 and "another Tuneform" in result.stderr
        result = call(RUN, "tuneform.yaml", "-t", "trl")
        assert result.exit_code == 3 and "--yes" in result.stderr
        assert call(RUN, "tuneform.yaml", "-t", "trl", "--yes").exit_code == 0


def test_an_unsupervised_live_run_is_shown_and_not_resumed(call: Call) -> None:
    from tuneform.runtime import process

    run = make_run(Path("runs").absolute())
    trainer, shell = process.start(["sleep", "60"], run.bundle, dict(os.environ), run.files(1))
    try:
        attempt = {"number": 1, "started": "2026-01-01T00:00:00+00:00", "resumed_from": None} | trainer.as_dict()
        run.set_state("running", "training", attempts=[attempt])
        assert "followed by nobody" in call(STATUS).stdout
        result = call(RUN, "--resume", run.id)
        assert result.exit_code == 3 and "still goes on" in result.stderr
    finally:
        trainer.kill()
        shell.wait()
    while trainer.alive():
        time.sleep(0.01)
    assert "lost" in call(STATUS).stdout
    assert "lost" in call(RUNS).stdout


def test_used_up_hours_are_granted_again_with_yes(call: Call, given: dict[str, Any]) -> None:
    given |= {"delay": 0.02, "steps": 200, "run": {"total_steps": 200, "max_hours": 0.8 / 3600}}
    assert call(RUN, "tuneform.yaml").exit_code == 3
    refused = call(RUN, "--resume")
    assert refused.exit_code == 3 and "max_hours" in refused.stderr
    run = all_runs(Path("runs"))[0]
    (run.bundle / "fake.json").write_text(json.dumps({"steps": 200}))
    assert call(RUN, "--resume", "--yes").exit_code == 0


@pytest.mark.parametrize(
    "args", [[], ["--resume", "nothing"], ["--resume"], ["--resume", "last", "-t", "x"], ["--resume", "--set", "a=1"]]
)
def test_usage_errors(args: list[str], call: Call) -> None:
    assert call(RUN, *args).exit_code == 2


def test_status_of_nothing_is_a_usage_error(call: Call) -> None:
    assert call(STATUS).exit_code == 2
    assert call(STATUS, "nope").exit_code == 2
    assert call(RUNS).exit_code == 0


def test_a_run_is_found_by_the_beginning_of_its_id_and_a_damaged_one_is_named(call: Call) -> None:
    run = make_run(Path("runs").absolute())
    assert call(STATUS, run.id[:-2]).exit_code == 0
    (run.path / "run.json").write_text('{"id": ')
    assert "damaged" in call(RUNS).stdout
    assert call(STATUS, run.id).exit_code == 4


def test_no_token_reaches_the_terminal(call: Call, given: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hush-hush-1234")
    given |= {"say": "cannot use hush-hush-1234", "exit": True}
    result = call(RUN, "tuneform.yaml", "--json")
    assert "hush-hush" not in result.stdout + result.stderr
    assert "hush-hush" not in call(STATUS).stdout


def test_a_variable_that_the_spec_needs_and_nobody_set(call: Call, given: dict[str, Any]) -> None:
    given["run"] = {"needs": ["SURELY_NOT_SET"]}
    result = call(RUN, "tuneform.yaml")
    assert result.exit_code == 4 and "SURELY_NOT_SET" in result.stderr


def test_guarded_turns_a_full_disk_into_a_sentence() -> None:
    @click.command()
    @console.guarded
    def command() -> None:
        raise OSError(28, "No space left on device")

    result = CliRunner().invoke(command)
    assert result.exit_code == 4 and "No space left" in result.stderr


def test_a_supervised_run_is_not_settled_by_status(call: Call) -> None:
    run: RunDir = make_run(Path("runs").absolute())
    with run.supervise():
        run.set_state("provisioning", "preparing")
        assert reconcile.standing(run).supervised
        assert "provisioning" in call(STATUS).stdout


@pytest.mark.parametrize("content", ['{"id": ', "{}", '{"name": "x", "attempts": 7}', "[]"])
def test_a_damaged_run_hinders_no_other(call: Call, content: str) -> None:
    run = make_run(Path("runs").absolute())
    (run.path / "run.json").write_text(content)
    started = call(RUN, "tuneform.yaml", "-t", "trl")
    assert started.exit_code == 0 and f"note: run {run.id} is left out" in started.stderr
    assert call(RUN, "tuneform.yaml", "--resume").exit_code == 3  # the other one has succeeded
    assert call(STATUS, run.id).exit_code == 4 and call(RUN, "--resume", run.id).exit_code == 4
    assert "damaged" in call(RUNS).stdout


@pytest.mark.parametrize("content", ["{}", '{"name": "x", "label": "y", "target": {}, "run": []}'])
def test_a_damaged_manifest_is_a_sentence(call: Call, content: str) -> None:
    run = make_run(Path("runs").absolute())
    (run.bundle / "manifest.json").write_text(content)
    found = call(STATUS, run.id)
    assert found.exit_code == 4 and "damaged" in found.stderr


def test_the_beginning_of_several_ids_names_them(call: Call) -> None:
    runs = [make_run(Path("runs").absolute()) for _ in range(2)]
    found = call(STATUS, "fake-trl", "--json")
    assert found.exit_code == 2 and "is the beginning of 2 runs" in found.stderr
    assert all(run.id in found.stderr for run in runs) and json.loads(found.stdout)["error"]


def test_a_run_that_is_resumed_by_its_id_is_of_the_spec_and_target_given(call: Call) -> None:
    run = make_run(Path("runs").absolute())
    run.set_state("failed", "boom")
    Path("other.yaml").write_text("version: 1\n")
    for args in (["other.yaml"], ["-t", "other"], ["tuneform.yaml", "-t", "other"]):
        found = call(RUN, *args, "--resume", run.id)
        assert found.exit_code == 2 and f"run {run.id} is of" in found.stderr
    Path("link").symlink_to(Path.cwd())
    assert call(RUN, "link/tuneform.yaml", "-t", "trl", "--resume", run.id).exit_code == 0


def test_a_spec_by_another_way_is_the_same_spec(call: Call) -> None:
    run = make_run(Path("runs").absolute())
    Path("link").symlink_to(Path.cwd())
    with run.supervise():
        run.set_state("running", "training")
        assert call(RUN, "link/tuneform.yaml", "-t", "trl").exit_code == 3


def test_the_log_of_an_earlier_attempt_is_not_shown_for_a_later_one(
    call: Call, given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    given |= {"say": "ValueError: a bad day", "at": 5}
    assert "a bad day" in call(RUN, "tuneform.yaml").stderr

    def fail(requirements: Path, say: envs.Say) -> envs.Environment:
        raise RunError("no version of `trl`")

    monkeypatch.setattr("tuneform.runtime.local.Options.__init__.__defaults__", (fail, 0.02, 600.0))
    resumed = call(RUN, "--resume")
    assert resumed.exit_code == 4 and "no version of `trl`" in resumed.stderr and "a bad day" not in resumed.stderr


def test_what_an_ended_tuneform_left_goes_and_what_a_live_one_needs_stays(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    long_ago = time.time() - 3600
    with staging(runs) as staged:
        live, dead, young = staged.bundle(None).parent, runs / ".new-dead", runs / ".new-young"
        for folder in (dead, young):
            (folder / "bundle").mkdir(parents=True)
        for folder in (dead, live):
            os.utime(folder, (long_ago, long_ago))
        make_run(runs)
        assert live.is_dir() and young.is_dir() and not dead.exists()


def test_a_run_in_the_making_is_nobodys_yet(tmp_path: Path) -> None:
    (tmp_path / "tuneform.yaml").write_text("version: 1\n")
    with staging(tmp_path / "runs") as staged:
        folder = staged.bundle(None)
        run = rundir.create(tmp_path / "runs", [folder], [write_bundle(folder, {})], tmp_path / "tuneform.yaml")
        assert reconcile.standing(run).supervised
    assert reconcile.standing(run).state == "pending"
