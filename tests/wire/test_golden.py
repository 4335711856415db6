"""Two rows in each wire form, byte for byte. `python -m tests.wire.test_golden` writes them anew; read the diff."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneform.runtime.datafiles import encode
from tuneform.spec.wire.base import Form, Wire
from tuneform.spec.wire.convert import WIRES, to_wire

from .rows import two

FOLDER = Path(__file__).parent / "golden"
FORMS = [(wire, form) for wire in WIRES.values() for form in wire.forms.values()]
NAMES = [f"{wire.name}.{form.shape}.jsonl" for wire, form in FORMS]


def written(wire: Wire, form: Form) -> bytes:
    found = [row for canonical in two(form) for row in to_wire(canonical, form.shape, form)[0]]
    return (b"\xef\xbb\xbf" if wire.bom else b"") + b"".join(encode(row) + b"\n" for row in found)


@pytest.mark.parametrize(("wire", "form"), FORMS, ids=NAMES)
def test_bytes(wire: Wire, form: Form) -> None:
    assert (FOLDER / f"{wire.name}.{form.shape}.jsonl").read_bytes() == written(wire, form)


def test_every_golden_file_has_its_form() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(NAMES)


if __name__ == "__main__":
    for (wire, form), name in zip(FORMS, NAMES, strict=True):
        (FOLDER / name).write_bytes(written(wire, form))
