"""Spec to plan: every value settled, each with its origin."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from .bundle_paths import from_bundle, rewards, sources
from .data import TRAINABLE
from .fields import PATH, PATH_OR_ID, Section, is_local, unescape
from .language import marked_paths, section_of
from .load import Document
from .method import REWARDED
from .optimization import DTYPES, SCHEDULER_ARGUMENTS, SHARDED, optimizer_arguments
from .plan import DataFacts, Kind, Origin, Plan, Value
from .rules.base import written
from .spec import Spec

MICRO_BATCH_MAX = 4
# Peak learning rates by method and whether all weights are trained. Sources: LoRA wants about ten times full
# tuning's rate (https://thinkingmachines.ai/blog/lora/); 2e-5 and 1e-6 are TRL's own for SFT and for the others.
LEARNING_RATES = {
    **dict.fromkeys(("sft", "pretrain"), (2e-4, 2e-5)),
    **dict.fromkeys(("dpo", "kto", "orpo", "grpo", "rft"), (1e-5, 1e-6)),
}
LOSS_ON = {shape: words[0] for shape, words in TRAINABLE.items()}


@dataclass(frozen=True, slots=True)
class Context:
    """What lowering needs beside the spec.

    `up` leads from the bundle's folder to the folder of the spec, with forward slashes (`../../..`).
    """

    label: str
    target: str
    facts: DataFacts
    today: date
    newest: str  # the version of the target that a block without `version:` gets
    up: str = "../../.."
    start_from: str | None = None  # the result of the stage before, as the bundle sees it


def lower(document: Document, context: Context) -> Plan:
    """Settle everything. The document must have passed every rule."""
    spec = document.spec
    assert spec is not None, "lower() takes a document without errors"
    return _Lowering(document, spec, context).plan()


class _Lowering:
    def __init__(self, document: Document, spec: Spec, context: Context) -> None:
        self.document, self.spec, self.context = document, spec, context
        self.values: dict[str, Value] = {}
        self.written = written(spec)

    def plan(self) -> Plan:
        self._copy(self.spec, "")
        self._model()
        self._method()
        self._batch()
        self._training()
        self._rewards()
        self._data()
        self._intervals()
        self._tracking()
        self._steps()
        target = self.spec.targets[self.context.label]
        self._version(target.version)
        return Plan(self.values, self.context.label, self.context.target, _unescaped(target.extra))

    def _version(self, written: str | None) -> None:
        place, path = f"targets.{self.context.label}.version", "target.version"
        if written is None:
            how = f"the newest of {self.context.target} that Tuneform writes for"
            self.values[path] = Value(self.context.newest, Origin("derived", place, how))
        else:
            self.values[path] = Value(written, Origin("spec", place))

    # What the user wrote, and the language's defaults

    def _copy(self, section: Section, prefix: str) -> None:
        for name, info in type(section).model_fields.items():
            path, value = f"{prefix}{name}", getattr(section, name)
            if path in ("targets", "extends", "method", "stages"):
                continue
            if isinstance(value, Section):
                self._copy(value, f"{path}.")
            elif section_of(info.annotation)[0] is None:
                self._put(path, value, path)

    def _put(self, path: str, value: Any, origin: str) -> None:
        kind: Kind = "spec" if origin in self.written else "default"
        self.values[path] = Value(value, Origin(kind, origin))

    def _derive(self, path: str, value: Any, how: str) -> None:
        self.values[path] = Value(value, Origin("derived", path, how))

    def _settle(self, path: str, value: Any, how: str) -> None:
        """Derive a value that the user left open."""
        if self.values[path].value is None:
            self._derive(path, value, how)

    def __getitem__(self, path: str) -> Any:
        return self.values[path].value

    def _drop(self, *paths: str) -> None:
        """Take out what does not apply: a path, or everything under it."""
        below = tuple(f"{path}." for path in paths)
        for known in [p for p in self.values if p in paths or p.startswith(below)]:
            del self.values[known]

    # Sections

    def _model(self) -> None:
        for path in ("model.id", "model.tokenizer", "model.chat_template", "model.start_from"):
            if self[path] is not None:
                self.values[path] = Value(self._from_bundle(path, self[path]), self.values[path].origin)
        if self.context.start_from is not None:
            self._settle("model.start_from", self.context.start_from, "the result of the stage before")
        full, kind = self["adapter.type"] == "full", self["adapter.type"]
        precision = "bf16" if self["hardware.device"] == "cuda" else "fp32"
        self._settle("training.precision", precision, f"{precision} on {self['hardware.device']}")
        dtype = "float32" if full else DTYPES[self["training.precision"]]
        how = (
            "weights that are trained are kept in float32"
            if full
            else f"training.precision {self['training.precision']}"
        )
        self._settle("model.dtype", dtype, how)
        own = "model.start_from" if self["model.start_from"] else "model.id"
        self._settle("model.tokenizer", self[own], f"{own}: the model's own tokenizer")
        if full:
            self._drop(*[p for p in self.values if p.startswith("adapter.") and p != "adapter.type"])
        if kind != "qlora":
            self._drop("adapter.quantization")
        elif self["adapter.quantization.bits"] == 8:
            self._drop(*[f"adapter.quantization.{name}" for name in ("type", "double_quant", "compute_dtype")])
        else:
            compute = DTYPES[self["training.precision"]]
            self._settle(
                "adapter.quantization.compute_dtype", compute, f"training.precision {self['training.precision']}"
            )

    def _from_bundle(self, path: str, text: str) -> str:
        """A path as the bundle sees it; hub ids stay."""
        if path in marked_paths(PATH_OR_ID) and not is_local(text):
            return text
        assert path in marked_paths(PATH) | marked_paths(PATH_OR_ID)
        return from_bundle(self.document, path.split("."), text, self.context.up)

    def _method(self) -> None:
        name = self.spec.method.name
        self.values["method"] = Value(name, Origin("spec", "method"))
        self._drop(*[f"method.{other}" for other in type(self.spec.method).model_fields if other != name])
        for key in type(self.spec.method.settings).model_fields:
            path = f"method.{name}.{key}"
            self._put(path, getattr(self.spec.method.settings, key), path)
        if name == "dpo" and self["method.dpo.loss_type"] not in ("robust", "exo_pair"):
            self._drop("method.dpo.label_smoothing")
        if name == "grpo":
            self._settle("method.grpo.epsilon_high", self["method.grpo.epsilon"], "method.grpo.epsilon")

    def _batch(self) -> None:
        devices = self["hardware.count"] * self["hardware.nodes"]
        size, unit = sequences(self.spec)
        share = size // devices
        micro = max(d for d in range(1, MICRO_BATCH_MAX + 1) if share % d == 0)
        how = f"largest divisor of {unit} / {devices} up to {MICRO_BATCH_MAX}"
        self._settle("training.micro_batch_size", micro, how)
        micro = self["training.micro_batch_size"]
        formula = f"{unit} / ({devices} devices x {micro})"
        self._derive("training.gradient_accumulation_steps", share // micro, formula)
        self._derive("hardware.world_size", devices, "hardware.nodes x hardware.count")
        if self["hardware.strategy"] == "auto":
            self._derive("hardware.strategy", "ddp" if devices > 1 else "none", f"auto, {devices} devices")
        self._drop(*[f"hardware.{name}" for name in SHARDED if name != self["hardware.strategy"]])

    def _training(self) -> None:
        full = self["adapter.type"] == "full"
        rate = LEARNING_RATES[self["method"]][full]
        self._settle("training.learning_rate", rate, f"{self['method']} with {self['adapter.type']}")
        if self["training.max_steps"] is not None:
            self._drop("training.epochs")
        self._keep("training.scheduler", SCHEDULER_ARGUMENTS.get(self["training.scheduler.name"], ()))
        self._keep("training.optimizer", optimizer_arguments(self["training.optimizer.name"]))
        if not self["training.packing"]:
            self._drop("training.packing_strategy")

    def _keep(self, section: str, arguments: Sequence[str]) -> None:
        """Of a section, only its name and these arguments apply."""
        kept = {f"{section}.{name}" for name in ("name", *arguments)}
        self._drop(*[path for path in self.values if path.startswith(f"{section}.") and path not in kept])

    def _rewards(self) -> None:
        self._drop("rewards")
        if self["method"] in REWARDED:
            self._put("rewards", rewards(self.document, self.context.up), "rewards")
        else:
            self._drop("logging.completions")

    def _data(self) -> None:
        spec, shape = self.spec.data, self.context.facts.shape
        self._put("data.train", sources(self.document, "data.train", self.context.up), "data.train")
        if spec.eval and spec.eval.sources:
            self._put("data.eval", sources(self.document, "data.eval", self.context.up), "data.eval")
            self._drop("data.eval.split", "data.eval.seed", "data.eval.stratify")
        if spec.test:
            self._put("data.test", sources(self.document, "data.test", self.context.up), "data.test")
        assert shape is not None, "the shape of the rows is known before lowering"
        self._derive("data.shape", shape, "what the rows are once they are converted")
        if self["method"] in ("sft", "pretrain"):
            self._settle("data.loss_on", LOSS_ON[shape], f"{shape} rows")
        else:
            self._drop("data.loss_on", "training.packing", "training.packing_strategy")
        if self["method"] in REWARDED:
            self._drop("data.masks", "training.group_by_length", "training.neftune_noise_alpha")
        if self.spec.saving.hub_model_id is None:
            self._drop("saving.hub_private")

    def _intervals(self) -> None:
        evaluated = self.spec.data.eval is not None
        if not evaluated:
            self._drop("evaluation")
        elif self["method"] in REWARDED:
            self._drop("evaluation.micro_batch_size")
        else:
            path = "training.micro_batch_size"
            self._settle("evaluation.micro_batch_size", self[path], path)
        if not evaluated or self.spec.evaluation.early_stopping is None:
            self._drop("evaluation.early_stopping")
        else:
            metric = "reward" if self["method"] in REWARDED else "loss"
            self._settle("evaluation.early_stopping.metric", metric, self["method"])
        if evaluated:
            self._settle("saving.every", self["evaluation.every"], "evaluation.every")
        self._settle("saving.every", "epoch", "no evaluation rows")

    def _tracking(self) -> None:
        names = tuple(name for name in type(self.spec.tracking).model_fields if getattr(self.spec.tracking, name))
        self._put("tracking", names, "tracking")

    def _steps(self) -> None:
        """Optimizer steps, as transformers counts them: an epoch has ceil(micro batches / accumulation).

        Source: transformers' Trainer.set_initial_training_values.
        """
        rows, path = self.context.facts.rows_train, "training.total_steps"
        if self["training.max_steps"] is not None:
            self._derive(path, self["training.max_steps"], "training.max_steps")
        elif rows is None or self.spec.training.packing:
            why = "packing decides how many sequences the rows make" if rows else "the rows are not counted yet"
            self._derive(path, None, f"unknown: {why}")
        else:
            left, most = self._rows_left(rows)
            each = self._steps_an_epoch(left)
            total = math.ceil(self["training.epochs"] * each)
            self._derive(path, total, f"{self['training.epochs']:g} x {each} steps for {left} rows{most}")
        self._warmup(self[path])

    def _rows_left(self, rows: int) -> tuple[int, str]:
        """Rows that are trained on, where their tokens are known for certain; and the words for it."""
        tokens = self.context.facts.tokens
        if tokens is None or not tokens.exact:
            return rows, "; fewer where long rows are dropped" if self["training.on_too_long"] == "drop" else ""
        skipped = tokens.rows_unfit if self["data.on_bad_row"] == "skip" else 0
        left = rows - tokens.rows_dropped - skipped
        return left, f"; {rows - left} of {rows} are dropped" if left < rows else ""

    def _steps_an_epoch(self, rows: int) -> int:
        if self["method"] in REWARDED:  # whole batches of prompts only (TRL's RepeatSampler)
            iterations = self.spec.method.grpo.num_iterations if self.spec.method.grpo else 1
            return int(rows // self["training.batch_size"] * iterations)
        micro = math.ceil(rows / (self["training.micro_batch_size"] * self["hardware.world_size"]))
        return int(max(math.ceil(micro / self["training.gradient_accumulation_steps"]), 1))

    def _warmup(self, total: int | None) -> None:
        warmup = self["training.warmup"]
        if isinstance(warmup, int):
            self._derive("training.warmup_steps", warmup, "training.warmup")
            if "training.scheduler.timescale" in self.values:
                self._settle("training.scheduler.timescale", warmup or 10_000, "the warmup steps, or 10000 without")
        elif total is None:
            self._derive("training.warmup_steps", None, f"{warmup} of a number of steps not known yet")
        else:
            steps = math.ceil(total * float(warmup[:-1]) / 100)
            self._derive("training.warmup_steps", steps, f"{warmup} of {total} steps, rounded up")


def sequences(spec: Spec) -> tuple[int, str]:
    """Sequences an optimizer step, and the sum in words: rows, or with grpo the answers sampled for them."""
    size = spec.training.batch_size
    if spec.method.grpo:
        answers = spec.method.grpo.num_generations
        return size * answers, f"{size} prompts x {answers} answers"
    return size, str(size)


def _unescaped(value: Any) -> Any:
    """`$${` is `${` in native keys, too."""
    if isinstance(value, dict):
        return {key: _unescaped(v) for key, v in value.items()}
    if isinstance(value, tuple):
        return tuple(_unescaped(v) for v in value)
    return unescape(value) if isinstance(value, str) else value
