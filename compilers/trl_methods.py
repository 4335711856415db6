"""What each method is in TRL: its classes, the rows it takes, and its own keywords.

Source: TRL 1.16.0 (trl_older.py has what older ones do otherwise), https://huggingface.co/docs/trl/v1.16.0
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..spec.plan import Plan
from .native import native_schema
from .settings import Setting, take


@dataclass(frozen=True, slots=True)
class TrlMethod:
    """A trainer class of TRL. `prefix` begins the names of it and of its config."""

    prefix: str
    title: str
    module: str = "trl"
    pinned: Mapping[str, Any] = field(default_factory=dict)  # TRL's own defaults that no field of the spec rules

    @property
    def config(self) -> str:
        return f"{self.prefix}Config"

    @property
    def trainer(self) -> str:
        return f"{self.prefix}Trainer"


_SFT = {"loss_type": "nll", "padding_free": False, "shuffle_dataset": False}
_REFERENCE = {"disable_dropout": True, "sync_ref_model": False}
METHODS: Mapping[str, TrlMethod] = {
    "sft": TrlMethod("SFT", "SFT", pinned=_SFT),
    "pretrain": TrlMethod("SFT", "pretraining", pinned=_SFT),
    "dpo": TrlMethod("DPO", "DPO", pinned=_REFERENCE | {"f_divergence_type": "reverse_kl", "use_weighting": False}),
    "kto": TrlMethod("KTO", "KTO", pinned=_REFERENCE),
    "orpo": TrlMethod("ORPO", "ORPO", "trl.experimental.orpo", {"disable_dropout": True}),
    "grpo": TrlMethod(
        "GRPO",
        "GRPO",
        pinned={
            "disable_dropout": False,
            "remove_unused_columns": False,
            "multi_objective_aggregation": "sum_then_normalize",
            "top_entropy_quantile": 1.0,
            "entropy_coef": 0.0,
            "use_bias_correction_kl": True,
            "sync_ref_model": False,
            "use_vllm": False,
            "sapo_temperature_pos": 1.0,
            "sapo_temperature_neg": 1.05,
        },
    ),
}


def method_settings(plan: Plan) -> list[Setting]:
    """Keywords of the method's own block."""
    own = {"dpo": _dpo, "grpo": _grpo}.get(plan["method"], _as_they_are)
    return [*own(plan), *[where_there_is_one(plan, key) for key in ("activation_offloading", "router_aux_loss_coef")]]


def where_there_is_one(plan: Plan, key: str) -> Setting:
    """A field of `training` that not every config class of TRL has a keyword for."""
    path, config = f"training.{key}", METHODS[plan["method"]].config
    if key in native_schema("trl_keys.json", config):
        return take(plan, key, path)
    return Setting(key, None, (path,), f"{config} has none", fidelity="unsupported" if plan[path] else "exact")


def _as_they_are(plan: Plan) -> list[Setting]:
    prefix = f"method.{plan['method']}."
    return [take(plan, path.removeprefix(prefix), path) for path in plan if path.startswith(prefix)]


def _dpo(plan: Plan) -> list[Setting]:
    found = [take(plan, "beta", "method.dpo.beta")]
    if alpha := plan["method.dpo.rpo_alpha"]:
        losses = [plan["method.dpo.loss_type"], "sft"]
        found.append(Setting("loss_type", losses, ("method.dpo.loss_type", "method.dpo.rpo_alpha")))
        found.append(Setting("loss_weights", [1.0, alpha], ("method.dpo.rpo_alpha",), "the loss_type, and rpo_alpha"))
    else:
        found.append(take(plan, "loss_type", "method.dpo.loss_type"))
        found.append(Setting("loss_weights", None, ("method.dpo.rpo_alpha",), "one loss"))
    found.append(take(plan, "precompute_ref_log_probs", "method.dpo.precompute_ref_log_probs"))
    path = "method.dpo.label_smoothing"
    return [*found, take(plan, "label_smoothing", path)] if path in plan else found


def _grpo(plan: Plan) -> list[Setting]:
    found = _as_they_are(plan)
    found.append(Setting("shuffle_dataset", plan["data.shuffle"], ("data.shuffle",)))
    found.append(Setting("reward_weights", [r["weight"] for r in plan["rewards"]], ("rewards",), "weights of rewards"))
    found.append(take(plan, "log_completions", "logging.completions"))
    if "evaluation.every" in plan:
        why = "as many answers as in training; a device evaluates those of one prompt at once"
        answers = plan["method.grpo.num_generations"]
        found.append(Setting("per_device_eval_batch_size", answers, ("method.grpo.num_generations",), why))
    return found
