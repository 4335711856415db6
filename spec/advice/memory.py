"""Advice about memory: whether the GPUs that the spec names can hold the run."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..diagnostics import Level
from ..optimization import SHARDED
from ..sizing import gpus, memory
from ..sizing.model_size import shown
from .base import Problem, Seen, advice

MARGIN = 1.5  # an estimate must be so far beyond the memory for an error
ROOM = 1.2  # what is advised should not be full to the brim
ADAPTER_BYTES = {"lora": 2.0, "qlora": 0.6}  # of the frozen weights


@advice("TF150", "an unknown GPU")
def known_gpu(seen: Seen) -> Iterator[Problem]:
    """`hardware.gpu` names no GPU that is known here, so nothing can be said of its memory; and a place that picks a
    machine by this name may find none.

    Fix: the vendor's short name (`H100`, `L40S`, `RTX 4090`, `MI300X`), with its memory where there are several
    (`A100-40GB`).

    Example:

        hardware: {gpu: H1000}

    Instead:

        hardware: {gpu: H100}
    """
    name = seen.spec.hardware.gpu
    if name and seen.spec.hardware.device == "cuda" and gpus.find(name) is None:
        near = gpus.near(name)
        hint = f"did you mean `{near}`?" if near else "for example H100, A100-40GB, L40S, RTX 4090 or MI300X"
        yield "hardware.gpu", f"no GPU `{name}` is known", hint


@advice("TF151", "the hardware cannot hold the model", Level.ERROR)
def fits(seen: Seen) -> Iterator[Problem]:
    """The least memory that training can take on each device is more than one and a half times what the GPU has: the
    run would end with "out of memory" before its first step. Plain data parallelism (`ddp`) does not help: each
    device holds everything. The estimate goes by the size in the model's name; `tuneform plan` shows its parts, and
    spec/sizing/memory.py has its formula with sources.

    Fix: what the message names: `adapter: qlora`, a larger GPU, or a smaller model. Where the name tells a wrong size,
    or native keys under `extra:` move memory elsewhere, `accept: [TF151]` in the target makes a note of this.

    Source: https://huggingface.co/docs/transformers/model_memory_anatomy.

    Example:

        model: Qwen/Qwen3-32B
        adapter: full
        hardware: {gpu: L40S}

    Instead:

        model: Qwen/Qwen3-32B
        adapter: qlora
        hardware: {gpu: L40S}
    """
    yield from _too_large(seen, MARGIN, math.inf)


@advice("TF152", "the model hardly fits")
def hardly_fits(seen: Seen) -> Iterator[Problem]:
    """The least memory that training can take on each device is more than the GPU has, by up to one half: the run most
    likely ends with "out of memory". (Beyond one half, TF151 is an error.) It is an estimate, from the size in the
    model's name; `tuneform plan` shows its parts.

    Fix: what the message names: `adapter: qlora`, a larger GPU, or a smaller model.

    Source: https://huggingface.co/docs/transformers/model_memory_anatomy.

    Example:

        model: Qwen/Qwen3-14B
        hardware: {gpu: RTX 4090}

    Instead:

        model: Qwen/Qwen3-14B
        adapter: qlora
        hardware: {gpu: RTX 4090}
    """
    yield from _too_large(seen, 1.0, MARGIN)


def _too_large(seen: Seen, above: float, up_to: float) -> Iterator[Problem]:
    hardware, found = seen.spec.hardware, memory.estimate(seen.plan)
    gpu = gpus.find(hardware.gpu) if hardware.gpu and hardware.device == "cuda" else None
    if gpu is None or found is None or not above < found.low / gpu.memory <= up_to:
        return
    what = f"{seen.plan['adapter.type']} tuning of about {shown(found.parameters)} parameters"
    message = f"{what} takes at least {found.low:,.0f} GiB on each device (estimate); {gpu.name} has {gpu.memory}"
    yield "hardware.gpu", message, _would_fit(seen, found, gpu)


def _would_fit(seen: Seen, found: memory.Estimate, gpu: gpus.Gpu) -> str:
    """What would hold it."""
    kinds = list(ADAPTER_BYTES)
    lighter = kinds[kinds.index(kind) + 1 :] if (kind := seen.plan["adapter.type"]) in kinds else kinds
    ways = [
        f"`adapter: {kind}`"
        for kind in lighter
        if found.parameters * ADAPTER_BYTES[kind] * ROOM / memory.GIB <= gpu.memory
    ]
    if (larger := gpus.larger(found.low * ROOM)) is not None:
        ways.append(f"a larger GPU ({larger.name} has {larger.memory} GiB)")
    if sharded := seen.plan["hardware.strategy"] in SHARDED:
        ways.append("more devices")
    alone = seen.plan["hardware.world_size"] > 1 and not sharded
    why = "\nmore devices do not help: with plain data parallelism each holds everything" if alone else ""
    return ", or ".join([*ways, "a smaller model"]) + why
