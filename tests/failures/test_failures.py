"""Broken specs beside the exact message. `python -m tests.failures.test_failures` writes the messages anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tuneform.runtime.project import open_project
from tuneform.spec.codes import codes
from tuneform.spec.diagnostics import render
from tuneform.spec.plan import DataFacts

HERE = Path(__file__).parent
CASES = sorted(p for p in HERE.glob("*.yaml") if not p.stem.startswith("_"))
# Codes whose problem cannot stand in a text file of its own, with the test that has them.
ELSEWHERE = {
    "TF006": "tests/spec/test_reading.py",
    "TF008": "tests/spec/test_reading.py",
    "TF014": "tests/spec/test_overrides.py",
    "TF210": "tests/commands/test_commands.py",
}


def message(file: Path) -> str:
    """What `tuneform validate` prints, run in the folder of the specs. `# --rows N` stands for chats in a file."""
    lines = file.read_bytes().decode("latin-1").splitlines()
    sets = [line[7:] for line in lines if line.startswith("# --set ")]
    rows = next((int(line[8:]) for line in lines if line.startswith("# --rows ")), None)
    facts = DataFacts("chat", rows) if rows else None
    before = Path.cwd()
    os.chdir(HERE)
    try:
        found = open_project(
            Path(file.name), sets=[s.strip() for s in sets], reading="none", facts=lambda _: facts
        ).diagnostics
    finally:
        os.chdir(before)
    return "\n".join(render(d) for d in found) + "\n"


@pytest.mark.parametrize("file", CASES, ids=lambda p: p.stem)
def test_the_message_is_exactly_this(file: Path) -> None:
    assert message(file) == file.with_suffix(".txt").read_text(encoding="utf-8")


def test_every_code_of_a_spec_has_a_failing_example() -> None:
    shown = "".join(p.read_text(encoding="utf-8") for p in HERE.glob("*.txt"))
    missing = {code for code in codes() if code < "TF3" and f" {code}: " not in shown}
    assert missing == set(ELSEWHERE)
    for code, test in ELSEWHERE.items():
        assert code in (HERE.parent.parent / test).read_text(encoding="utf-8")


def test_there_are_many() -> None:
    assert len(CASES) >= 40


def main() -> None:
    for file in CASES:
        file.with_suffix(".txt").write_text(message(file), encoding="utf-8")


if __name__ == "__main__":
    main()
