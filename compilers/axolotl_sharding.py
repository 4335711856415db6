"""How Axolotl shards a model over GPUs: by keys of config.yaml, or by DeepSpeed's own file.

Sources: https://docs.axolotl.ai/docs/multi-gpu.html and https://www.deepspeed.ai/docs/config-json/
"""

from __future__ import annotations

import json
from typing import Any

from ..spec.plan import Plan
from .settings import Setting, by_name

DEEPSPEED = "deepspeed.json"


def keys(plan: Plan) -> list[Setting]:
    """Keys of config.yaml."""
    strategy = plan["hardware.strategy"]
    if strategy == "fsdp":
        return [Setting("fsdp_version", 2, ("hardware.strategy",)), _fsdp(plan)]
    if strategy == "deepspeed":
        return [Setting("deepspeed", DEEPSPEED, ("hardware.strategy",))]
    return []


def _fsdp(plan: Plan) -> Setting:
    paths = ("hardware.fsdp.reshard_after_forward", "hardware.fsdp.cpu_offload")
    quantized = plan["adapter.type"] == "qlora"
    value: dict[str, Any] = {
        "auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
        "reshard_after_forward": plan[paths[0]],
        "offload_params": plan[paths[1]],
        "state_dict_type": "FULL_STATE_DICT",
        "cpu_ram_efficient_loading": not quantized,  # 4-bit weights cannot be scattered from one process
        "activation_checkpointing": False,
    }
    return Setting("fsdp_config", value, paths, "FSDP2; the trainer does the checkpointing of activations")


def deepspeed(plan: Plan) -> list[Setting]:
    """The entries of DeepSpeed's file; none where it does not shard."""
    if plan["hardware.strategy"] != "deepspeed":
        return []
    precision = plan["training.precision"]
    steps = "training.gradient_accumulation_steps"
    return [
        _zero(plan),
        Setting("bf16", {"enabled": precision == "bf16"}, ("training.precision",)),
        Setting("fp16", {"enabled": precision == "fp16"}, ("training.precision",)),
        Setting("gradient_clipping", plan["training.max_grad_norm"], ("training.max_grad_norm",)),
        Setting("gradient_accumulation_steps", plan[steps], (steps,)),
        Setting("train_micro_batch_size_per_gpu", plan["training.micro_batch_size"], ("training.micro_batch_size",)),
        Setting("train_batch_size", "auto", (), "the product of the two and the processes"),
    ]


def _zero(plan: Plan) -> Setting:
    paths = tuple(f"hardware.deepspeed.{name}" for name in ("stage", "offload_optimizer", "offload_param"))
    stage, optimizer, parameters = (plan[path] for path in paths)
    value: dict[str, Any] = {
        "stage": stage,
        "offload_optimizer": {"device": "cpu" if optimizer else "none"},
        "offload_param": {"device": "cpu" if parameters else "none"},
        "stage3_gather_16bit_weights_on_model_save": stage == 3,
    }
    return Setting("zero_optimization", value, paths, f"ZeRO stage {stage}")


def deepspeed_file(settings: list[Setting]) -> str:
    """The settings as DeepSpeed's JSON."""
    return json.dumps(by_name(settings), indent=2) + "\n"
