"""Keywords of the adapter: PEFT's LoraConfig, and bitsandbytes' quantization of the base under it.

Sources: https://huggingface.co/docs/peft/package_reference/lora and
https://huggingface.co/docs/transformers/main_classes/quantization
"""

from __future__ import annotations

from ..spec.plan import Plan
from .settings import Setting, take


def lora(plan: Plan) -> list[Setting]:
    """Keywords of PEFT's LoraConfig."""
    alpha, init = plan["adapter.alpha"], plan["adapter.init"]
    modules = plan["adapter.target_modules"]
    return [
        take(plan, "r", "adapter.rank"),
        Setting("lora_alpha", int(alpha) if alpha == int(alpha) else alpha, ("adapter.alpha",)),
        take(plan, "lora_dropout", "adapter.dropout"),
        Setting("target_modules", modules if isinstance(modules, str) else list(modules), ("adapter.target_modules",)),
        Setting("target_parameters", list(plan["adapter.target_parameters"]) or None, ("adapter.target_parameters",)),
        Setting("modules_to_save", list(plan["adapter.modules_to_save"]) or None, ("adapter.modules_to_save",)),
        take(plan, "use_dora", "adapter.use_dora"),
        take(plan, "use_rslora", "adapter.use_rslora"),
        Setting("init_lora_weights", True if init == "default" else init, ("adapter.init",)),
        Setting("bias", "none", (), "PEFT's default, written out"),
        Setting("task_type", "CAUSAL_LM", (), "the only kind of model here"),
        *base_revision(plan),
    ]


def base_revision(plan: Plan) -> list[Setting]:
    """The keyword that puts the base's revision into adapter_config.json, for all who load the adapter."""
    return [take(plan, "revision", "model.revision")] if plan["model.revision"] else []


def quantization(plan: Plan) -> list[Setting]:
    """Keywords of transformers' BitsAndBytesConfig."""
    if plan["adapter.quantization.bits"] == 8:
        return [Setting("load_in_8bit", True, ("adapter.quantization.bits",))]
    found = [
        Setting("load_in_4bit", True, ("adapter.quantization.bits",)),
        take(plan, "bnb_4bit_quant_type", "adapter.quantization.type"),
        take(plan, "bnb_4bit_use_double_quant", "adapter.quantization.double_quant"),
        take(plan, "bnb_4bit_compute_dtype", "adapter.quantization.compute_dtype"),
    ]
    if plan["hardware.strategy"] == "fsdp":
        why = "FSDP shards only weights that are stored in one type"
        found.append(Setting("bnb_4bit_quant_storage", plan["model.dtype"], ("model.dtype",), why))
    return found
