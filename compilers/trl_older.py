"""What TRL 1.9 does otherwise than 1.16: what a script says so that both train the same, and what cannot be said.

Source: the code of TRL 1.9.0 and 1.16.0. Axolotl's trainers of preferences and rewards are TRL 1.9's, and share what
cannot be said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ..spec.diagnostics import Diagnostic, Level
from ..spec.plan import Plan
from .python_code import Code
from .settings import Setting, take
from .trainer_checks import error

COEFFICIENT = "router_aux_loss_coef"
_OWN = Code(f'getattr(model_config.get_text_config(), "{COEFFICIENT}", 0.0)')


def around(plan: Plan) -> dict[str, list[Setting]]:
    """Calls that a script needs: TRL 1.9 does not seed what PEFT draws, nor read the model's own weight of a loss."""
    found: dict[str, list[Setting]] = {}
    if plan["method"] != "orpo" and plan[f"training.{COEFFICIENT}"] is None:
        own = ("model.revision", "revision"), ("model.trust_remote_code", "trust_remote_code")
        named = [take(plan, key, path) for path, key in own if plan[path]]
        found["AutoConfig.from_pretrained"] = [take(plan, "name", "model.id"), *named]
    if plan["adapter.type"] != "full":
        why = "the adapter begins at random; newer versions of TRL seed it themselves"
        found["set_seed"] = [Setting("seed", Code("training_args.seed"), ("training.seed",), why)]
    return found


def fitted(plan: Plan, settings: Iterable[Setting]) -> list[Setting]:
    """Keywords of the config class as TRL 1.9 takes them."""
    return [_coefficient(plan, s) if s.key == COEFFICIENT and plan["method"] != "orpo" else s for s in settings]


def _coefficient(plan: Plan, setting: Setting) -> Setting:
    by_model = plan["method"] in ("sft", "pretrain")  # whose loss is the model's own there
    if setting.value is None:
        why = "the model's own, which newer versions of TRL take by themselves"
        own = replace(setting, value=_OWN, why=why, comment="the model's own")
        if by_model and plan["training.gradient_accumulation_steps"] > 1:
            why = "of a mixture of experts, TRL 1.9 adds this loss once for each micro batch"
            return replace(own, why=why, fidelity="approximated")
        return own
    if setting.value and by_model:
        why = f"TRL 1.9 takes the model's own weight with {plan['method']}, unless this is 0"
        return replace(setting, why=why, fidelity="unsupported")
    return setting


def check(plan: Plan) -> Iterator[Diagnostic]:
    """What TRL 1.9 does otherwise in its own trainers, whatever the script says."""
    yield from check_losses(plan, "TRL 1.9")
    if plan.get("data.masks") == "native" and plan["method"] in ("dpo", "kto", "orpo"):
        message = "TRL 1.9 cuts an answer from its prompt, and a long answer, at other tokens than newer versions"
        yield Diagnostic("TF202", Level.WARNING, "data.masks", message, "`masks: auto` takes the rows of prepare.py")
    if plan["adapter.type"] == "qlora" and plan["adapter.use_dora"] and plan["method"] != "orpo":
        message = "TRL 1.9 keeps DoRA's magnitudes in bfloat16 on quantized weights, where small steps are lost"
        yield Diagnostic("TF202", Level.WARNING, "adapter.use_dora", message, "take 1.16, or remove it")


def check_losses(plan: Plan, name: str) -> Iterator[Diagnostic]:
    """What TRL 1.9 computes otherwise with preferences and rewards. `name` is how it is called."""
    if plan["method"] in ("sft", "pretrain"):
        return
    if plan["training.liger_kernel"] and plan["method"] != "orpo":
        message = f"{name} has a Liger loss of its own for {plan['method']}"
        yield error("training.liger_kernel", message, "remove it, or compile for trl 1.16")
    if plan["training.precision"] == "fp32" and plan["model.dtype"] != "float32":
        message = f"{name} computes log-probabilities in {plan['model.dtype']} here, so rewards are coarse"
        yield Diagnostic("TF202", Level.WARNING, "model.dtype", message, "`dtype: float32`, or `precision: bf16`")
