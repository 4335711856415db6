"""What TRL would do otherwise than a plan says, or cannot do at all."""

from __future__ import annotations

from collections.abc import Iterator

from ..spec.diagnostics import Diagnostic, Level
from ..spec.plan import Plan
from .trainer_checks import adapter, batches, error, rewarded, trackers, zero3
from .trl_rows import native_is_exact


def check(plan: Plan) -> Iterator[Diagnostic]:
    """Every such thing, beyond what the table of fidelity tells."""
    for found in (_masks, _packing, rewarded, batches, adapter, trackers, zero3):
        yield from found(plan)


def _masks(plan: Plan) -> Iterator[Diagnostic]:
    if plan.get("data.masks") != "native":
        return
    too_long = plan["training.on_too_long"]
    if too_long != "truncate":
        hint = "write `on_too_long: truncate`, or `data.masks: exact`"
        message = f"TRL's own tokenizing cuts long rows; it cannot {too_long} them"
        yield error("training.on_too_long", message, hint)
    if not native_is_exact(plan):
        message = "with `masks: native`, TRL also trains the newline after an answer and empty reasoning blocks"
        yield Diagnostic("TF202", Level.WARNING, "data.masks", message, "`masks: auto` trains what the spec says")


def _packing(plan: Plan) -> Iterator[Diagnostic]:
    if not plan.get("training.packing"):
        return
    if not plan["model.attn_implementation"].startswith("flash"):
        message = f"packed rows see each other with `{plan['model.attn_implementation']}` attention in TRL"
        hint = "set `model.attn_implementation: flash_attention_2`, or `training.packing: false`"
        yield Diagnostic("TF202", Level.WARNING, "training.packing", message, hint)
    elif plan["training.packing_strategy"] == "wrapped":
        message = "`wrapped` cuts rows anywhere, and what was two rows is seen as one"
        yield Diagnostic("TF202", Level.WARNING, "training.packing_strategy", message, "`bfd` keeps rows whole")
