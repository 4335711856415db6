"""Whatever a form takes, it says whole: read back, it is the same row; and it is what the provider documents."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tuneform.runtime.datafiles import encode
from tuneform.spec.rows.shapes import SHAPES, RowError, convert, detect
from tuneform.spec.wire.base import EXPANSIONS, Form, Wire
from tuneform.spec.wire.codes import CODES
from tuneform.spec.wire.convert import to_wire

from .made import MADE
from .rows import two
from .schemas import SCHEMAS
from .test_golden import FORMS, NAMES

Row = dict[str, Any]
each = pytest.mark.parametrize(("wire", "form"), FORMS, ids=NAMES)
DISTINCT = list({id(form): (wire, form) for wire, form in FORMS}.values())  # several wires share their forms


def read(row: Row, shape: str) -> tuple[Row, set[str]]:
    """A wire row as canonical again, by the keys alone, and what reading left out."""
    format_ = "prompt" if shape == "prompt" else detect(row).format
    assert SHAPES[format_] == shape
    ignored: set[str] = set()
    return convert(row, format_, ignored=ignored), ignored


def without_ones(value: Any) -> Any:
    """Weight 1 is what a turn without a weight has; a form that has no weights says it by leaving it out."""
    if isinstance(value, dict):
        return {k: without_ones(v) for k, v in value.items() if not (k == "weight" and v == 1 and "role" in value)}
    return [without_ones(item) for item in value] if isinstance(value, list) else value


def valid(wire: Wire, form: Form, row: Row) -> None:
    if schema := SCHEMAS.get(wire.name, {}).get(form.shape):
        Draft202012Validator(schema).validate(json.loads(encode(row)))


@pytest.mark.parametrize(("wire", "form"), DISTINCT, ids=lambda value: getattr(value, "name", None) or value.shape)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_is_written_is_read_back(wire: Wire, form: Form, data: st.DataObject) -> None:
    row = data.draw(MADE[form.shape])
    try:
        rows, taken = to_wire(row, form.shape, form)
    except RowError as error:
        assert error.code in CODES and error.text
        return
    assert taken == set() and len(rows) == 1
    valid(wire, form, rows[0])
    back, ignored = read(json.loads(encode(rows[0])), form.shape)
    assert ignored == set()
    expected = row if "weight" in form.carries else without_ones(row)
    assert without_ones(back) == without_ones(expected)
    if "weight" in form.carries:
        assert back == expected


@each
def test_rows_that_a_form_carries_go_there_and_back(wire: Wire, form: Form) -> None:
    for row in two(form):
        rows, _ = to_wire(row, form.shape, form)
        valid(wire, form, rows[0])
        assert read(rows[0], form.shape) == (row, set())


@pytest.mark.parametrize("expansion", EXPANSIONS)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_expansions_are_told_and_give_documented_rows(expansion: str, data: st.DataObject) -> None:
    wire, form = data.draw(st.sampled_from([(w, f) for w, f in FORMS if expansion in f.expansions]))
    row = data.draw(MADE[form.shape])
    try:
        plain = to_wire(row, form.shape, form)
    except RowError:
        plain = None
    try:
        rows, taken = to_wire(row, form.shape, form, frozenset({expansion}))
    except RowError as error:
        assert plain is None or error.code in CODES
        return
    assert taken <= {expansion}
    if plain is None:
        assert taken == {expansion}
    for found in rows:
        valid(wire, form, found)


def test_every_form_of_a_service_has_a_schema() -> None:
    services = {(wire.name, form.shape) for wire, form in FORMS if not form.canonical}
    assert services == {(name, shape) for name, shapes in SCHEMAS.items() for shape in shapes}
