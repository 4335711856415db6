"""What Axolotl would do otherwise than a plan says, or is not proven to do alike."""

from __future__ import annotations

from collections.abc import Iterator

from ..spec.diagnostics import Diagnostic, Level
from ..spec.plan import Plan
from .axolotl_methods import BY_TRL, COMPARED, REFUSED, SCALES_OR_NOT
from .axolotl_owned import NEXT_TOKEN_ONLY
from .trainer_checks import adapter, batches, error, rewarded, trackers, zero3
from .trl_older import check_losses

BRINGS_TRL = {"0.19.0": "1.9", "0.18.0": "1.8", "0.17.0": "1.5"}  # Axolotl pins it


def check(plan: Plan) -> Iterator[Diagnostic]:
    """Every such thing, beyond what the table of fidelity tells."""
    own = (_version, _masks, _packing, _tokenizer, _sharding, _extra)
    for found in (*own, adapter, batches, rewarded, trackers, zero3):
        yield from found(plan)
    yield from check_losses(plan, f"TRL {BRINGS_TRL[plan['target.version']]}, which this Axolotl takes,")


def _version(plan: Plan) -> Iterator[Diagnostic]:
    version, device = plan["target.version"], plan["hardware.device"]
    if why := REFUSED.get((version, plan["method"])):
        message = f"{plan['method']} is not compiled for Axolotl {version}: {why}"
        yield Diagnostic("TF204", Level.ERROR, "method", message, "take `version: 0.18.0` or newer")
    if version == "0.17.0" and device != "cuda":
        message = "Axolotl 0.17 asks every torch for its GPU, and one that is built without CUDA fails there"
        yield Diagnostic("TF202", Level.WARNING, "hardware.device", message, "take `version: 0.18.0` or newer")
    path = "method.grpo.scale_rewards"
    if version in SCALES_OR_NOT and plan.get(path) == "batch":
        message = f"Axolotl {version} scales rewards by each prompt's answers, or not at all"
        yield error(path, message, "`group` or `none`, or take `version: 0.19.0`")


def _masks(plan: Plan) -> Iterator[Diagnostic]:
    if plan.get("data.masks") == "native":
        message = "Axolotl's own labels differ from the spec's for most chat templates"
        yield error("data.masks", message, "`masks: exact` and `auto` take the rows of prepare.py")


def _packing(plan: Plan) -> Iterator[Diagnostic]:
    if not plan.get("training.packing"):
        return
    if plan["training.packing_strategy"] == "wrapped":
        message = "`wrapped` cuts rows anywhere, and what was two rows is seen as one"
        yield Diagnostic("TF202", Level.WARNING, "training.packing_strategy", message, "`bfd` keeps rows whole")


def _tokenizer(plan: Plan) -> Iterator[Diagnostic]:
    if plan["model.revision"] and plan["model.tokenizer"] != plan["model.id"] and not plan["model.start_from"]:
        message = "Axolotl takes the model's revision for its tokenizer too, which is another repository here"
        yield error("model.tokenizer", message, "remove `model.tokenizer` or `model.revision`")


def _sharding(plan: Plan) -> Iterator[Diagnostic]:
    """What Axolotl's config model refuses."""
    if plan["hardware.strategy"] != "fsdp":
        return
    if plan["adapter.type"] == "qlora" and plan["method"] in COMPARED:
        message = f"Axolotl does not shard quantized weights by FSDP2 with {plan['method']}"
        yield error("hardware.strategy", message, "use `deepspeed`, or `adapter: lora`")
    if plan["training.optimizer.name"] == "adamw_8bit":
        message = "Axolotl does not take `adamw_8bit` with FSDP2"
        yield error("training.optimizer.name", message, "use `paged_adamw_8bit`, or `adamw_torch`")


def _extra(plan: Plan) -> Iterator[Diagnostic]:
    """Keys that Axolotl would drop without a word."""
    for key in plan.extra:
        path = f"targets.{plan.label}.extra.{key}"
        if key in NEXT_TOKEN_ONLY and plan["method"] in BY_TRL:
            yield error(
                path, f"Axolotl reads `{key}` with sft and pretrain alone, not with {plan['method']}", "remove it"
            )
        elif key.startswith("dpo_") and plan["method"] != "dpo":
            yield error(path, f"Axolotl reads `{key}` with dpo alone, not with {plan['method']}", "remove it")
