"""The root of the language."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from .data import Data
from .fields import Line, PathStr, Section
from .hardware import Budget, Hardware
from .method import Method
from .model import Adapter, Model
from .rewards import Reward
from .stages import LABEL
from .training import Evaluation, Logging, Saving, Tracking, Training

Label = Annotated[str, StringConstraints(pattern=LABEL)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$")]


class Target(Section):
    """What the spec is compiled for. Further keys are the target's own options."""

    model_config = ConfigDict(extra="allow")

    target: Line | None = Field(default=None, json_schema_extra={"x-default": "the block's label"})
    """Which target this is."""
    version: Line | None = Field(default=None, json_schema_extra={"x-default": "the newest that Tuneform writes for"})
    """Which version of the trainer the bundle is for: `1.9.0`. See docs/versions.md for those that there are."""
    set: dict[str, Any] = Field(default_factory=dict)
    """Values of the spec that differ for this target: `{training.learning_rate: 1e-5}`; `null` removes a key."""
    accept: tuple[Line, ...] = ()
    """Paths of fields whose loss on this target is agreed, and codes of advice that is (`TF131`)."""
    extra: dict[str, Any] = Field(default_factory=dict)
    """The target's native keys, checked against its own schema."""

    @model_validator(mode="before")
    @classmethod
    def _empty(cls, value: Any) -> Any:
        return {} if value is None else value


class Spec(Section):
    """What to fine-tune, on what, and how."""

    version: Literal[1]
    """Version of this language."""
    name: Name
    """Name of the bundle, the runs and the jobs: lower-case letters, digits, `.`, `_` and `-`."""
    extends: PathStr | tuple[PathStr, ...] | None = None
    """Specs that this one builds on: mappings are merged, lists replaced, `null` removes a key."""
    model: Model
    """The base model."""
    method: Method
    """The objective."""
    adapter: Adapter = Adapter.model_construct()
    """Which weights are trained."""
    data: Data
    """The rows."""
    rewards: tuple[Reward, ...] = ()
    """What sampled answers are scored by (grpo and rft)."""
    training: Training = Training.model_construct()
    """How the weights are updated."""
    evaluation: Evaluation = Evaluation.model_construct()
    """Evaluation while training."""
    saving: Saving = Saving.model_construct()
    """Checkpoints and the final model."""
    logging: Logging = Logging.model_construct()
    """Metrics while training."""
    tracking: Tracking = Tracking.model_construct()
    """Where else metrics go."""
    hardware: Hardware = Hardware.model_construct()
    """What the run is made for."""
    budget: Budget = Budget.model_construct()
    """Limits that stop or refuse a run."""
    stages: dict[Label, dict[str, Any]] = Field(default_factory=dict)
    """Several runs in order, each with what it has otherwise than the rest of the spec: `{sft: {...}, dpo: {...}}`.
    Each starts from the result of the one before."""
    targets: Annotated[dict[Label, Target], Field(min_length=1)]
    """What to compile for; each key is a label, and also the target unless `target:` names another."""
