"""Fields that another field rules out."""

from __future__ import annotations

from collections.abc import Iterator

from ..method import REWARDED
from ..optimization import SCHEDULER_ARGUMENTS, SHARDED, optimizer_arguments
from ..spec import Spec
from .base import Problem, rule

Dead = list[tuple[bool, str, str]]


def _dead_arguments(spec: Spec) -> Dead:
    """Fields of a scheduler or an optimizer that one of that name does not take."""
    found: Dead = []
    for section, value, takes in (
        ("scheduler", spec.training.scheduler, SCHEDULER_ARGUMENTS.get(spec.training.scheduler.name, ())),
        ("optimizer", spec.training.optimizer, optimizer_arguments(spec.training.optimizer.name)),
    ):
        names = [n for n in type(value).model_fields if n not in ("name", *takes)]
        found += [(True, f"training.{section}.{n}", f"`{value.name}` has none") for n in names]
    return found


def _dead_by_method(spec: Spec) -> Dead:
    """Fields that one method's settings or another method rules out."""
    m, name = spec.method, spec.method.name
    found: Dead = [(name not in REWARDED, "rewards", f"{name} samples no answers to score")]
    found.append((name not in REWARDED, "logging.completions", f"{name} samples no answers"))
    if m.dpo:
        smooth = m.dpo.loss_type in ("robust", "exo_pair")
        found.append((not smooth, "method.dpo.label_smoothing", f"`loss_type` is `{m.dpo.loss_type}`, not `robust`"))
    if name in REWARDED:
        paths = [
            "data.loss_on",
            "data.masks",
            "training.group_by_length",
            "training.neftune_noise_alpha",
            "evaluation.micro_batch_size",
        ]
        found += [(True, path, f"{name} samples what it trains") for path in paths]
    elif name not in ("sft", "pretrain"):
        found.append((True, "data.loss_on", f"{name} compares whole answers"))
    return found


@rule("TF112", "a field without effect")
def no_effect(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """A field is set whose value changes nothing, because another field rules it out: LoRA settings with
    `adapter.type: full`, quantization without `qlora`, `num_cycles` without restarts. Either it or the other is a
    mistake.

    Fix: remove the field, or change the one that the message names.

    Example:

        adapter: {type: full, rank: 8}

    Instead:

        adapter: full
    """
    dead: list[tuple[bool, str, str]] = []
    lora = (
        "rank",
        "alpha",
        "dropout",
        "target_modules",
        "target_parameters",
        "modules_to_save",
        "use_dora",
        "use_rslora",
        "init",
    )
    dead += [(spec.adapter.type == "full", f"adapter.{n}", "`adapter.type` is `full`") for n in lora]
    kind = spec.adapter.type
    dead += [(kind != "qlora", "adapter.quantization", f"`adapter.type` is `{kind}`; quantization needs `qlora`")]
    eight = spec.adapter.quantization.bits == 8
    for name in ("type", "double_quant", "compute_dtype"):
        dead.append((eight, f"adapter.quantization.{name}", "`adapter.quantization.bits` is 8"))
    dead += _dead_arguments(spec)
    dead += _dead_by_method(spec)
    strategy, packing = spec.hardware.strategy, spec.training.packing
    for name in SHARDED:
        dead.append((strategy != name, f"hardware.{name}", f"`hardware.strategy` is `{strategy}`"))
    stage = spec.hardware.deepspeed.stage
    dead.append((stage != 3, "hardware.deepspeed.offload_param", f"ZeRO stage {stage} does not shard the weights"))
    dead.append((not packing, "training.packing_strategy", "`training.packing` is off"))
    grouped = spec.training.group_by_length and not spec.data.shuffle
    dead.append((grouped, "data.shuffle", "`training.group_by_length` makes an order of its own"))
    dead.append((spec.saving.hub_model_id is None, "saving.hub_private", "there is no `saving.hub_model_id`"))
    for ruled_out, path, why in dead:
        if ruled_out and path in paths:
            yield path, f"`{path}` has no effect: {why}", "remove it"
