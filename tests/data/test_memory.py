"""Reports and conversions hold digests and counts of rows in memory, and never the rows."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from tuneform.runtime import reading_bar, repeats, spool
from tuneform.runtime.cli import main
from tuneform.runtime.datareport.gather import Wanted, gather
from tuneform.runtime.loaded import Source
from tuneform.runtime.readers import lines

ROWS = 1200
PADDING = "some words that each row has, so that a row is far larger than what may be kept of it. " * 3


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "_IN_MEMORY", 2**14)
    monkeypatch.setattr(spool, "BLOCK", 2**14)
    monkeypatch.setattr(lines, "BLOCK", 2**14)
    monkeypatch.setattr("tuneform.runtime.datareport.checks.BLOCK", 2**14)
    monkeypatch.setattr(repeats, "_AT_ONCE", 500)


def written(folder: Path, rows: int) -> Path:
    path = folder / f"{rows}.jsonl"
    path.write_text("".join(json.dumps({"prompt": f"{i} {PADDING}", "completion": "b"}) + "\n" for i in range(rows)))
    return path


def growth(folder: Path, work: Callable[[Path], object]) -> float:
    """Bytes that each further row takes, of all that is taken at once."""
    few, many = written(folder, ROWS), written(folder, 3 * ROWS)
    work(few)  # what is imported and cached
    return (_peak(many, work) - _peak(few, work)) / (2 * ROWS)


def _peak(path: Path, work: Callable[[Path], object]) -> int:
    tracemalloc.start()
    try:
        work(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_report_keeps_a_few_bytes_of_each_row(tmp_path: Path) -> None:
    assert growth(tmp_path, lambda path: gather(Wanted([Source(path, path.name)]))) < 100


def test_a_conversion_keeps_a_digest_of_each_row(tmp_path: Path) -> None:
    assert growth(tmp_path, convert) < 40


def convert(path: Path) -> None:
    asked = ["data", "convert", str(path), "--to", "together", "-o", str(path.with_name("out.jsonl"))]
    done = CliRunner().invoke(main, asked)
    assert done.exit_code == 0, done.output


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_each_phase_is_shown_on_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(reading_bar, "_PATIENCE", 0.0)
    monkeypatch.setattr(reading_bar, "_REFRESH", 0.0)
    rows = written(tmp_path, ROWS)
    report, conversion = Terminal(), Terminal()
    with reading_bar.phases_bar(report) as phases:
        gather(Wanted([Source(rows, "a.jsonl")]), phases=phases)
    monkeypatch.setattr(reading_bar, "phases_bar", partial(reading_bar.phases_bar, conversion))
    convert(rows)
    assert all(name in report.getvalue() for name in ("reading", "looking for secrets", "counting"))
    assert all(name in conversion.getvalue() for name in ("reading", "converting"))
    assert f"{ROWS - ROWS % 1000:,} rows" in conversion.getvalue()
