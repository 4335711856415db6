"""The bar of reading: on a terminal, where it takes long, and gone afterwards."""

from __future__ import annotations

import io

import pytest

from tuneform.runtime import reading_bar as module


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_where_it_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(module, "_PATIENCE", 0.0)
    monkeypatch.setattr(module, "_REFRESH", 0.0)
    out = Terminal()
    with module.reading_bar(out) as progress:
        assert progress
        progress(1200, 500_000, 2_000_000)
    assert "1,200 rows, 0 of 2 MB" in out.getvalue()
    assert out.getvalue().endswith("\x1b[2K")  # the line is empty again


def test_nothing_where_it_is_quick_or_nobody_looks() -> None:
    out = Terminal()
    with module.reading_bar(out) as progress:
        assert progress
        progress(1, 1, 2)
    assert out.getvalue() == ""
    with module.reading_bar(io.StringIO()) as progress:
        assert progress is None
