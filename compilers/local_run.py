"""What every trainer has in common that runs as a process on this machine."""

from __future__ import annotations

from collections.abc import Mapping

from ..spec.plan import Plan
from . import hf_trainer
from .base import Launch

OUTSIDE: Mapping[str, str] = {
    "version": "the version of the language",
    "name": "names the bundle and the runs",
    "model.accept_eula": "the hub asks for it on the model's page, and lets your account in",
    "data.eval.split": "decides which rows are in data/eval.jsonl",
    "data.eval.seed": "decides which rows are in data/eval.jsonl",
    "data.eval.stratify": "decides which rows are in data/eval.jsonl",
    "data.train": "the rows of data/train.jsonl",
    "data.eval": "the rows of data/eval.jsonl",
    "data.test": "the rows of data/test.jsonl",
    "data.format": "decides how rows are converted",
    "data.on_bad_row": "rows are checked when they are converted",
    "hardware.gpu": "a place picks its machine by it; a local run takes the machine it is on",
    "hardware.nodes": "part of the world size that the bundle checks, and of the launch line",
    "hardware.count": "part of the world size that the bundle checks, and of the launch line",
    "hardware.strategy": "decides the launcher: ddp is what torchrun and the trainer do with several processes",
    "budget.max_hours": "`tuneform run` stops the run",
    "budget.max_usd": "a local run has no price",
    "training.batch_size": "micro batch x accumulation x processes",
}
"""Paths of a plan that take effect elsewhere than in the trainer's own settings."""

UNSUPPORTED: Mapping[str, str] = {
    "training.learning_rate_multiplier": "services take it; a trainer takes `training.learning_rate`",
}


REQUIRED = "requirements.txt"
"""The file of a bundle with the packages that its environment is made of."""
ALONE = "requirements-no-deps.txt"
"""Beside it: packages that are installed without what they ask for."""


def launch(plan: Plan, argv: tuple[str, ...], env: Mapping[str, str] | None = None) -> Launch:
    """Run a command in the bundle's folder, as the plan wants it."""
    return Launch(
        argv=argv,
        requirements=REQUIRED,
        metrics=hf_trainer.metrics(plan),
        env=env or {},
        needs=hf_trainer.needed_variables(plan),
        inputs=(plan["model.start_from"],) if plan["model.start_from"] else (),
        total_steps=plan["training.total_steps"],
        max_hours=plan["budget.max_hours"],
    )
