"""What TRL would do otherwise than a plan says, or cannot do at all."""

from __future__ import annotations

from collections.abc import Iterator

from ..spec.diagnostics import Diagnostic, Level
from ..spec.plan import Plan
from .model_loading import starts_elsewhere
from .trainer_checks import adapter, batches, error, trackers
from .trl_rows import native_is_exact


def check(plan: Plan) -> Iterator[Diagnostic]:
    """Every such thing, beyond what the table of fidelity tells."""
    for found in (_masks, _packing, _rewards, batches, adapter, trackers, _sharding):
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


def _rewards(plan: Plan) -> Iterator[Diagnostic]:
    for index, reward in enumerate(plan.get("rewards", ())):
        if reward["kind"] == "grader":
            message = "a service's own grader runs at that service alone"
            yield error(f"rewards[{index}].grader", message, "use a built-in reward, or a Python file")
    path = "training.batch_size"
    if plan["method"] == "grpo" and plan["training.total_steps"] == 0:
        yield error(
            path, f"grpo takes whole batches of {plan[path]} prompts, and there are fewer rows", "make it smaller"
        )


def _sharding(plan: Plan) -> Iterator[Diagnostic]:
    if plan["hardware.strategy"] == "deepspeed" and plan["hardware.deepspeed.stage"] == 3 and starts_elsewhere(plan):
        message = "ZeRO stage 3 shards a model while it is loaded, so that no start can be made from it"
        yield error("hardware.deepspeed.stage", message, "use stage 2 or fsdp, or train without special tokens")
    if (
        plan["hardware.strategy"] == "deepspeed"
        and plan["hardware.deepspeed.stage"] == 3
        and plan["adapter.type"] == "qlora"
    ):
        message = "ZeRO stage 3 does not shard quantized weights in TRL"
        yield error("hardware.deepspeed.stage", message, "use stage 2, or `adapter: lora`")
