"""Rules over several fields. Each is a function with one code; its docstring is what `tuneform explain` prints.

A rule yields problems as (path, message, hint); the decorator adds code, level and place.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .diagnostics import Diagnostic, Level
from .fields import is_local
from .load import Document
from .method import REWARDED
from .optimization import SCHEDULER_ARGUMENTS, optimizer_arguments
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
    a multiple of the devices, and of `micro_batch_size` x devices where that is set. With grpo it is the answers
    sampled for these rows that must be. Tuneform never rounds it.

    Fix: take one of the sizes that the message lists.
    """
    t, devices = spec.training, spec.hardware.count * spec.hardware.nodes
    micro = t.micro_batch_size or 1
    answers = spec.method.grpo.num_generations if spec.method.grpo else 1
    if t.batch_size * answers % (devices * micro):
        what = f"{devices} {'device' if devices == 1 else 'devices'}"
        what += f" x micro_batch_size {micro}" if t.micro_batch_size else ""
        unit = devices * micro // math.gcd(devices * micro, answers)
        low, high = t.batch_size // unit * unit, -(-t.batch_size // unit) * unit
        would = f"{low} or {high}" if low else f"{high}"
        each = f" x {answers} answers" if answers > 1 else ""
        yield "training.batch_size", f"batch_size {t.batch_size}{each} does not divide by {what}", f"{would} would"


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
    dead += _dead_arguments(spec)
    dead += _dead_by_method(spec)
    strategy, packing = spec.hardware.strategy, spec.training.packing
    for name in ("fsdp", "deepspeed"):
        dead.append((strategy != name, f"hardware.{name}", f"`hardware.strategy` is `{strategy}`"))
    stage = spec.hardware.deepspeed.stage
    dead.append((stage != 3, "hardware.deepspeed.offload_param", f"ZeRO stage {stage} does not shard the weights"))
    dead.append((not packing, "training.packing_strategy", "`training.packing` is off"))
    dead.append((spec.saving.hub_model_id is None, "saving.hub_private", "there is no `saving.hub_model_id`"))
    for ruled_out, path, why in dead:
        if ruled_out and path in paths:
            yield path, f"`{path}` has no effect: {why}", "remove it"


Dead = list[tuple[bool, str, str]]


def _dead_arguments(spec: Spec) -> Dead:
    """Fields of a scheduler or an optimizer that one of that name does not take."""
    found: Dead = []
    for section, value, takes in (
        ("scheduler", spec.training.scheduler, SCHEDULER_ARGUMENTS.get(spec.training.scheduler.name, ())),
        ("optimizer", spec.training.optimizer, optimizer_arguments(spec.training.optimizer.name)),
    ):
        names = [n for n in type(value).model_fields if n not in ("name", *takes)]
        found += [(True, f"training.{section}.{n}", f"`{value.name}` has none") for n in names]
    return found


def _dead_by_method(spec: Spec) -> Dead:
    """Fields that one method's settings or another method rules out."""
    m, name = spec.method, spec.method.name
    found: Dead = [(name not in REWARDED, "rewards", f"{name} samples no answers to score")]
    found.append((name not in REWARDED, "logging.completions", f"{name} samples no answers"))
    if m.dpo:
        smooth = m.dpo.loss_type in ("robust", "exo_pair")
        found.append((not smooth, "method.dpo.label_smoothing", f"`loss_type` is `{m.dpo.loss_type}`, not `robust`"))
    if name in REWARDED:
        paths = ("data.loss_on", "data.masks", "training.group_by_length", "training.neftune_noise_alpha")
        found += [(True, path, f"{name} samples what it trains") for path in paths]
    elif name not in ("sft", "pretrain"):
        found.append((True, "data.loss_on", f"{name} compares whole answers"))
    return found


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
    """Packing puts several rows into one sequence. Preference methods compare answers as wholes, and grpo samples
    them: they cannot pack.

    Fix: remove `training.packing`.
    """
    name = spec.method.name
    if spec.training.packing and name not in ("sft", "pretrain"):
        does = "samples answers" if name in REWARDED else "compares whole answers"
        yield "training.packing", f"{name} {does} and cannot pack rows", "remove `packing`"


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
    optimizer = spec.training.optimizer.name
    if any(word in optimizer for word in ("8bit", "paged", "lion")):
        yield "training.optimizer.name", f"{optimizer} needs a CUDA device, not {device}", "adamw_torch works there"
    if spec.training.liger_kernel:
        yield "training.liger_kernel", f"Liger's kernels need a CUDA device, not {device}", "remove it"
    if spec.hardware.strategy in ("fsdp", "deepspeed"):
        message = f"{spec.hardware.strategy} shards over CUDA devices, not {device}"
        yield "hardware.strategy", message, "ddp works there"
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


