"""Specs compile to exactly these files; `make golden` writes them anew, and the diff is the review."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.golden.bundles import cases, compile_case, golden

ALL = [(case, label) for case in cases() for label, _ in compile_case(case)]
STYLE = ["--isolated", "--line-length", "119", "--target-version", "py310"]


@pytest.mark.parametrize("case", cases())
def test_a_spec_compiles_to_its_golden_files(case: str) -> None:
    for label, files in compile_case(case):
        folder = golden(case, label)
        written = {p.relative_to(folder).as_posix(): p.read_text("utf-8") for p in folder.rglob("*") if p.is_file()}
        assert files == written, f"{case}/{label} differs: look at it with `make golden && git diff`"


@pytest.mark.parametrize(("case", "label"), ALL)
def test_golden_scripts_pass_lint_and_format(case: str, label: str, tmp_path: Path) -> None:
    for script in golden(case, label).glob("*.py"):
        (tmp_path / script.name).write_text(script.read_text("utf-8"), encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff"]
    for command in (
        [*ruff, "check", *STYLE, "--select", "E,F,I,W,UP,B,T,C", "."],
        [*ruff, "format", "--check", "--diff", *STYLE, "."],
    ):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
