"""Which fields of `training.scheduler` and `training.optimizer` one of each name takes."""

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


def optimizer_arguments(name: str) -> tuple[str, ...]:
    """Which of the optimizer's fields one of this name takes."""
    return next((found for word, found in OPTIMIZER_ARGUMENTS.items() if word in name), ())
