"""What docs/diff.md shows is what is printed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from tuneform.runtime.cli import main

ROOT = Path(__file__).parents[2]
DOCUMENTATION = (ROOT / "docs" / "diff.md").read_text(encoding="utf-8")


def test_the_documentation_shows_what_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    blocks = re.findall(r"^```\n\$ tuneform diff ([^\n]*)\n(.*?)\n```$", DOCUMENTATION, re.M | re.S)
    assert len(blocks) == 3
    for line, printed in blocks:
        result = CliRunner().invoke(main, ["diff", *shlex.split(line)], catch_exceptions=False)
        assert result.stdout == f"{printed}\n"
