"""TRL: a script around the trainer of each method (https://huggingface.co/docs/trl)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import ClassVar

from ...spec.diagnostics import Diagnostic
from ...spec.plan import Plan
from .. import hf_trainer, model_loading, peft, trl_older, trl_script
from ..base import Bundle, File, Trainer
from ..launch import CONFIG, accelerate_config
from ..local_run import OUTSIDE, REQUIRED, UNSUPPORTED
from ..native import Schema, native_schema
from ..python_code import Code
from ..settings import Groups, Setting, take, version
from ..trl_checks import check
from ..trl_methods import METHODS
from ..trl_rows import masks

# By version of TRL, the newest first. 1.9.0 stands with what Axolotl 0.19 pins beside it.
REQUIREMENTS: Mapping[str, Mapping[str, str]] = {
    "1.16.0": {
        "accelerate": "1.15.0",
        "datasets": "5.2.0",
        "peft": "0.21.2",
        "torch": "2.13.0",
        "transformers": "5.23.0",
        "trl": "1.16.0",
    },
    "1.9.0": {
        "accelerate": "1.13.0",
        "datasets": "4.8.4",
        "peft": "0.20.0",
        "torch": "2.13.0",
        "transformers": "5.16.1",
        "trl": "1.9.0",
    },
}
NEWEST = next(iter(REQUIREMENTS))
_ANY: Mapping[str, str] = {
    "bitsandbytes": "0.50.2",
    "jsonschema": "4.26.0",
    "mlflow": "3.17.2",
    "tensorboard": "2.21.0",
    "wandb": "0.31.0",
}
OPTIONAL: Mapping[str, Mapping[str, str]] = {
    "1.16.0": {**_ANY, "deepspeed": "0.19.8", "liger-kernel": "0.8.5"},
    "1.9.0": {**_ANY, "deepspeed": "0.18.9", "liger-kernel": "0.8.1"},
}
KEYS: Mapping[str, str] = {
    version: "trl_keys.json" if version == NEWEST else f"trl_{version}_keys.json" for version in REQUIREMENTS
}


class Trl(Trainer):
    """Compiles every method but rft to a standalone script."""

    name = "trl"
    versions: ClassVar[tuple[str, ...]] = tuple(REQUIREMENTS)
    output = hf_trainer.OUTPUT
    methods: ClassVar[tuple[str, ...]] = tuple(METHODS)
    outside: ClassVar[Mapping[str, str]] = OUTSIDE
    unsupported: ClassVar[Mapping[str, str]] = UNSUPPORTED

    def emit(self, plan: Plan) -> Bundle:
        groups, listed = self.groups(plan), requirements(plan)
        script = trl_script.script(
            "trl_train.py.j2",
            plan,
            groups,
            masks(plan),
            requirements=listed,
            written_for=_defaults_of(plan),
        )
        files = (File("train.py", script), File(REQUIRED, "".join(f"{line}\n" for line in listed)))
        return trl_script.bundle(plan, groups, files)

    def check(self, plan: Plan) -> Iterator[Diagnostic]:
        yield from check(plan)
        if is_older(plan):
            yield from trl_older.check(plan)

    def groups(self, plan: Plan) -> Groups:
        method, labels = METHODS[plan["method"]], masks(plan)
        found = {
            **trl_script.loading(plan),
            method.config: _config(plan, labels),
            "pinned": _pinned(plan),
            method.trainer: _trainer(plan),
            CONFIG: accelerate_config(plan),
            **trl_script.rows(plan, labels),
        }
        if plan["adapter.type"] != "full":
            found["LoraConfig"] = peft.lora(plan)
        if plan["adapter.type"] == "qlora":
            found["BitsAndBytesConfig"] = peft.quantization(plan)
        if is_older(plan):
            found |= trl_older.around(plan)
        return {**found, **trl_script.around(plan, labels), REQUIRED: version(plan, "trl")}

    def native(self, plan: Plan) -> Mapping[str, Schema]:
        config = METHODS[plan["method"]].config
        return {config: native_schema(KEYS[plan["target.version"]], config)}


def is_older(plan: Plan) -> bool:
    """Whether a plan is for a version that does some things otherwise than the newest."""
    return bool(plan["target.version"] != NEWEST)


def _defaults_of(plan: Plan) -> str:
    own = f"TRL {plan['target.version']}"
    return f"{own}, and of {NEWEST} where the two differ," if is_older(plan) else own


def _pinned(plan: Plan) -> list[Setting]:
    """Constants, the same with every version: where one has another default, the newest's is kept."""
    own, config = plan["target.version"], METHODS[plan["method"]].config
    here, newest = (native_schema(KEYS[version], config) for version in (own, NEWEST))
    why = f"the default of TRL {NEWEST}, written out; TRL {own} has another"
    return [
        s if here[s.key]["default"] == newest[s.key]["default"] else replace(s, why=why)
        for s in trl_script.pinned(plan, trl_script.PINNED, own)
    ]


def _config(plan: Plan, labels: str) -> list[Setting]:
    found = trl_script.config(plan, labels, _model(plan), plan.extra)
    return trl_older.fitted(plan, found) if is_older(plan) else found


def _model(plan: Plan) -> list[Setting]:
    init = model_loading.model_init(plan)
    if plan["method"] == "orpo" and plan["adapter.type"] == "qlora":  # its trainer has no keyword for it
        value = {**init.value, "quantization_config": Code("quantization_config")}
        init = Setting(init.key, value, init.paths, init.why)
    return [init, take(plan, "trust_remote_code", "model.trust_remote_code")]


def _trainer(plan: Plan) -> list[Setting]:
    if model_loading.starts_elsewhere(plan):
        return [Setting("model", Code("model"), ("model.id",), "what starting_model made")]
    return [take(plan, "model", "model.id")]


def requirements(plan: Plan) -> list[str]:
    """The direct packages, pinned."""
    own = plan["target.version"]
    wanted = trl_script.packages(plan, REQUIREMENTS[own], OPTIONAL[own])
    if plan["adapter.type"] == "full" and not plan["model.start_from"]:
        del wanted["peft"]
    return trl_script.pins(wanted)


TARGET = Trl()
