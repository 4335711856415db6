"""Keywords of Unsloth's two calls that make a model.

Source: unsloth/models/loader.py and llama.py of Unsloth 2026.10.9, and unsloth_zoo/cpu/loader.py, which takes their
place where there is no GPU. https://unsloth.ai/docs
"""

from __future__ import annotations

from ..spec.plan import Plan
from . import peft
from .model_loading import starts_elsewhere
from .native import Schema, native_schema
from .python_code import Code
from .settings import Setting, take

LOAD, WRAP = "FastLanguageModel.from_pretrained", "FastLanguageModel.get_peft_model"


def load(plan: Plan) -> list[Setting]:
    """Keywords of `FastLanguageModel.from_pretrained`."""
    full = plan["adapter.type"] == "full"
    if starts_elsewhere(plan):
        found = [Setting("model_name", Code("source"), ("model.id",), "what starting_model made")]
    else:
        found = [take(plan, "model_name", "model.id")]
    found += [
        *peft.base_revision(plan),  # a folder has none, and takes no notice of it
        take(plan, "max_seq_length", "training.max_length"),
        Setting("dtype", Code(f"torch.{plan['model.dtype']}"), ("model.dtype",)),
        *_quantization(plan),
        Setting("full_finetuning", full, ("adapter.type",)),
    ]
    if full and plan["hardware.device"] == "cuda":
        found.append(Setting("float32_mixed_precision", plan["model.dtype"] == "float32", ("model.dtype",)))
    return [
        *found,
        _attention(plan),
        take(plan, "use_gradient_checkpointing", "training.gradient_checkpointing"),
        take(plan, "trust_remote_code", "model.trust_remote_code"),
        Setting("use_exact_model_name", True, (), "the model that the spec names, and no quantized copy of it"),
        take(plan, "random_state", "training.seed"),
    ]


def _attention(plan: Plan) -> Setting:
    path = ("model.attn_implementation",)
    if plan["hardware.device"] == "cpu":
        return take(plan, "attn_implementation", path[0])
    return Setting(
        "attn_implementation", None, path, "on a GPU it picks one by itself", fidelity="chosen by the target"
    )


def _quantization(plan: Plan) -> list[Setting]:
    """Unsloth's own quantization, which is what a spec has by default; a check refuses another."""
    bits = plan.get("adapter.quantization.bits")
    path, prefix = ("adapter.quantization.bits",) if bits else ("adapter.type",), "adapter.quantization."
    how = tuple(p for p in (f"{prefix}type", f"{prefix}double_quant", f"{prefix}compute_dtype") if p in plan)
    why = "NF4, quantized twice, computing in the model's dtype" if bits == 4 else ""
    return [
        Setting("load_in_4bit", bits == 4, (*path, *how), why),
        Setting("load_in_8bit", bits == 8, path),
    ]


def wrap(plan: Plan) -> list[Setting]:
    """Keywords of `FastLanguageModel.get_peft_model`: PEFT's, with some of its own."""
    found = [_lora(s) for s in peft.lora(plan) if s.key not in ("task_type", "revision")]
    return [
        *found,
        take(plan, "use_gradient_checkpointing", "training.gradient_checkpointing"),
        take(plan, "random_state", "training.seed"),
    ]


def _lora(setting: Setting) -> Setting:
    """An empty list is written out: without one, Unsloth adapts the experts of a mixture by itself."""
    if setting.key == "target_parameters" and setting.value is None:
        return Setting(setting.key, [], setting.paths, setting.why)
    return setting


def keys(plan: Plan) -> dict[str, Schema]:
    """The keys of the two calls on the plan's device."""
    where = " (cpu)" if plan["hardware.device"] == "cpu" else ""
    names = {LOAD: "from_pretrained"} | ({} if plan["adapter.type"] == "full" else {WRAP: "get_peft_model"})
    return {call: native_schema("unsloth_keys.json", f"{name}{where}") for call, name in names.items()}
