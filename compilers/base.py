"""What a compiler gives: a bundle of files, how to run it, and where each value came from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from ..spec.diagnostics import Diagnostic
from ..spec.fields import Section
from ..spec.plan import Origin, Plan
from .native import Schema
from .settings import Fate, Groups, carried


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
    needs: tuple[str, ...] = ()  # names of environment variables that must be set
    inputs: tuple[str, ...] = ()  # folders that must be there, as the bundle sees them: results of earlier runs
    total_steps: int | None = None
    max_hours: float | None = None


@dataclass(frozen=True, slots=True)
class DataStep:
    """A data file that the caller writes into the bundle; `emit` stays pure.

    `split` is train, eval or test. `shape` is how rows are written, one of those in spec/rows/shapes.py.
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
    copies: tuple[tuple[str, str], ...] = ()  # a file as the bundle sees it -> where in the bundle it is copied to
    made: tuple[str, ...] = ()  # folders that a run makes in the bundle; version control leaves them out


class Options(Section):
    """The typed keys of a target's own block. A target that has some subclasses this."""


class Trainer(ABC):
    """A trainer of open weights that runs as a local process.

    A trainer says in `groups` which keyword carries which path of the plan, and in `outside` which paths take effect
    elsewhere. A path in neither is unsupported: forgetting one makes a warning, never a silent loss.
    """

    name: ClassVar[str]  # equal to the module's name
    versions: ClassVar[tuple[str, ...]]  # that bundles are written and tested for, the newest first
    refused_versions: ClassVar[Mapping[str, str]] = {}  # version -> why there is none for it
    options: ClassVar[type[Options]] = Options
    output: ClassVar[str]  # the folder of a bundle that the trained model lies in, at the end
    methods: ClassVar[tuple[str, ...]]
    owned: ClassVar[Mapping[str, str]] = {}  # native key that no artifact has -> the path that rules it all the same
    refused: ClassVar[Mapping[str, str]] = {}  # method -> why this target does not do it, though the tool may
    outside: ClassVar[Mapping[str, str]]  # plan path -> where it takes effect
    unsupported: ClassVar[Mapping[str, str]] = {}  # plan path -> why this target cannot carry it

    @abstractmethod
    def emit(self, plan: Plan) -> Bundle:
        """Turn a plan into files. Pure: no clock, no network, no disk but Tuneform's own templates."""

    @abstractmethod
    def groups(self, plan: Plan) -> Groups:
        """Every call of the artifact with its keywords."""

    @abstractmethod
    def check(self, plan: Plan) -> Iterator[Diagnostic]:
        """Name what this target would do otherwise than the plan says, beyond what `unsupported` tells."""

    @abstractmethod
    def native(self, plan: Plan) -> Mapping[str, Schema]:
        """The calls that `extra:` goes to, each with the keys that it knows."""

    def written_for(self, plan: Plan) -> str:
        """The trainer and its version, as a requirement."""
        return f"{self.name}=={plan['target.version']}"

    def fates(self, plan: Plan) -> list[Fate]:
        """The fidelity table: one line for every path of the plan."""
        found = carried(self.groups(plan))
        for path in plan:
            if path in found:
                continue
            if plan[path] is None and not plan.explicit(path):
                found[path] = Fate(path, "exact", reason="not set")
            elif path in self.outside:
                found[path] = Fate(path, "outside the artifact", reason=self.outside[path])
            elif plan.origin(path).kind == "derived" and path not in self.unsupported:
                found[path] = Fate(path, "derived", reason=plan.origin(path).how)
            else:
                reason = self.unsupported.get(path, f"{self.name} has no such setting")
                found[path] = Fate(path, "unsupported", reason=reason)
        return [found[path] for path in plan]
