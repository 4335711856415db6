"""`REV:FILE` is told from a file's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneform.runtime.revisions import split


def test_revisions_are_told_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a:b.yaml").write_text("x")
    assert split("a:b.yaml") is None and split("c.yaml") is None
    assert split("HEAD~1:c.yaml") == ("HEAD~1", "c.yaml")
    assert split("HEAD^{/fix: it}:c.yaml") == ("HEAD^{/fix: it}", "c.yaml")
