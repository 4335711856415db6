"""Who makes the labels, and in which order and lengths TRL takes the rows."""

from __future__ import annotations

from ..spec.method import REWARDED
from ..spec.plan import Plan
from .settings import Fidelity, Setting, take


def native_is_exact(plan: Plan) -> bool:
    """True where TRL's own labels are the spec's: every token is trained, so there is nothing to mask."""
    whole = plan["data.shape"] in ("text", "prompt_completion") and plan["data.loss_on"] == "all"
    return plan["method"] in ("sft", "pretrain") and whole


def masks(plan: Plan) -> str:
    """Who makes the labels: TRL where that is proven equal and it can treat long rows as asked, else prepare.py.

    "none" with grpo, whose answers are sampled and trained whole.
    """
    if plan["method"] in REWARDED:
        return "none"
    if plan["data.masks"] != "auto":
        return str(plan["data.masks"])
    return "native" if native_is_exact(plan) and plan["training.on_too_long"] == "truncate" else "exact"


def row_settings(plan: Plan) -> list[Setting]:
    """How TRL treats rows. Rows from prepare.py fit already, so that its own cutting does nothing."""
    if plan["method"] in REWARDED:
        return []
    found = [take(plan, "max_length", "training.max_length"), order(plan)]
    if plan["method"] not in ("sft", "pretrain"):
        return found
    if masks(plan) == "native":
        for key, tokens in (("assistant_only_loss", "assistant"), ("completion_only_loss", "completion")):
            found.append(Setting(key, plan["data.loss_on"] == tokens, ("data.loss_on",)))
        found.append(Setting("truncation_mode", "keep_start", ("training.on_too_long",)))
    found.append(take(plan, "packing", "training.packing"))
    if plan["training.packing"]:
        found.append(take(plan, "packing_strategy", "training.packing_strategy"))
        found.append(Setting("eval_packing", False, (), "evaluation is over single rows"))
    return found


def order(plan: Plan) -> Setting:
    """The sampler of training rows."""
    paths = ("data.shuffle", "training.group_by_length")
    if plan["training.group_by_length"]:
        return Setting("train_sampling_strategy", "group_by_length", paths)
    if pairs_neighbours(plan):
        why = "KTO compares each row with its neighbour, so the rows are shuffled once, before training"
        fidelity: Fidelity = "approximated" if plan["data.shuffle"] else "exact"
        return Setting("train_sampling_strategy", "sequential", paths, why, fidelity=fidelity)
    return Setting("train_sampling_strategy", "random" if plan["data.shuffle"] else "sequential", paths)


def pairs_neighbours(plan: Plan) -> bool:
    """KTO's own loss takes its KL term from each micro batch's answers, paired with the neighbours' prompts."""
    return bool(plan["method"] == "kto" and plan["method.kto.loss_type"] == "kto")


def packing_cuts(plan: Plan) -> bool:
    """Whether packing cuts rows that are too long, so that none of their tokens is lost before."""
    return bool(plan.get("training.packing") and plan["training.packing_strategy"] in ("bfd_split", "wrapped"))
