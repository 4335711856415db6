"""Rules over several fields. Each is a function with one code; its docstring is what `tuneform explain` prints.

A rule yields problems as (path, message, hint); the decorator adds code, level and place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .diagnostics import Diagnostic, Level
from .fields import is_local
from .load import Document
from .places import locate, steps
from .spec import Spec

Problem = tuple[str, str, str | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule with its code and level."""

    code: str
    level: Level
    title: str
    check: Callable[[Spec, set[str]], Iterator[Problem]]

    @property
    def explanation(self) -> str:
        """The docstring, for `tuneform explain`."""
        return self.check.__doc__ or ""


RULES: list[Rule] = []


def rule(
    code: str, title: str, level: Level = Level.ERROR
) -> Callable[[Callable[[Spec, set[str]], Iterator[Problem]]], Callable[[Spec, set[str]], Iterator[Problem]]]:
    """Register a rule. It is given the spec and the paths that the user wrote."""

    def register(
        check: Callable[[Spec, set[str]], Iterator[Problem]],
    ) -> Callable[[Spec, set[str]], Iterator[Problem]]:
        RULES.append(Rule(code, level, title, check))
        return check

    return register


def written(spec: Spec) -> set[str]:
    """The paths of leaves that the user wrote, shorthands written out."""

    def walk(section: object, prefix: str) -> Iterator[str]:
        for name in getattr(section, "model_fields_set", ()):
            value = getattr(section, name)
            if hasattr(type(value), "model_fields"):
                yield from walk(value, f"{prefix}{name}.")
            yield f"{prefix}{name}"

    return set(walk(spec, ""))


def check(document: Document) -> list[Diagnostic]:
    """Run every rule over a spec whose fields are each right."""
    if document.spec is None:
        return []
    paths = written(document.spec)
    found = []
    for r in RULES:
        for path, message, hint in r.check(document.spec, paths):
            node, _ = locate(document.root, steps(path))
            found.append(Diagnostic(r.code, r.level, path, message, hint, node.key_span or node.span))
    return document.sources.with_lines(found)


