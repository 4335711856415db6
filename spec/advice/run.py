"""Advice about the run: the learning rate, and intervals that a short run never reaches."""

from __future__ import annotations

from collections.abc import Iterator

from .. import lower
from ..sizing.model_size import parameters
from .base import Problem, Seen, advice

FEW_STEPS = 10
SMALL_MODEL = 1e9  # below it, recipes tune all weights with rates up to 1e-3


@advice("TF134", "a learning rate of another kind of tuning")
def learning_rate_fits(seen: Seen) -> Iterator[Problem]:
    """An adapter wants about ten times the learning rate that tuning all weights wants. LoRA at full tuning's rate
    hardly learns; full tuning at LoRA's rate spoils what the model knew. This warns when the rate that you wrote is
    at the other kind's default or beyond it, never for what lies between, and never for full tuning of a model known
    to have under a billion parameters: small models take higher rates (SmolLM2-135M was tuned with 1e-3).

    Fix: remove `training.learning_rate` (the default fits the method and the adapter), or change it.

    Source: https://thinkingmachines.ai/blog/lora/; for SmolLM2,
    https://github.com/huggingface/alignment-handbook/blob/main/recipes/smollm2/sft/config_smol.yaml.

    Example:

        training: {learning_rate: 1e-5}

    Instead:

        training: {learning_rate: 1e-4}
    """
    rate, method, kind = seen.spec.training.learning_rate, seen.plan["method"], seen.plan["adapter.type"]
    if rate is None:
        return
    lora, full = lower.LEARNING_RATES[method]
    path = "training.learning_rate"
    if kind == "full" and rate >= lora and (parameters(seen.spec.model.id) or SMALL_MODEL) >= SMALL_MODEL:
        message = f"{_rate(rate)} is a learning rate for LoRA; tuning all weights with it mostly spoils the model"
        yield path, message, f"the default for {method} with all weights is {_rate(full)}"
    if kind != "full" and rate <= full:
        message = f"{_rate(rate)} is a learning rate for tuning all weights; {kind} hardly learns with it"
        yield path, message, f"the default for {method} with {kind} is {_rate(lora)}"


@advice("TF145", "bf16 on a CPU")
def bf16_on_a_cpu(seen: Seen) -> Iterator[Problem]:
    """Few CPUs have instructions for bf16; the others work it out in float32 and round, which is slower than float32
    itself and less exact.

    Fix: remove `training.precision`; on a CPU it is fp32.

    Source: https://pytorch.org/blog/empowering-pytorch-on-intel-xeon-scalable-processors-with-bfloat16/.

    Example:

        hardware: {device: cpu}
        training: {precision: bf16}

    Instead:

        hardware: {device: cpu}
    """
    if seen.spec.hardware.device == "cpu" and seen.spec.training.precision == "bf16":
        message = "bf16 on a CPU is slower than fp32, unless the CPU has instructions for it, and less exact"
        yield "training.precision", message, "remove it: fp32 is what a CPU gets"


@advice("TF139", "few steps")
def few_steps(seen: Seen) -> Iterator[Problem]:
    """A run of under ten optimizer steps ends while the learning rate has hardly risen and fallen again; the tuned
    model is nearly the base model.

    Fix: a smaller `batch_size`, more epochs, or more rows.

    Example, with 150 training rows:

        training: {batch_size: 128}

    Instead, with 150 training rows:

        training: {batch_size: 8}
    """
    if seen.steps is not None and seen.steps < FEW_STEPS:
        path = seen.first_written("training.max_steps", "training.batch_size", "training.epochs", "data.train")
        hint = "a smaller `batch_size`, more epochs, or more rows"
        yield path, f"the run has {_steps(seen.steps)}: the model will change little", hint


@advice("TF140", "evaluation never comes")
def evaluation_comes(seen: Seen) -> Iterator[Problem]:
    """`evaluation.every` is longer than the run, so the rows held out are never used, and early stopping and the best
    checkpoint have nothing to go by.

    Fix: a smaller `evaluation.every`, or `epoch`.

    Example, with 400 training rows:

        evaluation: {every: 500}

    Instead, with 400 training rows:

        evaluation: {every: 5}
    """
    every, steps = seen.spec.evaluation.every, seen.steps
    if seen.spec.data.eval and isinstance(every, int) and steps is not None and every > steps:
        message = f"evaluation comes every {every:,} steps, and the run has {_steps(steps)}"
        yield "evaluation.every", message, "a smaller number, or `epoch`"


@advice("TF141", "no metrics are logged")
def metrics_come(seen: Seen) -> Iterator[Problem]:
    """`logging.every` is longer than the run, so there is no curve to look at.

    Fix: a smaller `logging.every`; a tenth of the steps or less.

    Example, with 400 training rows:

        logging: {every: 100}

    Instead, with 400 training rows:

        logging: {every: 1}
    """
    every, steps = seen.spec.logging.every, seen.steps
    if "logging.every" in seen.written and steps is not None and every > steps:
        message = f"metrics come every {every:,} steps, and the run has {_steps(steps)}"
        yield "logging.every", message, f"{max(steps // 10, 1)} would give a curve"


@advice("TF142", "warmup longer than the run")
def warmup_ends(seen: Seen) -> Iterator[Problem]:
    """Warmup takes as many steps as these rows give, or more, so the learning rate never reaches its peak. (TF119
    tells the same of `max_steps`.)

    Fix: a percentage, which follows the length of the run.

    Example, with 400 training rows:

        training: {warmup: 100}

    Instead, with 400 training rows:

        training: {warmup: 3%}
    """
    warmup, steps = seen.spec.training.warmup, seen.steps
    if isinstance(warmup, int) and seen.spec.training.max_steps is None and steps is not None and warmup >= steps > 0:
        message = f"warmup takes {_steps(warmup)}, and the run has {_steps(steps)}"
        yield "training.warmup", message, "a percentage such as 3% follows the length of the run"


def _rate(rate: float) -> str:
    """As people write it: 2e-4."""
    digits, _, power = f"{rate:.2e}".partition("e")
    return f"{digits.rstrip('0').rstrip('.')}e{int(power)}"


def _steps(number: int) -> str:
    return f"{number:,} step{'' if number == 1 else 's'}"
