"""What Axolotl would do otherwise than a plan says, or is not proven to do alike."""

from __future__ import annotations

from collections.abc import Iterator

from ..spec.diagnostics import Diagnostic
from ..spec.plan import Plan
from .launch import SHARDED
from .trainer_checks import adapter, batches, error, trackers


def check(plan: Plan) -> Iterator[Diagnostic]:
    """Every such thing, beyond what the table of fidelity tells."""
    for found in (_masks, _packing, _kernel, batches, _tokenizer, adapter, trackers, _sharding):
        yield from found(plan)


def _masks(plan: Plan) -> Iterator[Diagnostic]:
    if plan["data.masks"] == "native":
        message = "Axolotl's own labels differ from the spec's for most chat templates"
        yield error("data.masks", message, "`masks: exact` and `auto` take the rows of prepare.py")


def _packing(plan: Plan) -> Iterator[Diagnostic]:
    if plan.get("training.packing"):
        message = "Axolotl packs rows batch by batch, by a strategy of its own, and estimates the steps"
        yield error("training.packing", message, "remove it, or compile for trl")


def _kernel(plan: Plan) -> Iterator[Diagnostic]:
    if plan["training.liger_kernel"] and plan["method"] in ("dpo", "kto"):
        message = "TRL 1.9, which this Axolotl takes, has Liger losses of its own, which leave out label smoothing"
        yield error("training.liger_kernel", message, "remove it, or compile for trl")


def _tokenizer(plan: Plan) -> Iterator[Diagnostic]:
    if plan["model.revision"] and plan["model.tokenizer"] != plan["model.id"] and not plan["model.start_from"]:
        message = "Axolotl takes the model's revision for its tokenizer too, which is another repository here"
        yield error("model.tokenizer", message, "remove `model.tokenizer` or `model.revision`")


def _sharding(plan: Plan) -> Iterator[Diagnostic]:
    strategy = plan["hardware.strategy"]
    if strategy in SHARDED:
        message = f"{strategy} with Axolotl is not written by this version"
        yield error("hardware.strategy", message, "use `ddp`, or compile for trl")
