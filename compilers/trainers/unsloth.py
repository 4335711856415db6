"""Unsloth: a script around TRL's trainers, with a model that Unsloth loads and wraps (https://unsloth.ai/docs)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from ...spec.diagnostics import Diagnostic
from ...spec.method import REWARDED
from ...spec.plan import Plan
from .. import hf_trainer, model_loading, trl_script, unsloth_model
from ..base import Bundle, File, Trainer
from ..launch import launch_line
from ..local_run import ALONE, OUTSIDE, REQUIRED, UNSUPPORTED
from ..native import Schema, native_schema
from ..python_code import Code
from ..settings import Fidelity, Groups, Setting, take, version
from ..trl_methods import METHODS
from ..unsloth_checks import check
from ..unsloth_model import LOAD, WRAP

REQUIREMENTS = {
    "accelerate": "1.15.0",
    "datasets": "4.8.5",
    "peft": "0.21.2",
    "torch": "2.13.0",
    "transformers": "5.17.0",
    "trl": "1.15.0",
}
# On a CPU they are installed without what they ask for and only a GPU has a use for: xformers, triton and more.
OWN = {"unsloth": "2026.10.9", "unsloth_zoo": "2026.10.9"}
OPTIONAL = {
    "bitsandbytes": "0.50.2",
    "jsonschema": "4.26.0",
    "mlflow": "3.17.2",
    "tensorboard": "2.21.0",
    "wandb": "0.31.0",
}
_SHARDING = (
    *(f"hardware.fsdp.{name}" for name in ("reshard_after_forward", "cpu_offload")),
    *(f"hardware.deepspeed.{name}" for name in ("stage", "offload_optimizer", "offload_param")),
)
MADE = ("unsloth_compiled_cache", "_unsloth_temporary_saved_buffers")  # by Unsloth on a GPU, in the working folder

# Defaults of TRL that Unsloth changes, with those of every script. How checkpointing is done is Unsloth's own matter.
PINNED: Mapping[str, Any] = {
    **{key: value for key, value in trl_script.PINNED.items() if key != "gradient_checkpointing_kwargs"},
    "logging_nan_inf_filter": True,
}


class Unsloth(Trainer):
    """Compiles every method but rft to a standalone script, for CUDA and CPUs."""

    name = "unsloth"
    versions: ClassVar[tuple[str, ...]] = (OWN["unsloth"],)
    output = hf_trainer.OUTPUT
    methods: ClassVar[tuple[str, ...]] = tuple(METHODS)
    owned: ClassVar[Mapping[str, str]] = {
        "revision": "model.revision",
        "load_in_16bit": "adapter.type",
        "float32_mixed_precision": "model.dtype",
    }
    outside: ClassVar[Mapping[str, str]] = OUTSIDE
    unsupported: ClassVar[Mapping[str, str]] = {
        **UNSUPPORTED,
        "training.packing_strategy": "packing with Unsloth is not written by this version",
        **dict.fromkeys(_SHARDING, "sharding with Unsloth is not written by this version"),
    }

    def emit(self, plan: Plan) -> Bundle:
        groups, cpu = self.groups(plan), plan["hardware.device"] == "cpu"
        files = [File("train.py", _script(plan, groups)), *_requirements(plan)]
        env = {} if cpu else {"UNSLOTH_DISABLE_STATISTICS": "1"}
        return trl_script.bundle(plan, groups, files, env, made=() if cpu else MADE)

    def check(self, plan: Plan) -> Iterator[Diagnostic]:
        yield from check(plan)

    def groups(self, plan: Plan) -> Groups:
        method, labels = METHODS[plan["method"]], _masks(plan)
        calls = native(plan)
        extra = {call: {k: v for k, v in plan.extra.items() if k in keys} for call, keys in calls.items()}
        found = {
            **trl_script.loading(plan),
            method.config: _fitted(plan, trl_script.config(plan, labels, _model(plan), extra[method.config])),
            "pinned": trl_script.pinned(plan, PINNED, REQUIREMENTS["trl"]),
            LOAD: [*unsloth_model.load(plan), *trl_script.extra_settings(extra[LOAD])],
            method.trainer: [Setting("model", Code("model"), (), "what Unsloth loaded")],
            **trl_script.rows(plan, labels),
        }
        if plan["adapter.type"] != "full":
            found[WRAP] = [*unsloth_model.wrap(plan), *trl_script.extra_settings(extra[WRAP])]
        where = ALONE if plan["hardware.device"] == "cpu" else REQUIRED
        return {**found, **trl_script.around(plan, labels), where: version(plan, "unsloth")}

    def native(self, plan: Plan) -> Mapping[str, Schema]:
        return native(plan)


def native(plan: Plan) -> dict[str, Schema]:
    """The calls that `extra:` goes to, each with the keys that no call before it knows."""
    config = METHODS[plan["method"]].config
    found: dict[str, Schema] = {config: native_schema("unsloth_keys.json", config)}
    for call, schema in reversed(unsloth_model.keys(plan).items()):
        known = {key for keys in found.values() for key in keys}
        found[call] = {key: entry for key, entry in schema.items() if key not in known}
    return found


def _masks(plan: Plan) -> str:
    """Who makes the labels: prepare.py. Unsloth's own differ from the spec's, and from TRL's."""
    return "none" if plan["method"] in REWARDED else "exact"


