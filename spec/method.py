"""`method`: the objective, with its own settings."""

from typing import Any, ClassVar, Literal, cast

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from .fields import Section, derived

MethodName = Literal["sft", "pretrain", "dpo", "kto", "orpo", "grpo", "rft"]
ALIASES = {"cpt": "pretrain"}
REWARDED = ("grpo", "rft")
"""The methods that generate answers and learn from `rewards`."""
PREFERENCE = ("dpo", "kto", "orpo")
"""The methods that learn which of two answers is better, or whether one is good."""


class Sft(Section):
    """Supervised fine-tuning: next-token loss over the answers."""


class Pretrain(Section):
    """Continued pretraining: next-token loss over all of a text (`cpt`)."""


class Dpo(Section):
    """Direct preference optimization (https://arxiv.org/abs/2305.18290)."""

    beta: float = Field(default=0.1, gt=0)
    """Strength of the pull to the reference model; with `ipo` it is the paper's tau."""
    loss_type: Literal[
        "sigmoid",
        "hinge",
        "ipo",
        "exo_pair",
        "nca_pair",
        "robust",
        "bco_pair",
        "sppo_hard",
        "aot",
        "apo_zero",
        "apo_down",
        "sigmoid_norm",
    ] = "sigmoid"
    """Loss on the difference of rewards, by TRL's names; `sigmoid` is the paper's."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=0.5)
    """Share of labels taken to be flipped; used by `robust` and `exo_pair`."""
    rpo_alpha: float = Field(default=0.0, ge=0)
    """Weight of a next-token loss on the chosen answer, added to the preference loss
    (RPO, https://arxiv.org/abs/2404.19733); 0 adds none."""
    precompute_ref_log_probs: bool = False
    """Compute the reference model's log-probabilities once before training, instead of keeping it in memory."""


class Kto(Section):
    """Kahneman-Tversky optimization on single answers marked good or bad (https://arxiv.org/abs/2402.01306)."""

    beta: float = Field(default=0.1, gt=0)
    """Strength of the pull to the reference model."""
    loss_type: Literal["kto", "apo_zero_unpaired"] = "kto"
    """`kto` is the paper's; `apo_zero_unpaired` needs no estimate of the KL term (https://arxiv.org/abs/2408.06266)."""
    desirable_weight: float = Field(default=1.0, gt=0)
    """Weight of the loss on good answers; with bad ones it evens out unequal numbers of the two."""
    undesirable_weight: float = Field(default=1.0, gt=0)
    """Weight of the loss on bad answers."""
    precompute_ref_log_probs: bool = False
    """Compute the reference model's log-probabilities once before training, instead of keeping it in memory."""


class Orpo(Section):
    """Odds ratio preference optimization, without a reference model (https://arxiv.org/abs/2403.07691)."""

    beta: float = Field(default=0.1, gt=0)
    """Weight of the odds ratio loss beside the next-token loss (the paper's lambda)."""


class Grpo(Section):
    """Group relative policy optimization: answers are sampled, scored by `rewards`, and compared in their group
    (https://arxiv.org/abs/2402.03300)."""

    num_generations: int = Field(default=8, ge=2)
    """Answers sampled for each prompt, which are compared with each other."""
    max_completion_length: int = Field(default=512, ge=1)
    """Longest sampled answer, in tokens. A prompt may have the rest of `training.max_length`."""
    temperature: float = Field(default=1.0, gt=0)
    """Sampling temperature."""
    top_p: float = Field(default=1.0, gt=0, le=1)
    """Share of the probability that is sampled from."""
    top_k: int = Field(default=0, ge=0)
    """Number of most likely tokens that are sampled from; 0 is all."""
    min_p: float | None = Field(default=None, ge=0, le=1)
    """Tokens below this share of the most likely token's probability are not sampled."""
    repetition_penalty: float = Field(default=1.0, gt=0)
    """Penalty on tokens that have been used, while sampling; 1 is none."""
    beta: float = Field(default=0.0, ge=0)
    """Weight of the KL term; 0 needs no reference model."""
    epsilon: float = Field(default=0.2, gt=0)
    """Clipping range of the probability ratio."""
    epsilon_high: float | None = derived("epsilon", gt=0)
    """Upper clipping range where it differs (DAPO takes 0.28, https://arxiv.org/abs/2503.14476)."""
    loss_type: Literal["grpo", "dapo", "dr_grpo", "bnpo", "cispo", "sapo"] = "dapo"
    """How the loss is normalised over tokens, by TRL's names."""
    scale_rewards: Literal["group", "batch", "none"] = "group"
    """By which standard deviation rewards are divided."""
    importance_sampling_level: Literal["token", "sequence"] = "token"
    """Probability ratios by token, or one for each answer (GSPO, https://arxiv.org/abs/2507.18071)."""
    num_iterations: int = Field(default=1, ge=1)
    """Optimizer passes over each batch of answers (the paper's mu)."""
    mask_truncated_completions: bool = False
    """Leave answers that reach `max_completion_length` out of the loss."""


class Rft(Section):
    """Reinforcement fine-tuning as managed services offer it: like grpo, with `rewards` as their graders."""

    num_generations: int | None = derived("the service's own", ge=2)
    """Answers sampled for each prompt."""
    reasoning_effort: Literal["low", "medium", "high"] | None = derived("the service's own")
    """How long a reasoning model thinks while it trains."""


class Method(Section):
    """The objective: a name, or a mapping with one name and its settings (`{dpo: {beta: 0.2}}`)."""

    choices: ClassVar[bool] = True

    sft: Sft | None = None
    """Supervised fine-tuning on answers."""
    pretrain: Pretrain | None = None
    """Next-token prediction on plain text; `cpt` is the same."""
    dpo: Dpo | None = None
    """Direct preference optimization on pairs of answers."""
    kto: Kto | None = None
    """Preference optimization on single answers, marked good or bad."""
    orpo: Orpo | None = None
    """Next-token and preference loss in one, on pairs of answers, without a reference model."""
    grpo: Grpo | None = None
    """Reinforcement learning from `rewards` on sampled answers."""
    rft: Rft | None = None
    """Reinforcement fine-tuning by a managed service, from `rewards`."""

    @model_validator(mode="before")
    @classmethod
    def _one(cls, value: Any) -> Any:
        if isinstance(value, str):
            value = {value: {}}
        if isinstance(value, dict):
            value = {ALIASES.get(key, key): block for key, block in value.items()}
            if len(value) != 1:
                raise PydanticCustomError("one_method", "names exactly one method, not {n}", {"n": len(value)})
        return value

    @property
    def name(self) -> MethodName:
        """The one method that is named."""
        return cast(MethodName, next((n for n in type(self).model_fields if getattr(self, n) is not None), "sft"))

    @property
    def settings(self) -> Section:
        """The settings of that method."""
        return cast(Section, getattr(self, self.name) or Sft.model_construct())

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        found = handler(schema)
        target = handler.resolve_ref_schema(found)
        if "anyOf" not in target:
            full = {k: target[k] for k in ("properties", "additionalProperties", "type")}
            for entry in full["properties"].values():
                entry.pop("default", None)
            full |= {"minProperties": 1, "maxProperties": 1}
            target.clear()
            names = [*cls.model_fields, *ALIASES]
            target.update({"title": "Method", "description": cls.__doc__, "anyOf": [{"enum": names}, full]})
            full["properties"]["cpt"] = full["properties"]["pretrain"]
        return found
