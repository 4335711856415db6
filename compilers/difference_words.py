"""How a change is told: words by dotted path. A path that has none is told by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .difference_paths import Group

HEADINGS: Mapping[Group, str] = {
    "objective": "changes what is trained",
    "optimization": "changes the optimization",
    "run": "changes only the run",
}


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


def _rank(before: Any, after: Any, case: Case) -> str:
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
    return ", ".join(part for part in (told, _scale(before, after, case)) if part)


def _scale(before: Any, after: Any, case: Case) -> str:
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
}


def _method(before: Any, after: Any, case: Case) -> str:
    one, two = _OBJECTIVES.get(before), _OBJECTIVES.get(after)
    return f"{two}; before: {one}" if one and two else "another objective"


_WEIGHTS = {
    "full": "every weight is trained",
    "lora": "only an adapter is trained",
    "qlora": "only an adapter is trained, on quantized weights",
}


def _long(before: Any, after: Any, case: Case) -> str:
    what = {"drop": "dropped", "truncate": "cut", "error": "an error"}.get(case.after.get("training.on_too_long", ""))
    return f"rows longer than {after:,} tokens are {what}" if what else ""


def _rows(split: str) -> Telling:
    def tell(before: Any, after: Any, case: Case) -> str:
        added, removed, reordered = case.rows.get(split, (0, 0, False))
        if reordered:
            return "the same rows in another order"
        parts = [f"{added:,} added" if added else "", f"{removed:,} removed" if removed else ""]
        return ", ".join(part for part in parts if part)

    return tell


def _sources(split: str) -> Telling:
    def tell(before: Any, after: Any, case: Case) -> str:
        if split not in case.rows:
            return "their rows were not compared"
        return "the rows are the same" if case.rows[split] == (0, 0, False) else ""

    return tell


def _warmup(before: Any, after: Any, case: Case) -> str:
    steps = "training.warmup_steps"
    one, two = case.before.get(steps), case.after.get(steps)
    return f"the effective warmup stays at {two:,}" if two is not None and one == two else ""


def _shape(before: Any, after: Any, case: Case) -> str:
    """What `data.format` comes to."""
    return "" if case.before.get("data.shape") != case.after.get("data.shape") else "rows are read as before"


# path -> how it is called, and what a change of it means
WORDS: Mapping[str, tuple[str, Telling | None]] = {
    "method": ("method", _method),
    "method.dpo.beta": ("DPO beta", times),
    "method.dpo.loss_type": ("DPO loss", None),
    "model.id": ("base model", always("training starts from other weights")),
    "model.revision": ("model revision", always("other weights, if the repository changed between")),
    "model.tokenizer": ("tokenizer", always("rows become other tokens")),
    "model.chat_template": ("chat template", always("rows are written as other text")),
    "model.dtype": ("weights stored as", None),
    "model.attn_implementation": ("attention", always("another implementation of the same computation")),
    "model.trust_remote_code": ("trust remote code", either("the repository's own code runs", "")),
    "adapter.type": ("adapter", lambda before, after, case: _WEIGHTS.get(after, "")),
    "adapter.rank": ("LoRA rank", _rank),
    "adapter.alpha": ("LoRA alpha", _scale),
    "adapter.dropout": ("LoRA dropout", None),
    "adapter.target_modules": ("LoRA modules", always("other weights are trained")),
    "adapter.modules_to_save": ("modules trained in full", always("other weights are trained")),
    "adapter.use_dora": ("DoRA", None),
    "adapter.use_rslora": ("rsLoRA", _scale),
    "adapter.init": ("LoRA start", None),
    "adapter.quantization.bits": ("quantization bits", None),
    "data.train": ("training data", _sources("train")),
    "data.eval": ("evaluation data", _sources("eval")),
    "data.test": ("test data", _sources("test")),
    "data.eval.split": ("share held out", always("held-out rows are not trained")),
    "data.eval.seed": ("hold-out seed", always("other rows are held out")),
    "data.format": ("row format", _shape),
    "data.shape": ("rows are", None),
    "data.loss_on": ("trained tokens", None),
    "data.masks": ("labels made by", None),
    "data.shuffle": ("shuffle", either("a new random order each epoch", "rows in the order of the file")),
    "data.on_bad_row": ("unusable rows", None),
    "rows.train": ("training rows", _rows("train")),
    "rows.eval": ("evaluation rows", _rows("eval")),
    "rows.test": ("test rows", _rows("test")),
    "training.epochs": ("epochs", None),
    "training.max_steps": ("steps to train", fewer),
    "training.batch_size": ("global batch", times),
    "training.micro_batch_size": ("micro batch", None),
    "training.gradient_accumulation_steps": ("gradient accumulation", None),
    "training.learning_rate": ("learning rate", times),
    "training.optimizer.name": ("optimizer", None),
    "training.optimizer.betas": ("Adam betas", None),
    "training.optimizer.eps": ("Adam epsilon", times),
    "training.weight_decay": ("weight decay", times),
    "training.max_grad_norm": ("gradient clipping", either("", "nothing is clipped")),
    "training.scheduler.name": ("schedule", None),
    "training.scheduler.min_lr_ratio": ("final share of the learning rate", None),
    "training.warmup": ("warmup", _warmup),
    "training.warmup_steps": ("effective warmup steps", None),
    "training.total_steps": ("optimizer steps", fewer),
    "training.max_length": ("longest row in tokens", _long),
    "training.on_too_long": ("longer rows", None),
    "training.packing": ("packing", either("several rows share a sequence", "one row a sequence")),
    "training.precision": ("arithmetic", None),
    "training.gradient_checkpointing": (
        "gradient checkpointing",
        either("same gradients, less memory, more time", "same gradients, more memory, less time"),
    ),
    "training.seed": ("seed", always("another random start and order of rows")),
    "evaluation.every": ("evaluation every", None),
    "evaluation.at_start": ("evaluation at the start", None),
    "evaluation.early_stopping.patience": ("early stopping patience", always("training may end at another step")),
    "saving.every": ("checkpoint every", None),
    "saving.keep": ("checkpoints kept", None),
    "saving.best": ("keep the best checkpoint", either("ends with the best weights", "ends with the last weights")),
    "saving.hub_model_id": ("pushed to the hub as", None),
    "logging.every": ("metrics every", None),
    "hardware.device": ("device", None),
    "hardware.world_size": ("processes", None),
    "hardware.strategy": ("devices share by", None),
    "hardware.count": ("devices a node", None),
    "hardware.nodes": ("nodes", None),
    "budget.max_hours": ("limit in hours", None),
    "target": ("target", always("another tool trains it")),
}
EMPTY: Mapping[str, str] = {  # how no value is shown, where it says something
    "training.max_steps": "by epochs",
    "training.total_steps": "not known",
    "training.warmup_steps": "not known",
    "saving.keep": "all",
    "model.revision": "main branch",
    "model.chat_template": "the tokenizer's own",
    "budget.max_hours": "none",
}


def title(path: str) -> str:
    """What a path is called: its name in the spec where there is no better word."""
    return WORDS[path][0] if path in WORDS else path


def means(path: str, before: Any, after: Any, case: Case) -> str:
    """What a change comes to, in words; "" where the values say it all."""
    if path.startswith("option."):
        return "an option of the target"
    if path.startswith("extra."):
        return "a native key, passed on as it is"
    telling = WORDS[path][1] if path in WORDS else None
    if telling is None or (before is None and after is None):
        return ""
    return telling(before, after, case)