def _model(plan: Plan) -> list[Setting]:
    """What TRL itself loads: the reference model of full tuning."""
    own = take(plan, "trust_remote_code", "model.trust_remote_code")
    compares = plan["method"] in ("dpo", "kto") or plan.get("method.grpo.beta", 0) > 0
    if plan["adapter.type"] != "full" or not compares:
        return [own]
    why = "the reference model is loaded as the model"
    return [replace(model_loading.model_init(plan), paths=(), why=why, comment="of the reference model"), own]


def _fitted(plan: Plan, settings: Iterable[Setting]) -> list[Setting]:
    """Keywords of the config class as Unsloth takes them."""
    device, precision = plan["hardware.device"], plan["training.precision"]
    types: tuple[Fidelity, str] | None = None
    if (device, precision) == ("cuda", "fp32"):
        types = "chosen by the target", "on a GPU it computes in 16 bits"
    elif (device, precision) == ("cpu", "bf16"):
        types = "approximated", "on a CPU without units for bf16 it computes in fp32"
    own = {
        "use_liger_kernel": "Unsloth has kernels of its own",
        "torch_compile": "Unsloth compiles what it wants compiled",
        "activation_offloading": "Unsloth offloads by `use_gradient_checkpointing`",
    }
    found = []
    for setting in settings:
        if setting.key in own and setting.value and setting.why != "extra":
            setting = replace(setting, value=False, why=own[setting.key], fidelity="unsupported")
        elif types and setting.key in ("bf16", "fp16"):
            setting = replace(setting, why=types[1], fidelity=types[0])
        found.append(setting)
    return found


def requirements(plan: Plan) -> tuple[list[str], list[str]]:
    """The direct packages, pinned: those that are installed with what they ask for, and those without."""
    cpu = plan["hardware.device"] == "cpu"
    wanted = trl_script.packages(plan, REQUIREMENTS if cpu else REQUIREMENTS | OWN, OPTIONAL)
    return trl_script.pins(wanted), trl_script.pins(OWN) if cpu else []


def _requirements(plan: Plan) -> Iterator[File]:
    for name, lines in zip((REQUIRED, ALONE), requirements(plan), strict=True):
        if lines:
            yield File(name, "".join(f"{line}\n" for line in lines))


def _script(plan: Plan, groups: Groups) -> str:
    listed, alone = requirements(plan)
    return trl_script.script(
        "unsloth_train.py.j2",
        plan,
        groups,
        _masks(plan),
        requirements=sorted([*listed, *alone]),
        alone=bool(alone),
        launch=" ".join([*([] if alone else ["UNSLOTH_DISABLE_STATISTICS=1"]), *launch_line(plan, "train.py")]),
        written_for=f"TRL {REQUIREMENTS['trl']}",
        load=LOAD,
        wrap=WRAP,
        quantized=plan["adapter.type"] == "qlora",
    )


TARGET = Unsloth()
