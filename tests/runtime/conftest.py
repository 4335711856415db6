"""Fixtures of the runtime's tests."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tuneform.runtime import reconcile
from tuneform.runtime.cli import main
from tuneform.runtime.rundir import RunDir, all_runs

from .fakes import make_run, until


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def new_run(runs: Path) -> Callable[..., RunDir]:
    return lambda given=None, **run: make_run(runs, given, **run)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the one environment of the fake trainer is kept, which has nothing in it."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def cli(runs: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    """Call the command line. Tuneforms in the background are real; none of them, and no trainer, is left behind."""
    monkeypatch.setenv("TUNEFORM_CACHE", str(cache))
    monkeypatch.setenv("TUNEFORM_RUNS", str(runs))
    monkeypatch.chdir(tmp_path)

    def call(*args: str) -> Result:
        result = CliRunner().invoke(main, list(args))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.stderr
        return result

    yield call
    for run in all_runs(runs):
        if reconcile.standing(run).supervised:
            with suppress(ProcessLookupError):
                os.kill(run.record()["supervisor"]["pid"], signal.SIGKILL)
            until(partial(reconcile.refresh, run))
        if trainer := reconcile.trainer_of(run):
            trainer.kill()


@pytest.fixture
def detached(cli: Callable[..., Result], new_run: Callable[..., RunDir]) -> Callable[..., RunDir]:
    """Start a run of the fake trainer in the background."""

    def begin(steps: int = 1000, **given: Any) -> RunDir:
        run = new_run({"delay": 0.02, "steps": steps, **given}, total_steps=steps)
        run.set_state("failed", "not started yet")
        result = cli("run", "--resume", run.id, "--detach", "--json")
        assert result.exit_code == 0, result.stderr
        assert json.loads(result.stdout)["id"] == run.id
        return run

    return begin
