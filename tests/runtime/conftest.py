"""Fixtures of the runtime's tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tuneform.runtime.rundir import RunDir

from .fakes import make_run


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def new_run(runs: Path) -> Callable[..., RunDir]:
    return lambda given=None, **run: make_run(runs, given, **run)