@rule("TF110", "the batch does not divide")
def batch_divides(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """An optimizer step takes `training.batch_size` rows: devices x micro batch x accumulation. So the batch must be
    a multiple of the devices, and of `micro_batch_size` x devices where that is set. Tuneform never rounds it.

    Fix: take one of the sizes that the message lists.
    """
    t, devices = spec.training, spec.hardware.count * spec.hardware.nodes
    micro = t.micro_batch_size or 1
    if t.batch_size % (devices * micro):
        what = f"{devices} devices x micro_batch_size {micro}" if t.micro_batch_size else f"{devices} devices"
        unit = devices * micro
        low, high = t.batch_size // unit * unit, -(-t.batch_size // unit) * unit
        would = f"{low} or {high}" if low else f"{high}"
        yield "training.batch_size", f"batch_size {t.batch_size} does not divide by {what}", f"{would} would"


@rule("TF111", "epochs and max_steps")
def one_length(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """A run ends after `training.epochs` or after `training.max_steps`; with both, one would be lost.

    Fix: remove one of them.
    """
    if {"training.epochs", "training.max_steps"} <= paths:
        yield "training.max_steps", "`training` has both `epochs` and `max_steps`", "remove one of them"


@rule("TF112", "a field without effect")
def no_effect(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """A field is set whose value changes nothing, because another field rules it out: LoRA settings with
    `adapter.type: full`, quantization without `qlora`, `num_cycles` without restarts. Either it or the other is a
    mistake.

    Fix: remove the field, or change the one that the message names.
    """
    dead: list[tuple[bool, str, str]] = []
    lora = ("rank", "alpha", "dropout", "target_modules", "modules_to_save", "use_dora", "use_rslora", "init")
    dead += [(spec.adapter.type == "full", f"adapter.{n}", "`adapter.type` is `full`") for n in lora]
    kind = spec.adapter.type
    dead += [(kind != "qlora", "adapter.quantization", f"`adapter.type` is `{kind}`; quantization needs `qlora`")]
    eight = spec.adapter.quantization.bits == 8
    for name in ("type", "double_quant", "compute_dtype"):
        dead.append((eight, f"adapter.quantization.{name}", "`adapter.quantization.bits` is 8"))
    s, o, m = spec.training.scheduler, spec.training.optimizer, spec.method
    dead += [(s.name != "cosine", "training.scheduler.min_lr_ratio", f"the scheduler is `{s.name}`, not `cosine`")]
    restarts = s.name == "cosine_with_restarts"
    dead += [(not restarts, "training.scheduler.num_cycles", f"the scheduler is `{s.name}`")]
    dead += [(o.name == "adafactor", f"training.optimizer.{n}", "`adafactor` has none") for n in ("betas", "eps")]
    if m.dpo:
        plain = m.dpo.loss_type != "robust"
        dead += [(plain, "method.dpo.label_smoothing", f"`loss_type` is `{m.dpo.loss_type}`, not `robust`")]
        dead += [(True, "data.loss_on", "dpo compares whole answers")]
    for ruled_out, path, why in dead:
        if ruled_out and path in paths:
            yield path, f"`{path}` has no effect: {why}", "remove it"


@rule("TF113", "evaluation without rows")
def evaluation_has_rows(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """Evaluation settings need rows to evaluate on.

    Fix: give `data.eval` a file, or hold out a share of the training rows with `eval: {split: 0.1}`.
    """
    if spec.data.eval is None:
        for path in ("evaluation.every", "evaluation.at_start", "evaluation.early_stopping", "saving.best"):
            if path in paths and not (path == "saving.best" and not spec.saving.best):
                yield path, f"`{path}` needs evaluation rows", "add `data.eval`, for example `eval: {split: 0.1}`"


@rule("TF114", "the best checkpoint is not saved")
def best_is_saved(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """`saving.best` ends with the checkpoint that evaluated best, so each checkpoint must be evaluated:
    `saving.every` must be `evaluation.every` or a multiple of it. Source: transformers' TrainingArguments,
    `load_best_model_at_end`.

    Fix: remove `saving.every`, which then follows `evaluation.every`.
    """
    save, every = spec.saving.every, spec.evaluation.every
    if not spec.saving.best or save is None or spec.data.eval is None:
        return
    fits = save == every or (isinstance(save, int) and isinstance(every, int) and save % every == 0)
    if not fits:
        yield (
            "saving.every",
            f"`saving.best` needs checkpoints where evaluation is: every {every}, not {save}",
            (f"write `every: {every}`, or remove it"),
        )


@rule("TF115", "the method does not pack")
def packing_fits(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """Packing puts several rows into one sequence. Preference methods compare pairs of answers and cannot pack.

    Fix: remove `training.packing`.
    """
    if spec.training.packing and spec.method.dpo:
        yield "training.packing", "dpo compares pairs of answers and cannot pack rows", "remove `packing`"


@rule("TF116", "the tokens to train do not fit the method")
def loss_fits(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """Pretraining trains every token of a text.

    Fix: remove `data.loss_on`, or use `method: sft`.
    """
    if spec.method.pretrain and spec.data.loss_on not in (None, "all"):
        yield "data.loss_on", f"pretrain trains every token, not `{spec.data.loss_on}`", "remove it, or use sft"


@rule("TF117", "the device cannot compute so")
def precision_fits(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """fp16 training scales the loss on a CUDA device; a CPU has no such arithmetic. Kernels such as flash attention
    and paged optimizers exist for CUDA only.

    Fix: take `precision: fp32` (or bf16, slow on most CPUs), `attn_implementation: sdpa`, `optimizer: adamw_torch`.
    """
    device = spec.hardware.device
    if device == "cuda":
        return
    if spec.training.precision == "fp16":
        yield "training.precision", f"fp16 needs a CUDA device, not {device}", "fp32 works there"
    if spec.model.attn_implementation.startswith("flash"):
        yield "model.attn_implementation", f"flash attention needs a CUDA device, not {device}", "sdpa works there"
    if "8bit" in spec.training.optimizer.name:
        yield (
            "training.optimizer.name",
            f"8-bit optimizers need a CUDA device, not {device}",
            "adamw_torch works there",
        )
    if device == "mps" and spec.adapter.type == "qlora":
        yield "adapter.type", "bitsandbytes does not quantize on mps", "use lora"


@rule("TF118", "a hub dataset without a format")
def hub_rows_are_named(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """What rows are is told from the first of them, but a hub dataset is not read while compiling.

    Fix: say it: `data.format: chat` (or instruction, prompt_completion, text, preference).
    """
    sources = [("data.train", s) for s in spec.data.train]
    sources += [("data.eval", s) for s in (spec.data.eval.sources if spec.data.eval else None) or ()]
    sources += [("data.test", s) for s in spec.data.test or ()]
    for path, source in sources:
        if source.id and (source.format or spec.data.format) == "auto":
            hint = "add `data.format`: chat, instruction, prompt_completion, text or preference"
            yield path, f"the format of the hub dataset `{source.id}` is not known before it is read", hint
    for path, source in sources:
        odd = [k for k in ("subset", "split", "revision") if source.path and getattr(source, k)]
        if odd:
            yield path, f"`{odd[0]}` belongs to a hub dataset; `{source.path}` is a file", "remove it"


@rule("TF119", "warmup as long as the run")
def warmup_ends(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """Warmup raises the learning rate to its peak; a run that ends before has trained with none of it.

    Fix: fewer warmup steps, or a percentage.
    """
    t = spec.training
    if isinstance(t.warmup, int) and t.max_steps is not None and t.warmup >= t.max_steps:
        yield "training.warmup", f"warmup takes {t.warmup} of {t.max_steps} steps", "a percentage such as 3% fits"


_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")


@rule("TF120", "neither a hub id nor a path")
def ids_are_ids(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """A model or tokenizer is a hub id (`owner/name`) or a folder. Which of the two is told from the text alone, never
    from what lies on the disk: a folder begins with `./`, `../` or `/`.

    Fix: put `./` before a folder's name.
    """
    for path, text in (("model.id", spec.model.id), ("model.tokenizer", spec.model.tokenizer)):
        if text and not is_local(text) and not _HUB_ID.fullmatch(text):
            hint = "write the path from this file or from /" if text.startswith("~") else f"a folder is `./{text}`"
            yield path, f"`{text}` is neither a hub id (`owner/name`) nor a folder", hint
    for source in spec.data.train:
        if source.id and not _HUB_ID.fullmatch(source.id):
            yield "data.train", f"`{source.id}` is no hub dataset id (`owner/name`)", "a file is `path: ...`"


@rule("TF121", "a remote revision of a local folder")
def revision_is_remote(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """A revision is a branch, tag or commit of a hub repository; a folder has none.

    Fix: remove `model.revision`.
    """
    if spec.model.revision and is_local(spec.model.id):
        yield "model.revision", "a local folder has no revision", "remove it"
