"""What Unsloth would do otherwise than a plan says, or cannot do at all. Source: the code of Unsloth 2026.10.9."""

from __future__ import annotations

from collections.abc import Iterator

from ..spec.diagnostics import Diagnostic
from ..spec.optimization import SHARDED
from ..spec.plan import Plan
from .trainer_checks import adapter, batches, error, rewarded, trackers


def check(plan: Plan) -> Iterator[Diagnostic]:
    """Every such thing, beyond what the table of fidelity tells."""
    for found in (_rows, rewarded, batches, adapter, _modules, _quantization, _types, _scale, trackers, _hardware):
        yield from found(plan)


def _rows(plan: Plan) -> Iterator[Diagnostic]:
    if plan.get("data.masks") == "native":
        message = "Unsloth's own labels differ from the spec's for most chat templates"
        yield error("data.masks", message, "`masks: exact` and `auto` take the rows of prepare.py")
    if plan.get("training.packing"):
        message = "Unsloth turns packing off on a CPU, and on a GPU packs in a way that is not proven to be TRL's"
        yield error("training.packing", message, "remove it, or compile for trl")


_EMBEDDINGS = ("embed_tokens", "lm_head")


def _modules(plan: Plan) -> Iterator[Diagnostic]:
    targets = plan.get("adapter.target_modules", ())
    named = [m for m in targets if m.rpartition(".")[2] in _EMBEDDINGS] if isinstance(targets, tuple | list) else []
    if named:
        message = f"Unsloth trains {', '.join(named)} in full where it is a target of the adapter"
        yield error("adapter.target_modules", message, "name it in `modules_to_save`, which says so")
    saved = [m.rpartition(".")[2] for m in plan.get("adapter.modules_to_save", ())]
    others = [name for name in saved if name not in _EMBEDDINGS and "norm" not in name]
    if others and plan["hardware.device"] == "cuda":
        message = f"Unsloth trains embed_tokens, lm_head and norms beside an adapter, not {', '.join(others)}"
        yield error("adapter.modules_to_save", message, "remove it, or compile for trl")


def _quantization(plan: Plan) -> Iterator[Diagnostic]:
    if plan["adapter.type"] != "qlora":
        return
    path = "adapter.quantization"
    if plan.get("adapter.init") == "orthogonal":
        yield error("adapter.init", "Unsloth starts no orthogonal adapter on quantized weights", "use `default`")
    if plan[f"{path}.bits"] == 8:
        if plan["hardware.device"] == "cpu":
            yield error(f"{path}.bits", "Unsloth does not load 8 bits on a CPU", "use 4, or compile for trl")
        return
    own = {"type": "nf4", "double_quant": True, "compute_dtype": plan["model.dtype"]}
    for name, value in own.items():
        if plan[f"{path}.{name}"] != value:
            text = "the model's dtype" if name == "compute_dtype" else str(value).lower()
            yield error(f"{path}.{name}", f"Unsloth quantizes with `{name}: {text}`", "take that, or compile for trl")


def _types(plan: Plan) -> Iterator[Diagnostic]:
    pair = (plan["model.dtype"], plan["training.precision"])
    if plan["hardware.device"] == "cuda" and pair in (("float16", "bf16"), ("bfloat16", "fp16")):
        message = f"Unsloth does not train {pair[0]} weights with {pair[1]}"
        yield error("model.dtype", message, "leave it out: it follows `training.precision`")


def _scale(plan: Plan) -> Iterator[Diagnostic]:
    path = "method.grpo.scale_rewards"
    turned_off = plan.get("method.grpo.loss_type") == "dr_grpo" and plan.get(path) == "group"
    if turned_off and plan["hardware.device"] == "cuda":
        yield error(path, "with dr_grpo, Unsloth does not divide by the group's deviation", "use `none` or `batch`")


def _hardware(plan: Plan) -> Iterator[Diagnostic]:
    if plan["hardware.device"] == "mps":
        message = "on a Mac, Unsloth trains with MLX, in a trainer of its own"
        yield error("hardware.device", message, "compile for trl, or train on `cuda` or `cpu`")
    strategy = plan["hardware.strategy"]
    if strategy in SHARDED:
        message = f"{strategy} with Unsloth is not written by this version"
        yield error(
            "hardware.strategy", message, "use `ddp`, which holds the whole model on each GPU, or compile for trl"
        )
