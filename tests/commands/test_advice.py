"""Advice as the command line shows it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.support import document, spec
from tuneform.runtime.cli import main

CHAT = {"messages": [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "4"}]}


def run(*args: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in args], catch_exceptions=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    rows = [json.dumps(CHAT).replace("2+2", f"{n}+2") for n in range(60)]
    (tmp_path / "data" / "train.jsonl").write_text("\n".join(rows), encoding="utf-8")
    return tmp_path / "tuneform.yaml"


def write(file: Path, accept: list[str]) -> None:
    changes = {"model": {"id": "acme/tiny-8b"}, "training": {"batch_size": 4}, "hardware": {"gpu": "L40S"}}
    document({**spec(**changes), "targets": {"trl": {"accept": accept}}}, file.parent)


def test_advice_warns_and_strict_refuses(file: Path) -> None:
    write(file, [])
    plain, strict = run("validate", file), run("validate", file, "--strict")
    assert "warning TF131" in plain.stderr and plain.exit_code == 0
    assert strict.exit_code == 3 and "accept: [TF131]" in strict.stderr
    assert run("compile", file, "--strict", "-o", file.parent / "out").exit_code == 3


def test_accepted_advice_is_not_told(file: Path) -> None:
    write(file, ["TF131"])
    strict = run("validate", file, "--strict")
    assert strict.exit_code == 0 and strict.stderr == ""


def test_the_rows_are_needed_for_advice_about_rows(file: Path) -> None:
    write(file, [])
    assert run("validate", file, "--no-data").stderr == ""


def test_plan_shows_the_memory(file: Path) -> None:
    write(file, ["TF131"])
    shown = run("plan", file).stdout
    line = next(line for line in shown.splitlines() if "memory:" in line)
    assert "GiB on each device (estimate)" in line and "L40S has 48" in line
    found = json.loads(run("plan", file, "--json").stdout)["targets"]["trl"]["memory_estimate"]
    assert 14 < found["low"] < found["high"] and sum(p["low"] for p in found["parts"].values()) == pytest.approx(
        found["low"], abs=0.05
    )


def test_plan_says_nothing_of_memory_where_the_name_tells_no_size(file: Path) -> None:
    write(file, ["TF131"])
    arguments = ("plan", file, "--set", "model.id=acme/tiny")
    assert "memory:" not in run(*arguments).stdout
    assert json.loads(run(*arguments, "--json").stdout)["targets"]["trl"]["memory_estimate"] is None


def test_explain_tells_the_advice() -> None:
    told = run("explain", "TF132").stdout
    assert "Fix: " in told and "Source: https://" in told and "Instead" in told
