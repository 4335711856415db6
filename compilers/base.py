"""What a compiler gives: a bundle of files, how to run it, and where each value came from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pydantic import BaseModel

from ..spec.diagnostics import Diagnostic
from ..spec.plan import Origin, Plan


@dataclass(frozen=True, slots=True)
class File:
    """A text file of a bundle; `path` is relative to the bundle, with forward slashes."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class HFTrainerMetrics:
    """How to read the metrics of a run that Hugging Face's Trainer writes.

    The trainer prints one dict a log line, without its step; the steps follow from the intervals here.
    `output` holds `checkpoint-*` folders and, at the end, `trainer_state.json` (exact values).
    """

    output: str
    logging_steps: int
    logging_first_step: bool
    eval_steps: int | None
    eval_on_start: bool
    source: Literal["hf_trainer"] = "hf_trainer"


@dataclass(frozen=True, slots=True)
class Launch:
    """Run a process in the bundle's folder. `python` as the first word is the environment's interpreter."""

    argv: tuple[str, ...]
    requirements: str  # the requirements file, relative to the bundle
    metrics: HFTrainerMetrics
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DataStep:
    """A data file that the caller writes into the bundle; `emit` stays pure.

    `split` is train, eval or test. `shape` is how rows are written: chat, prompt_completion, text, preference.
    """

    split: Literal["train", "eval", "test"]
    shape: str
    out: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """Everything that `compile` writes for one target."""

    files: tuple[File, ...]
    run: Launch
    data: tuple[DataStep, ...]
    origins: Mapping[str, Origin]  # artifact key, e.g. "train.py: SFTConfig.learning_rate"
    diagnostics: tuple[Diagnostic, ...] = ()


Fidelity = Literal["exact", "derived", "approximated", "chosen by the target", "unsupported", "outside the artifact"]


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one field of the spec on one target."""

    path: str
    fidelity: Fidelity
    keys: tuple[str, ...] = ()  # artifact keys that carry it
    reason: str = ""


class Options(BaseModel):
    """The typed keys of a target's own block. A target that has some subclasses this."""

    model_config = {"extra": "forbid", "strict": True}


class Trainer(ABC):
    """A trainer of open weights that runs as a local process."""

    name: ClassVar[str]  # equal to the module's name
    target: ClassVar[str]  # what it is written and tested against, e.g. "trl==1.16.0"
    options: ClassVar[type[Options]] = Options
    unsupported: ClassVar[Mapping[str, str]] = {}  # plan path -> why this target cannot carry it

    @abstractmethod
    def emit(self, plan: Plan) -> Bundle:
        """Turn a plan into files. Pure: no clock, no network, no disk."""

    @abstractmethod
    def check(self, plan: Plan) -> Iterator[Diagnostic]:
        """Name everything in the plan that this target would not do as the spec says."""

    @abstractmethod
    def fates(self, plan: Plan) -> list[Fate]:
        """The fidelity table: one line for each path of the plan that comes from the language."""

    @abstractmethod
    def native_schema(self) -> Mapping[str, Any]:
        """The target's own keys that `extra:` may set: name -> facts about it."""
