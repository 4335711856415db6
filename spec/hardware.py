"""`hardware` and `budget`."""

from typing import ClassVar, Literal

from pydantic import Field

from .fields import Line, Section


class Fsdp(Section):
    """Fully sharded data parallel (PyTorch's FSDP2), set through Accelerate's config file."""

    reshard_after_forward: bool = True
    """Gather a layer's weights again for the backward pass: least memory (ZeRO-3); false keeps them (ZeRO-2)."""
    cpu_offload: bool = False
    """Keep weights and gradients in the machine's memory while they are not in use."""


class DeepSpeed(Section):
    """DeepSpeed's ZeRO, set through its own config file. A bare number is the `stage`."""

    shorthand: ClassVar[str | None] = "stage"

    stage: Literal[1, 2, 3] = 2
    """What is sharded: 1 optimizer states, 2 gradients too, 3 weights too."""
    offload_optimizer: bool = False
    """Keep optimizer states in the machine's memory."""
    offload_param: bool = False
    """Keep weights in the machine's memory (`stage: 3`)."""


class Hardware(Section):
    """What the run is made for. It is never guessed from the machine that compiles."""

    device: Literal["cuda", "cpu", "mps"] = "cuda"
    """Kind of device."""
    gpu: Line | None = None
    """Model of the GPU (`H100`); a place picks its machine by it."""
    count: int = Field(default=1, ge=1, le=1024)
    """Devices on each node; with `cpu`, processes."""
    nodes: int = Field(default=1, ge=1, le=1024)
    """Machines."""
    strategy: Literal["auto", "ddp", "fsdp", "deepspeed"] = "auto"
    """How several devices share the work; `auto` is `ddp`."""
    fsdp: Fsdp = Fsdp.model_construct()
    """Only with `strategy: fsdp`."""
    deepspeed: DeepSpeed = DeepSpeed.model_construct()
    """Only with `strategy: deepspeed`."""


class Budget(Section):
    """Limits that stop or refuse a run."""

    max_hours: float | None = Field(default=None, gt=0)
    """A run is stopped, with a checkpoint, after this many hours."""
    max_usd: float | None = Field(default=None, gt=0)
    """A job whose estimated price is above this is refused. A local run has no price."""
