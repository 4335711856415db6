"""What a method is in Axolotl: its keys of config.yaml, and what plugin.py gives to TRL's trainer under it.

Source: Axolotl 0.19.0, https://docs.axolotl.ai/docs/rlhf.html; what no key reaches, core/builders/rl.py shows.
"""

from __future__ import annotations

import math

from ..spec.plan import Plan
from . import model_loading, rewards
from .axolotl_sharding import DEEPSPEED
from .settings import Setting, take
from .trl_methods import METHODS

REWARD_NAMES = "reward_names"  # the module of a bundle that has each reward under its name
COMPARED = ("dpo", "kto", "orpo")
"""The methods whose rows are answers that are compared."""
BY_TRL = (*COMPARED, "grpo")
"""The methods for which Axolotl takes TRL's trainer."""


SCALES_OR_NOT = ("0.18.0",)
"""Versions of Axolotl whose `scale_rewards` is true, for each prompt's answers, or false."""
REFUSED = {
    ("0.17.0", "kto"): "it takes KTO from TRL's experimental part, which makes rows of its own",
    ("0.17.0", "grpo"): "its TRL 1.5 lacks settings that the spec has with grpo",
}
"""Methods that a version of Axolotl is not compiled for, with the reason."""


def keys(plan: Plan) -> list[Setting]:
    """Keys of config.yaml; none for next-token losses, which are what Axolotl does without a method."""
    method = plan["method"]
    if method == "grpo":
        return [Setting("rl", method, ("method",)), _grpo(plan)]
    if method not in COMPARED:
        return []
    own = {"dpo": _dpo, "kto": _kto, "orpo": _orpo}[method]
    trainer = Setting(
        "trainer_cls", f"trainer.Prepared{METHODS[method].trainer}", (), "rows of prepare.py as they are"
    )
    kept = Setting("remove_unused_columns", False, (), "Axolotl's config model wants it with kto")
    return [Setting("rl", method, ("method",)), *own(plan), trainer, *([kept] if method == "kto" else [])]


def _dpo(plan: Plan) -> list[Setting]:
    found, alpha = [take(plan, "rl_beta", "method.dpo.beta")], plan["method.dpo.rpo_alpha"]
    losses = [plan["method.dpo.loss_type"], *(["sft"] if alpha else [])]
    found.append(Setting("dpo_loss_type", losses, ("method.dpo.loss_type", "method.dpo.rpo_alpha")))
    weights = [1.0, alpha] if alpha else None
    found.append(Setting("dpo_loss_weights", weights, ("method.dpo.rpo_alpha",), "the loss type, and rpo_alpha"))
    if (path := "method.dpo.label_smoothing") in plan:
        found.append(take(plan, "dpo_label_smoothing", path))
    return [*found, take(plan, "precompute_ref_log_probs", "method.dpo.precompute_ref_log_probs")]


def _kto(plan: Plan) -> list[Setting]:
    return [
        take(plan, "rl_beta", "method.kto.beta"),
        take(plan, "kto_desirable_weight", "method.kto.desirable_weight"),
        take(plan, "kto_undesirable_weight", "method.kto.undesirable_weight"),
    ]


def _orpo(plan: Plan) -> list[Setting]:
    return [take(plan, "orpo_alpha", "method.orpo.beta")]


# Fields of `method.grpo` that Axolotl's block `trl` has under the same names.
_SAMPLED = (
    *("beta", "num_generations", "max_completion_length", "temperature", "top_p", "top_k", "min_p"),
    *("repetition_penalty", "epsilon", "epsilon_high", "loss_type", "scale_rewards", "importance_sampling_level"),
    *("num_iterations", "mask_truncated_completions"),
)


def _grpo(plan: Plan) -> Setting:
    value = {"use_vllm": False, **{name: plan[f"method.grpo.{name}"] for name in _SAMPLED}}
    if plan["target.version"] in SCALES_OR_NOT:
        value["scale_rewards"] = plan["method.grpo.scale_rewards"] != "none"
    value["reward_funcs"] = [f"{REWARD_NAMES}.{name}" for name in rewards.names(plan["rewards"])]
    value["reward_weights"] = [float(reward["weight"]) for reward in plan["rewards"]]
    value["log_completions"] = plan["logging.completions"]
    whole = ("training.micro_batch_size", "training.gradient_accumulation_steps", "hardware.world_size")
    value["generation_batch_size"] = math.prod(plan[path] for path in whole)
    paths = (*[f"method.grpo.{name}" for name in _SAMPLED], "rewards", "logging.completions", *whole)
    return Setting("trl", {key: own for key, own in value.items() if own is not None}, paths)


def evaluated_at_once(plan: Plan) -> list[Setting]:
    """With grpo, the answers to one prompt."""
    if plan["method"] != "grpo" or "evaluation.every" not in plan:
        return []
    return [take(plan, "eval_batch_size", "method.grpo.num_generations")]


def arguments(plan: Plan) -> list[Setting]:
    """Arguments of TRL's config that Axolotl has no key for, or does not pass on."""
    method = plan["method"]
    if method not in BY_TRL:
        return []
    pinned = {k: v for k, v in METHODS[method].pinned.items() if f"{method}_{k}" not in plan.extra}
    found = [Setting(k, v, (), "TRL's default, written out") for k, v in pinned.items()]
    found.append(Setting("dataloader_drop_last", False, (), "TRL's default, written out"))
    if plan.get("training.neftune_noise_alpha") is not None:
        found.append(take(plan, "neftune_noise_alpha", "training.neftune_noise_alpha"))
    if plan["hardware.strategy"] == "deepspeed":
        found.append(Setting("deepspeed", DEEPSPEED, ("hardware.strategy",)))
    if method == "kto":
        found += [take(plan, key, f"method.kto.{key}") for key in ("loss_type", "precompute_ref_log_probs")]
    if method == "grpo":
        found.append(Setting("shuffle_dataset", plan["data.shuffle"], ("data.shuffle",)))
    if method != "orpo" and plan["training.router_aux_loss_coef"] is not None:
        found.append(take(plan, "router_aux_loss_coef", "training.router_aux_loss_coef"))
    if plan["adapter.type"] == "full" and (method == "kto" or plan.get("method.grpo.beta")):
        init, trusted = model_loading.model_init(plan), take(plan, "trust_remote_code", "model.trust_remote_code")
        found += [Setting(s.key, s.value, s.paths, "of the reference, which TRL loads") for s in (init, trusted)]
    return found
