"""TRL: a script around the trainer of each method (https://huggingface.co/docs/trl)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from ...spec.diagnostics import Diagnostic
from ...spec.plan import Plan
from .. import hf_trainer, model_loading, peft, trl_script
from ..base import Bundle, File, Trainer
from ..launch import CONFIG, accelerate_config
from ..local_run import OUTSIDE, UNSUPPORTED
from ..native import Schema, native_schema
from ..python_code import Code
from ..settings import Groups, Setting, take
from ..trl_checks import check
from ..trl_methods import METHODS
from ..trl_rows import masks

REQUIREMENTS = {
    "accelerate": "1.15.0",
    "datasets": "5.2.0",
    "peft": "0.21.2",
    "torch": "2.13.0",
    "transformers": "5.23.0",
    "trl": "1.16.0",
}
OPTIONAL = {
    "bitsandbytes": "0.50.2",
    "deepspeed": "0.19.8",
    "jsonschema": "4.26.0",
    "liger-kernel": "0.8.5",
    "mlflow": "3.17.2",
    "tensorboard": "2.21.0",
    "wandb": "0.31.0",
}


class Trl(Trainer):
    """Compiles every method but rft to a standalone script."""

    name = "trl"
    target = "trl==1.16.0"
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
            written_for="TRL " + REQUIREMENTS["trl"],
        )
        files = (File("train.py", script), File("requirements.txt", "".join(f"{line}\n" for line in listed)))
        return trl_script.bundle(plan, groups, files)

    def check(self, plan: Plan) -> Iterator[Diagnostic]:
        yield from check(plan)

    def groups(self, plan: Plan) -> Groups:
        method, labels = METHODS[plan["method"]], masks(plan)
        found = {
            **trl_script.loading(plan),
            method.config: trl_script.config(plan, labels, _model(plan), plan.extra),
            "pinned": trl_script.pinned(plan, trl_script.PINNED, REQUIREMENTS["trl"]),
            method.trainer: _trainer(plan),
            CONFIG: accelerate_config(plan),
            **trl_script.rows(plan, labels),
        }
        if plan["adapter.type"] != "full":
            found["LoraConfig"] = peft.lora(plan)
        if plan["adapter.type"] == "qlora":
            found["BitsAndBytesConfig"] = peft.quantization(plan)
        return {**found, **trl_script.around(plan, labels)}

    def native(self, plan: Plan) -> Mapping[str, Schema]:
        config = METHODS[plan["method"]].config
        return {config: native_schema("trl_keys.json", config)}


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
    wanted = trl_script.packages(plan, REQUIREMENTS, OPTIONAL)
    if plan["adapter.type"] == "full" and not plan["model.start_from"]:
        del wanted["peft"]
    return trl_script.pins(wanted)


TARGET = Trl()
