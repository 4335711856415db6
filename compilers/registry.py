"""Which targets there are: every module of `trainers/` with a `TARGET`, found by scanning the folder."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from . import trainers
from .base import Trainer


@cache
def names() -> tuple[str, ...]:
    """Every target's name, without importing any."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(trainers.__path__)))


@cache
def get(name: str) -> Trainer:
    """The target of that name."""
    target = import_module(f"{trainers.__name__}.{name}").TARGET
    assert isinstance(target, Trainer)
    assert target.name == name
    return target
