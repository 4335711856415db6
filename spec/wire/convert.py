"""One canonical row into the rows of a wire form, or a RowError that says why not."""

from __future__ import annotations

from collections.abc import Mapping

from ..rows.rowcheck import Row, RowError
from . import bedrock, openai, together, trainers, vertex
from .base import EXPANSIONS, Form, Outcome, Wire
from .checks import check_row
from .expand import reshape, split, unweighted

WIRES: Mapping[str, Wire] = {
    wire.name: wire
    for module in (trainers, openai, together, bedrock, vertex)
    for wire in module.WIRES
}  # fmt: skip
_TURNS = ("messages", "prompt", "chosen", "rejected", "completion")
_OTHER = {"prompt_completion": ("chat", "as-chat"), "chat": ("prompt_completion", "as-text")}


def form_for(wire: Wire, shape: str, method: str | None = None, allowed: frozenset[str] = frozenset()) -> Form:
    """The form that takes rows of a shape; a RowError (TF340) where the target has none."""
    form = wire.forms.get(shape)
    other, expansion = _OTHER.get(shape, ("", ""))
    if (found := wire.forms.get(other)) and expansion in found.expansions and (form is None or expansion in allowed):
        form = found
    takes = " or ".join(f"{f.shape} ({', '.join(f.methods)})" for f in wire.forms.values())
    if form is None:
        others = [w.name for w in WIRES.values() if shape in w.forms and w.target != wire.target]
        hint = f"{', '.join(others)} would take them" if others else None
        raise RowError("TF340", (), f"has the shape {shape}, but {wire.name} takes {takes}", hint)
    if method is not None and method not in form.methods:
        raise RowError("TF340", (), f"is for {method}, but {wire.name} takes {takes}")
    return form


def to_wire(row: Row, shape: str, form: Form, allowed: frozenset[str] = frozenset()) -> tuple[list[Row], set[str]]:
    """The wire rows of a canonical row, and the names of the expansions that were taken."""
    if unknown := allowed - EXPANSIONS.keys():
        raise ValueError(f"no such expansions: {sorted(unknown)}")
    outcome = Outcome(allowed & set(form.expansions))
    row = reshape(row, shape, form, outcome)
    rows = split(row, form, outcome)
    for found in rows:
        check_row(found, form)
    return [form.write(_without_weights(found, form), outcome) for found in rows], outcome.taken


def _without_weights(row: Row, form: Form) -> Row:
    """What is left of weights after the check is 1, which a turn has in a form without weights anyway."""
    if form.canonical or "weight" in form.carries:
        return row
    turns = {key: [unweighted(m) for m in row[key]] for key in _TURNS if isinstance(row.get(key), list)}
    return {**row, **turns}
