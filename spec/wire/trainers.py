"""Rows for trainers on open weights: the canonical ones. Their labels are made by the bundle's prepare.py."""

from __future__ import annotations

from ..rows.rowcheck import Row
from ..rows.shapes import methods_for
from .base import CARRIES, Form, Outcome, Wire, as_it_is, forms
from .openai import check_keys

_LINES = {
    "chat": '{"messages": [...], "tools"?, "chat_template_kwargs"?}',
    "prompt_completion": '{"prompt", "completion"}',
    "text": '{"text"}',
    "preference": '{"prompt", "chosen", "rejected", "tools"?}',
    "unpaired_preference": '{"prompt", "completion", "label", "tools"?}',
    "prompt": '{"prompt", and any other columns}',
}
_NOT_IN = {
    "prompt_completion": set(CARRIES),
    "text": set(CARRIES),
    "prompt": {"tools", "template_options"},
    "preference": {"template_options"},
    "unpaired_preference": {"template_options"},
}
_OWN = ("prompt", "messages", "conversations", "system", "tools", "chat_template_kwargs", "instruction", "contents")


def columns(row: Row, outcome: Outcome) -> Row:
    """A prompt with the item's fields as columns, which rewards get by their names."""
    return {"prompt": row["prompt"], **row["item"]}


def _form(shape: str, methods: tuple[str, ...]) -> Form:
    prompts = shape == "prompt"
    return Form(
        shape=shape,
        methods=tuple(m for m in methods_for(shape) if m in methods),
        line=_LINES[shape],
        write=columns if prompts else as_it_is,
        carries=frozenset(CARRIES) - _NOT_IN.get(shape, set()),
        answers="all" if shape == "chat" else "one",
        plain=True,
        canonical=True,
        check=(lambda row: check_keys(row, _OWN)) if prompts else None,
    )


_METHODS = ("sft", "pretrain", "dpo", "orpo", "kto", "grpo")
_FORMS = forms(*(_form(shape, _METHODS) for shape in _LINES))
_NOTE = "Canonical rows. A bundle makes labels (`input_ids`, `labels`) of them by its own prepare.py, heeding weights"
WIRES = (
    Wire("trl", "TRL", "trl", _FORMS, note=f"{_NOTE}; TRL by itself reads `messages` and knows no weight."),
    Wire("axolotl", "Axolotl", "axolotl", _FORMS, note=f"{_NOTE}; Axolotl takes such prepared rows as they are."),
    Wire(
        "unsloth", "Unsloth", "unsloth", _FORMS, note=f"{_NOTE}; Unsloth trains through TRL and takes the same rows."
    ),
)
