"""Every code has its explanation, and every explanation a code that is used."""

from __future__ import annotations

import re
from pathlib import Path

from tuneform.spec.rows import rowcheck
from tuneform.spec.rows.filecodes import FILE_CODES
from tuneform.spec.rows.reportcodes import REPORT_CODES
from tuneform.spec.rows.rowcodes import ROW_CODES

CODES = FILE_CODES | ROW_CODES | REPORT_CODES
ROOT = Path(rowcheck.__file__).parents[2]


def test_codes_in_the_source_are_explained() -> None:
    used = {
        code
        for folder in ("spec", "runtime")
        for path in (ROOT / folder).rglob("*.py")
        if not path.stem.endswith("codes")
        for code in re.findall(r'"(TF3[0-35]\d)"', path.read_text())
    }
    assert used == set(CODES)


def test_explanations_are_whole() -> None:
    for code, (title, text) in CODES.items():
        assert re.fullmatch(r"TF3[0-35]\d", code)
        assert title and "\n\n    " in text, f"{code} has no example"
        assert all(len(line) <= 119 for line in text.splitlines())
