"""What every bundle has that reads its rows through prepare.py."""

from __future__ import annotations

from ..spec.method import REWARDED
from ..spec.plan import Plan
from .base import DataStep
from .python_code import Code
from .settings import Setting, take


def data_steps(plan: Plan) -> tuple[DataStep, ...]:
    """The data files of a bundle."""
    shape = plan["data.shape"]
    steps = [DataStep("train", shape, "data/train.jsonl")]
    if "data.eval" in plan or "data.eval.split" in plan:
        steps.append(DataStep("eval", shape, "data/eval.jsonl"))
    if "data.test" in plan:
        steps.append(DataStep("test", shape, "data/test.jsonl"))
    return tuple(steps)


def load_rows(plan: Plan, whole: bool = False) -> list[Setting]:
    """Keywords of `load_rows` of prepare.py. `whole` is for training rows that packing cuts."""
    found = [] if plan["method"] != "sft" else [take(plan, "loss_on", "data.loss_on")]
    length = take(plan, "max_length", "training.max_length")
    if plan["method"] in REWARDED:
        paths = ("training.max_length", "method.grpo.max_completion_length")
        rest = plan[paths[0]] - plan[paths[1]]
        length = Setting("max_length", rest, paths[:1], f"{paths[0]} - {paths[1]}")
    if whole:
        length = Setting("max_length", Code("sys.maxsize"), ("training.packing_strategy",), "packing cuts long rows")
    return [
        *found,
        length,
        take(plan, "on_too_long", "training.on_too_long"),
        take(plan, "on_bad_row", "data.on_bad_row"),
    ]
