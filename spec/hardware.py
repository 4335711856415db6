"""`hardware` and `budget`."""

from typing import Literal

from pydantic import Field

from .fields import Line, Section


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
    strategy: Literal["auto", "ddp"] = "auto"
    """How several devices share the work; `auto` is `ddp`."""


class Budget(Section):
    """Limits that stop or refuse a run."""

    max_hours: float | None = Field(default=None, gt=0)
    """A run is stopped, with a checkpoint, after this many hours."""
    max_usd: float | None = Field(default=None, gt=0)
    """A job whose estimated price is above this is refused. A local run has no price."""
