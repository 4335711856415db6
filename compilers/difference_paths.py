"""What a path of the plan is to a comparison: how much it matters, and what it follows from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeVar

Group = Literal["objective", "optimization", "run"]
RANK: tuple[Group, ...] = ("objective", "optimization", "run")
# A key that ends in a dot is for every path under it; the longest key counts. In neither: objective.
GROUPS: Mapping[str, Group] = {
    "name": "run",
    "version": "run",
    "target": "run",
    "target.": "run",
    "model.attn_implementation": "run",
    "model.accept_eula": "run",
    "model.dtype": "optimization",
    "adapter.": "optimization",
    "method.grpo.num_iterations": "optimization",
    "data.shuffle": "optimization",
    "data.eval": "run",
    "data.test": "run",
    "rows.eval": "run",
    "rows.test": "run",
    "training.": "optimization",
    "training.max_length": "objective",
    "training.on_too_long": "objective",
    "training.micro_batch_size": "run",
    "training.gradient_accumulation_steps": "run",
    "training.gradient_checkpointing": "run",
    "training.activation_offloading": "run",
    "method.dpo.precompute_ref_log_probs": "run",
    "method.kto.precompute_ref_log_probs": "run",
    "training.liger_kernel": "run",
    "training.torch_compile": "run",
    "evaluation.": "run",
    "evaluation.early_stopping.": "optimization",
    "saving.": "run",
    "saving.best": "optimization",
    "logging.": "run",
    "tracking": "run",
    "tracking.": "run",
    "hardware.": "run",
    "budget.": "run",
}

# Sections that need not be there: one that comes or goes is told as a whole.
SECTIONS = frozenset({"evaluation.early_stopping"})

# What a value follows from, where the user did not write it on both sides. A cause that ends in a dot is every
# change under it. What is not here follows from the paths that its derivation names.
FOLLOWS: Mapping[str, tuple[str, ...]] = {
    "adapter.": ("adapter.type",),
    "adapter.quantization.": ("adapter.type", "adapter.quantization.bits"),
    "adapter.quantization.compute_dtype": ("adapter.type", "adapter.quantization.bits", "training.precision"),
    "data.eval.": ("data.eval", "data.eval.split"),
    "data.loss_on": ("method", "data.shape"),
    "data.masks": ("method",),
    "data.shape": ("data.train", "data.format", "rows.train", "method"),
    "evaluation.": ("data.eval", "data.eval.split"),
    "evaluation.early_stopping.metric": ("data.eval", "data.eval.split", "method"),
    "hardware.deepspeed.": ("hardware.strategy",),
    "hardware.fsdp.": ("hardware.strategy",),
    "hardware.strategy": ("hardware.world_size",),
    "hardware.world_size": ("hardware.count", "hardware.nodes"),
    "logging.completions": ("method",),
    "method.": ("method",),
    "method.dpo.label_smoothing": ("method", "method.dpo.loss_type"),
    "method.grpo.epsilon_high": ("method", "method.grpo.epsilon"),
    "model.dtype": ("adapter.type", "training.precision"),
    "model.tokenizer": ("model.start_from", "model.id"),
    "rewards": ("method",),
    "target.version": ("target",),
    "rows.train": ("data.train", "data.eval", "data.eval.", "data.format", "data.on_bad_row", "method"),
    "rows.eval": ("data.eval", "data.eval.", "data.train", "data.format", "data.on_bad_row", "method"),
    "rows.test": ("data.test", "data.format", "data.on_bad_row", "method"),
    "saving.hub_private": ("saving.hub_model_id",),
    "saving.every": ("evaluation.every", "data.eval", "data.eval.split"),
    "tracking.": ("tracking",),
    "training.epochs": ("training.max_steps",),
    "training.gradient_accumulation_steps": (
        "training.batch_size",
        "training.micro_batch_size",
        "hardware.world_size",
        "method.grpo.num_generations",
    ),
    "training.group_by_length": ("method",),
    "training.learning_rate": ("method", "adapter.type"),
    "training.micro_batch_size": ("training.batch_size", "hardware.world_size", "method.grpo.num_generations"),
    "training.neftune_noise_alpha": ("method",),
    "evaluation.micro_batch_size": ("data.eval", "data.eval.split", "method", "training.micro_batch_size"),
    "training.optimizer.": ("training.optimizer.name",),
    "training.packing": ("method",),
    "training.packing_strategy": ("training.packing", "method"),
    "training.precision": ("hardware.device",),
    "training.scheduler.": ("training.scheduler.name",),
    "training.total_steps": (
        "training.max_steps",
        "training.epochs",
        "training.batch_size",
        "rows.train",
        "training.packing",
        "training.micro_batch_size",
        "hardware.world_size",
        "method.grpo.num_iterations",
        "data.train",
    ),
    "training.warmup_steps": ("training.warmup", "training.total_steps"),
}

T = TypeVar("T")


def longest(table: Mapping[str, T], path: str) -> T | None:
    """The entry of a path, or of the nearest section around it."""
    if path in table:
        return table[path]
    while "." in path:
        path = path.rpartition(".")[0]
        if f"{path}." in table:
            return table[f"{path}."]
    return None
