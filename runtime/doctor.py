"""Whether this machine can run things: what is installed, what is built, and what a spec's targets lack."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, metadata, version
from typing import Literal

from ..compilers import registry
from ..spec.sizing.memory import estimate
from . import envs
from .console import count
from .machine import Machine, look
from .project import Target

State = Literal["ok", "missing", "note"]
VARIABLES = ("HF_TOKEN", "HF_HOME", "HF_HUB_OFFLINE", "WANDB_API_KEY", "MLFLOW_TRACKING_URI", "TUNEFORM_CACHE")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `fix` says what to do where it is missing."""

    what: str
    state: State
    found: str
    fix: str | None = None

    def as_dict(self) -> dict[str, str | None]:
        """For `--json`."""
        return asdict(self)


def general(machine: Machine) -> list[Finding]:
    """What holds for every spec."""
    return [
        Finding("tuneform", "ok", f"{version('tuneform')} on Python {platform.python_version()}, {machine.system}"),
        Finding("machine", "ok", f"{count(machine.cores, 'core')}, {machine.gib:.0f} GiB of memory"),
        *_gpus(machine),
        _installer(),
        Finding("environments", "ok", f"{envs.cache_folder() / 'envs'}, {machine.free_gib:.0f} GiB free"),
        *_extras(),
        _variables(),
    ]


def trainers() -> list[Finding]:
    """The trainers that are compiled for, by version, and how many environments hold them."""
    built = envs.built()
    found = []
    for name, own in [(known, own) for known in registry.names() for own in registry.get(known).versions]:
        pin = f"{name}=={own}"
        number = sum(pin in packages for packages in built.values())
        said = f"{pin}: {count(number, 'environment')} built" if number else f"{pin}: no environment yet"
        found.append(Finding(name, "ok" if number else "note", said, None if number else "`tuneform run` builds it"))
    return found


def of_target(target: Target, machine: Machine) -> list[Finding]:
    """What a run of one target needs, and whether it is here."""
    compiled = target.compiled
    if compiled.plan is None or compiled.bundle is None:
        return []
    launch = compiled.bundle.run
    files = {file.path: file.text for file in compiled.bundle.files}
    text, alone = files[launch.requirements], files.get(envs.ALONE, "")
    ready = envs.find(text, alone) is not None
    needed = f"{len([*text.split(), *alone.split()])} pinned packages"
    found = [
        Finding("environment", "ok", f"is built: {needed}")
        if ready
        else Finding("environment", "note", f"is not built yet: {needed}", "`tuneform run` builds it")
    ]
    found += _devices(target, machine)
    return [*found, *map(_variable, launch.needs)]


def look_around() -> Machine:
    """This machine."""
    return look(envs.cache_folder())


def _devices(target: Target, machine: Machine) -> Iterator[Finding]:
    plan = target.compiled.plan
    assert plan is not None
    if plan["hardware.device"] == "cpu":
        yield Finding("device", "ok", "cpu, as the spec says")
        return
    wanted, here = plan["hardware.count"], len(machine.gpus)
    if here < wanted:
        fix = "`hardware: {device: cpu}`, fewer `count`, or run the compiled bundle where they are"
        yield Finding("device", "missing", f"{count(wanted, 'GPU')} wanted, {here or 'none'} here", fix)
        return
    yield Finding("device", "ok", f"{count(wanted, 'GPU')} wanted, {here} here")
    used = machine.gpus[:wanted]
    if plan["training.precision"] == "bf16" and not all(gpu.bf16 for gpu in used):
        old = next(gpu.name for gpu in used if not gpu.bf16)
        yield Finding("precision", "missing", f"{old} does not compute in bf16", "`training: {precision: fp16}`")
    if size := estimate(plan):
        least = min(gpu.gib for gpu in used)
        said = f"{size.low:.0f} to {size.high:.0f} GiB for each GPU by estimate, {least:.0f} GiB there"
        short = "the first lever is `training.micro_batch_size`, then `adapter: qlora`" if least < size.low else None
        yield Finding("memory", "missing" if short else "ok", said, short)


def _variable(name: str) -> Finding:
    if os.environ.get(name):
        return Finding(f"${name}", "ok", "is set")
    return Finding(f"${name}", "missing", "is not set", f"export {name}=...")


def _gpus(machine: Machine) -> list[Finding]:
    if machine.gpu_problem:
        return [Finding("gpu", "missing", machine.gpu_problem, "see to the NVIDIA driver, or train on the CPU")]
    if not machine.gpus:
        return [Finding("gpu", "note", "none with an NVIDIA driver; `hardware: {device: cpu}` trains small models")]
    return [
        Finding(f"gpu {number}", "ok", f"{gpu.name}, {gpu.gib:.0f} GiB, driver {gpu.driver}")
        for number, gpu in enumerate(machine.gpus)
    ]


def _installer() -> Finding:
    if uv := envs.uv_path():
        return Finding("installer", "ok", f"uv ({uv})")
    return Finding("installer", "note", "pip; uv builds environments several times as fast", "pip install uv")


def _extras() -> Iterator[Finding]:
    """Optional packages, as the installed project names them."""
    wanted = metadata("tuneform").get_all("Requires-Dist") or []
    for line in wanted:
        requirement, _, marker = line.partition(";")
        if "extra ==" not in marker:
            continue
        extra = marker.split("==", 1)[1].strip().strip("'\"")
        package = requirement.split(">")[0].split("=")[0].strip()
        try:
            yield Finding(f"[{extra}]", "ok", f"{package} {version(package)}")
        except PackageNotFoundError:
            yield Finding(f"[{extra}]", "note", f"{package} is not installed", f"pip install 'tuneform[{extra}]'")


def _variables() -> Finding:
    """Names alone: a value may be a secret."""
    given = [name for name in VARIABLES if os.environ.get(name)]
    rest = [name for name in VARIABLES if name not in given]
    return Finding("variables", "ok", f"set: {', '.join(given) or 'none'}; not set: {', '.join(rest) or 'none'}")
