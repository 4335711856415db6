"""What this machine has for training: processors, memory, GPUs, disk."""

from __future__ import annotations

import csv
import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

GIB = 2**30
# https://docs.nvidia.com/deploy/nvidia-smi/index.html: MiB without units
_QUERY = ("nvidia-smi", "--query-gpu=name,memory.total,compute_cap,driver_version", "--format=csv,noheader,nounits")
_PATIENCE = 20.0  # seconds; a driver that was just loaded takes some
_BF16_FROM = 8.0  # compute capability (Ampere) of which on the hardware multiplies bfloat16


@dataclass(frozen=True, slots=True)
class Gpu:
    """An NVIDIA GPU as its driver tells of it."""

    name: str
    gib: float
    capability: float
    driver: str

    @property
    def bf16(self) -> bool:
        """Whether it computes in bfloat16 itself."""
        return self.capability >= _BF16_FROM


@dataclass(frozen=True, slots=True)
class Machine:
    """This machine, as far as training asks."""

    system: str
    cores: int
    gib: float
    gpus: tuple[Gpu, ...]
    gpu_problem: str | None  # why the driver could not be asked, where it is there
    free_gib: float  # on the disk of the environments


def look(cache: Path) -> Machine:
    """This machine, with the free space where environments are kept."""
    gpus, problem = _gpus()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    system = f"{platform.system()} {platform.machine()}"
    return Machine(system, _cores(), memory / GIB, gpus, problem, shutil.disk_usage(_existing(cache)).free / GIB)


def _cores() -> int:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def _gpus() -> tuple[tuple[Gpu, ...], str | None]:
    try:
        done = subprocess.run(_QUERY, capture_output=True, text=True, timeout=_PATIENCE)
    except FileNotFoundError:
        return (), None
    except (OSError, subprocess.TimeoutExpired) as error:
        return (), f"nvidia-smi does not answer: {error}"
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines() or [f"exit code {done.returncode}"]
        return (), f"nvidia-smi fails: {said[0]}"
    found = [[cell.strip() for cell in row] for row in csv.reader(done.stdout.splitlines()) if row]
    try:
        return tuple(Gpu(name, int(mib) / 1024, float(able), driver) for name, mib, able, driver in found), None
    except ValueError:
        return (), f"nvidia-smi says what is not understood: {done.stdout.splitlines()[0]}"
