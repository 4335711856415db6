"""Tables of the optimisation that several readers share: what a scheduler or optimizer takes, types, sharding."""

from __future__ import annotations

# What a scheduler and an optimizer take beside their name; what another one takes does not apply.
SCHEDULER_ARGUMENTS = {
    "cosine": ("min_lr_ratio",),
    "cosine_with_restarts": ("num_cycles",),
    "polynomial": ("power",),
    "inverse_sqrt": ("timescale",),
    "warmup_stable_decay": ("decay_steps", "min_lr_ratio"),
}
OPTIMIZER_ARGUMENTS = {"adam": ("betas", "eps"), "lion": ("betas",)}
DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
"""The type of numbers that `training.precision` computes in."""
SHARDED = ("fsdp", "deepspeed")
"""Values of `hardware.strategy` that share the weights out over devices."""


def optimizer_arguments(name: str) -> tuple[str, ...]:
    """Which of the optimizer's fields one of this name takes."""
    return next((found for word, found in OPTIMIZER_ARGUMENTS.items() if word in name), ())


def is_bitsandbytes(name: str) -> bool:
    """Whether an optimizer of this name is bitsandbytes'."""
    return any(word in name for word in ("8bit", "paged", "lion"))