@rule("TF122", "rewards are missing or wrong")
def rewards_fit(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """grpo and rft learn from a number for each answer: at least one reward. A regular expression must be one that
    Python's `re` takes, and a JSON Schema one that JSON Schema itself allows.

    Fix: add `rewards`, for example `rewards: [{exact_match: answer}]`.
    """
    name = spec.method.name
    if name in REWARDED and not spec.rewards:
        yield "method", f"{name} needs `rewards`", "for example `rewards: [{exact_match: answer}]`"
    for index, reward in enumerate(spec.rewards):
        if reward.regex and (wrong := _wrong_regex(reward.regex.pattern)):
            yield f"rewards[{index}].regex", f"no regular expression: {wrong}", None
        if reward.length and reward.length.max is not None and reward.length.max < reward.length.min:
            yield f"rewards[{index}].length", "`max` is below `min`, so that no answer would fit", "exchange them"
        if reward.file is None and "function" in reward.model_fields_set:
            yield f"rewards[{index}].function", "`function` belongs to a `file`", "add `file: rewards.py`"


def _wrong_regex(pattern: str) -> str:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return str(error)
    return ""


@rule("TF123", "a row cannot be cut or is too short for the answers")
def lengths_fit(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """With grpo, `training.max_length` holds a prompt and the answer that is sampled for it. A prompt is never cut,
    since a cut one asks something else.

    Fix: a larger `training.max_length`, or a smaller `max_completion_length`; `on_too_long: drop` or `error`.
    """
    if spec.method.grpo is None:
        return
    answer, whole = spec.method.grpo.max_completion_length, spec.training.max_length
    if answer >= whole:
        path = "method.grpo.max_completion_length"
        message = f"answers of {answer} tokens leave no room for a prompt in max_length {whole}"
        yield path if path in paths else "training.max_length", message, f"a max_length above {answer}"
    if spec.training.on_too_long == "truncate":
        yield "training.on_too_long", "a prompt that is cut asks something else", "`drop` or `error`"


@rule("TF124", "a schedule without its length")
def schedule_is_whole(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """`warmup_stable_decay` rises, stays, and falls over its last `decay_steps`, so it must be told how many.

    Fix: add `decay_steps`, commonly a tenth to a fifth of all steps.
    """
    schedule = spec.training.scheduler
    if schedule.name == "warmup_stable_decay" and schedule.decay_steps is None:
        yield "training.scheduler", "`warmup_stable_decay` needs `decay_steps`", "a tenth of all steps is common"


@rule("TF125", "a metric that the method does not have")
def metric_fits(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """Early stopping watches `loss`, or with grpo and rft `reward`: the loss of sampled answers says nothing of how
    good they are.

    Fix: remove `metric`; the right one is taken.
    """
    stopping = spec.evaluation.early_stopping
    metric = stopping.metric if stopping else None
    if metric is not None and (metric == "reward") != (spec.method.name in REWARDED):
        other = "loss" if metric == "reward" else "reward"
        message = f"{spec.method.name} is not judged by its {metric}"
        yield "evaluation.early_stopping.metric", message, f"`{other}`, which is the default"


@rule("TF126", "kto has an order of its own")
def kto_order(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """Neighbours in a KTO batch give its KL term, so its rows have one order; batches of similar length would be
    another.

    Fix: remove `group_by_length`, or use `loss_type: apo_zero_unpaired`.
    """
    if spec.training.group_by_length and spec.method.kto and spec.method.kto.loss_type == "kto":
        hint = "remove it, or use `loss_type: apo_zero_unpaired`"
        yield "training.group_by_length", "kto pairs rows that stand beside each other", hint
