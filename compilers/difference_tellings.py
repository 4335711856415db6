"""What a change comes to, in words. A telling takes both values, and the case for what else there is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import difference_rewards


@dataclass(frozen=True, slots=True)
class Case:
    """Both sides of a comparison, for wordings that look at more than one value."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]
    rows: Mapping[str, tuple[int, int, bool]] = field(default_factory=dict)  # added, removed, only reordered


Telling = Callable[[Any, Any, Case], str]


def times(before: Any, after: Any, case: Case) -> str:
    """How many times larger: halved, doubled, x 3."""
    if not before or not after or before < 0:
        return ""
    ratio = after / before
    if abs(ratio - 2) < 1e-9 or abs(ratio - 0.5) < 1e-9:
        return "doubled" if ratio > 1 else "halved"
    whole = round(1 / ratio)
    return f"divided by {whole}" if whole > 1 and abs(1 / ratio - whole) < 1e-9 else f"x {ratio:.3g}"


def fewer(before: Any, after: Any, case: Case) -> str:
    """`120 fewer`."""
    if not isinstance(before, int) or not isinstance(after, int):
        return ""
    return f"{abs(after - before):,} {'more' if after > before else 'fewer'}"


def always(text: str) -> Telling:
    """The same words for every change."""
    return lambda before, after, case: text


def either(true: str, false: str) -> Telling:
    """Words by the new value."""
    return lambda before, after, case: true if after else false


def switched(on: str, off: str) -> Telling:
    """Words for what begins or ends with the new value; how many times larger it is otherwise."""

    def tell(before: Any, after: Any, case: Case) -> str:
        if bool(before) == bool(after):
            return times(before, after, case)
        return on if after else off

    return tell


def rank(before: Any, after: Any, case: Case) -> str:
    """How many parameters are trained, and how strongly they count."""
    if not before or not after:
        return ""
    alone = not case.before.get("adapter.modules_to_save") and not case.after.get("adapter.modules_to_save")
    fixed = ("model.id", "adapter.target_modules", "adapter.use_dora")
    held = all(case.before.get(path) == case.after.get(path) for path in fixed)
    what = (
        "trainable parameters"
        if alone and not case.after.get("adapter.use_dora")
        else "weights of the adapter's matrices"
    )
    told = f"{what} x {after / before:.3g}" if held else ""
    return ", ".join(part for part in (told, scale(before, after, case)) if part)


def scale(before: Any, after: Any, case: Case) -> str:
    """How strongly the adapter's updates count: alpha / rank, or alpha / sqrt(rank)."""
    one, two = (_scaling(side) for side in (case.before, case.after))
    if one is None or two is None or one == two:
        return ""
    return f"updates are scaled by {two:.4g} instead of {one:.4g}"


def _scaling(side: Mapping[str, Any]) -> float | None:
    rank, alpha = side.get("adapter.rank"), side.get("adapter.alpha")
    if not rank or not alpha:
        return None
    return float(alpha / (rank**0.5 if side.get("adapter.use_rslora") else rank))


_OBJECTIVES = {
    "sft": "imitates answers",
    "pretrain": "predicts every token of a text",
    "dpo": "prefers one answer to another",
    "kto": "learns from answers marked good or bad",
    "orpo": "imitates the chosen answer and prefers it to the other, without a reference model",
    "grpo": "samples answers and reinforces those that score above their group",
    "rft": "samples answers and reinforces those that a service's graders score well",
}


def method(before: Any, after: Any, case: Case) -> str:
    """What is learned instead of what."""
    one, two = _OBJECTIVES.get(before), _OBJECTIVES.get(after)
    return f"{two}; before: {one}" if one and two else "another objective"


_WEIGHTS = {
    "full": "every weight is trained",
    "lora": "only an adapter is trained",
    "qlora": "only an adapter is trained, on quantized weights",
}


def too_long(before: Any, after: Any, case: Case) -> str:
    """What becomes of longer rows."""
    what = {"drop": "dropped", "truncate": "cut", "error": "an error"}.get(case.after.get("training.on_too_long", ""))
    return f"rows longer than {after:,} tokens are {what}" if what else ""


def rows(split: str) -> Telling:
    """How many rows came and went."""

    def tell(before: Any, after: Any, case: Case) -> str:
        added, removed, reordered = case.rows.get(split, (0, 0, False))
        if reordered:
            return "the same rows in another order"
        parts = [f"{added:,} added" if added else "", f"{removed:,} removed" if removed else ""]
        return ", ".join(part for part in parts if part)

    return tell


def sources(split: str) -> Telling:
    """Whether other sources have other rows."""

    def tell(before: Any, after: Any, case: Case) -> str:
        if split not in case.rows:
            return "their rows were not compared"
        return "the rows are the same" if case.rows[split] == (0, 0, False) else ""

    return tell


def warmup(before: Any, after: Any, case: Case) -> str:
    """Whether other words come to as many steps."""
    steps = "training.warmup_steps"
    one, two = case.before.get(steps), case.after.get(steps)
    return f"the effective warmup stays at {two:,}" if two is not None and one == two else ""


def shape(before: Any, after: Any, case: Case) -> str:
    """What `data.format` comes to."""
    return "" if case.before.get("data.shape") != case.after.get("data.shape") else "rows are read as before"


def adapter(before: Any, after: Any, case: Case) -> str:
    """Which weights are trained."""
    return _WEIGHTS.get(after, "")


def rewards(before: Any, after: Any, case: Case) -> str:
    """What is different about the rewards."""
    return difference_rewards.told(before, after)


def packs(before: Any, after: Any, case: Case) -> str:
    """How rows are put together."""
    return _PACKING.get(after, "")


_PACKING = {
    "bfd": "whole rows, best fit first",
    "bfd_split": "rows that are too long are taken in pieces",
    "wrapped": "rows are cut anywhere",
}


def token(before: Any, after: Any, case: Case) -> str:
    """A token that is added, or taken from the vocabulary."""
    return "a token that the vocabulary lacks is added, and the embeddings grow" if after else ""
