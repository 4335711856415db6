"""Rules about the run: its batch, length, schedule, evaluation and device."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..method import REWARDED
from ..optimization import SHARDED, is_bitsandbytes
from ..spec import Spec
from .base import Problem, rule


@rule("TF110", "the batch does not divide")
def batch_divides(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """An optimizer step takes `training.batch_size` rows: devices x micro batch x accumulation. So the batch must be
    a multiple of the devices, and of `micro_batch_size` x devices where that is set. With grpo it is the answers
    sampled for these rows that must be. Tuneform never rounds it.

    Fix: take one of the sizes that the message lists.

    Example:

        training: {batch_size: 30}
        hardware: {count: 8}

    Instead:

        training: {batch_size: 32}
        hardware: {count: 8}
    """
    t, devices = spec.training, spec.hardware.count * spec.hardware.nodes
    micro = t.micro_batch_size or 1
    answers = spec.method.grpo.num_generations if spec.method.grpo else 1
    if t.batch_size * answers % (devices * micro):
        what = f"{devices} {'device' if devices == 1 else 'devices'}"
        what += f" x micro_batch_size {micro}" if t.micro_batch_size else ""
        unit = devices * micro // math.gcd(devices * micro, answers)
        low, high = t.batch_size // unit * unit, -(-t.batch_size // unit) * unit
        would = f"{low} or {high}" if low else f"{high}"
        each = f" x {answers} answers" if answers > 1 else ""
        yield "training.batch_size", f"batch_size {t.batch_size}{each} does not divide by {what}", f"{would} would"


@rule("TF111", "epochs and max_steps")
def one_length(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """A run ends after `training.epochs` or after `training.max_steps`; with both, one would be lost.

    Fix: remove one of them.

    Example:

        training: {epochs: 2, max_steps: 100}

    Instead:

        training: {max_steps: 100}
    """
    if {"training.epochs", "training.max_steps"} <= paths:
        yield "training.max_steps", "`training` has both `epochs` and `max_steps`", "remove one of them"


@rule("TF113", "evaluation without rows")
def evaluation_has_rows(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """Evaluation settings need rows to evaluate on.

    Fix: give `data.eval` a file, or hold out a share of the training rows with `eval: {split: 0.1}`.

    Example:

        data: {train: train.jsonl, format: chat}
        evaluation: {every: 50}

    Instead:

        data: {train: train.jsonl, format: chat, eval: {split: 0.1}}
        evaluation: {every: 50}
    """
    if spec.data.eval is None:
        for path in (
            *("evaluation.every", "evaluation.micro_batch_size", "evaluation.at_start"),
            "evaluation.early_stopping",
            "saving.best",
        ):
            if path in paths and not (path == "saving.best" and not spec.saving.best):
                yield path, f"`{path}` needs evaluation rows", "add `data.eval`, for example `eval: {split: 0.1}`"


@rule("TF114", "the best checkpoint is not saved")
def best_is_saved(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """`saving.best` ends with the checkpoint that evaluated best, so each checkpoint must be evaluated:
    `saving.every` must be `evaluation.every` or a multiple of it. Source: transformers' TrainingArguments,
    `load_best_model_at_end`.

    Fix: remove `saving.every`, which then follows `evaluation.every`.

    Example:

        evaluation: {every: 50}
        saving: {every: 70, best: true}

    Instead:

        evaluation: {every: 50}
        saving: {best: true}
    """
    save, every = spec.saving.every, spec.evaluation.every
    if not spec.saving.best or save is None or spec.data.eval is None:
        return
    fits = save == every or (isinstance(save, int) and isinstance(every, int) and save % every == 0)
    if not fits:
        yield (
            "saving.every",
            f"`saving.best` needs checkpoints where evaluation is: every {every}, not {save}",
            (f"write `every: {every}`, or remove it"),
        )


@rule("TF117", "the device cannot compute so")
def precision_fits(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """fp16 training scales the loss on a CUDA device; a CPU has no such arithmetic. Kernels such as flash attention
    exist for CUDA only, and bitsandbytes supports its optimizers there.

    Fix: take `precision: fp32` (or bf16, slow on most CPUs), `attn_implementation: sdpa`, `optimizer: adamw_torch`.

    Example:

        hardware: {device: cpu}
        training: {precision: fp16}

    Instead:

        hardware: {device: cpu}
    """
    device = spec.hardware.device
    if device == "cuda":
        return
    if spec.training.precision == "fp16":
        yield "training.precision", f"fp16 needs a CUDA device, not {device}", "fp32 works there"
    if spec.model.attn_implementation.startswith("flash"):
        yield "model.attn_implementation", f"flash attention needs a CUDA device, not {device}", "sdpa works there"
    optimizer = spec.training.optimizer.name
    if is_bitsandbytes(optimizer):
        message = f"{optimizer} is bitsandbytes', which does not support it on {device}"
        yield "training.optimizer.name", message, "adamw_torch works there"
    if spec.training.liger_kernel:
        yield "training.liger_kernel", f"Liger's kernels need a CUDA device, not {device}", "remove it"
    if spec.hardware.strategy in SHARDED:
        message = f"{spec.hardware.strategy} shards over CUDA devices, not {device}"
        yield "hardware.strategy", message, "ddp works there"
    if device == "mps" and spec.adapter.type == "qlora":
        yield "adapter.type", "bitsandbytes does not quantize on mps", "use lora"


@rule("TF119", "warmup as long as the run")
def warmup_ends(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """Warmup raises the learning rate to its peak; a run that ends before has trained with none of it.

    Fix: fewer warmup steps, or a percentage.

    Example:

        training: {max_steps: 50, warmup: 100}

    Instead:

        training: {max_steps: 50, warmup: 3%}
    """
    t = spec.training
    if isinstance(t.warmup, int) and t.max_steps is not None and t.warmup >= t.max_steps:
        yield "training.warmup", f"warmup takes {t.warmup} of {t.max_steps} steps", "a percentage such as 3% fits"
    if isinstance(t.warmup, str) and float(t.warmup[:-1]) == 100:
        yield "training.warmup", "warmup takes all steps", "a percentage such as 3% fits"


@rule("TF124", "a schedule without its length")
def schedule_is_whole(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """`warmup_stable_decay` rises, stays, and falls over its last `decay_steps`, so it must be told how many.

    Fix: add `decay_steps`, commonly a tenth to a fifth of all steps.

    Example:

        training: {scheduler: warmup_stable_decay}

    Instead:

        training: {scheduler: {name: warmup_stable_decay, decay_steps: 50}}
    """
    schedule = spec.training.scheduler
    if schedule.name == "warmup_stable_decay" and schedule.decay_steps is None:
        yield "training.scheduler", "`warmup_stable_decay` needs `decay_steps`", "a tenth of all steps is common"


@rule("TF125", "a metric that the method does not have")
def metric_fits(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """Early stopping watches `loss`, or with grpo and rft `reward`: the loss of sampled answers says nothing of how
    good they are.

    Fix: remove `metric`; the right one is taken.

    Example:

        evaluation: {early_stopping: {metric: reward}}

    Instead:

        evaluation: {early_stopping: {metric: loss}}
    """
    stopping = spec.evaluation.early_stopping
    metric = stopping.metric if stopping else None
    if metric is not None and (metric == "reward") != (spec.method.name in REWARDED):
        other = "loss" if metric == "reward" else "reward"
        message = f"{spec.method.name} is not judged by its {metric}"
        yield "evaluation.early_stopping.metric", message, f"`{other}`, which is the default"
