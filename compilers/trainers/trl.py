"""TRL: a script around the trainer of each method (https://huggingface.co/docs/trl)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from ...spec.diagnostics import Diagnostic
from ...spec.method import REWARDED
from ...spec.plan import Plan
from .. import hf_trainer, model_loading, peft, rewards
from ..base import Bundle, File, Trainer
from ..launch import CONFIG, accelerate_config, config_file, launch_line
from ..local_run import OUTSIDE, UNSUPPORTED, launch
from ..native import Schema, native_schema
from ..prepared import data_steps, load_rows
from ..python_code import Code, literal, prose
from ..rendering import render
from ..settings import Groups, Setting, by_name, origins, take
from ..trl_checks import check
from ..trl_methods import METHODS, method_settings
from ..trl_rows import masks, packing_cuts, pairs_neighbours, row_settings

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

# Defaults of TRL 1.16.0 and transformers 5.23.0 that change what is trained and that no field of the spec rules.
PINNED: Mapping[str, Any] = {
    "label_smoothing_factor": 0.0,
    "average_tokens_across_devices": True,
    "gradient_checkpointing_kwargs": {"use_reentrant": False},
    "dataloader_drop_last": False,
    "auto_find_batch_size": False,
    "ignore_data_skip": False,
    "tf32": False,
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
        groups = self.groups(plan)
        return Bundle(
            files=tuple(_files(plan, groups)),
            run=launch(plan, launch_line(plan, "train.py")),
            data=data_steps(plan),
            origins=origins(plan, "train.py", {k: v for k, v in groups.items() if k != CONFIG})
            | origins(plan, CONFIG, {CONFIG: groups[CONFIG]}),
            copies=tuple(_copies(plan)),
            made=("start", "start.partial") if model_loading.starts_elsewhere(plan) else (),
        )

    def check(self, plan: Plan) -> Iterator[Diagnostic]:
        yield from check(plan)

    def groups(self, plan: Plan) -> Groups:
        method = METHODS[plan["method"]]
        found = {
            "AutoTokenizer.from_pretrained": model_loading.tokenizer(plan),
            "add_special_tokens": model_loading.special_tokens(plan),
            "starting_model": model_loading.starting_model(plan),
            method.config: [
                *hf_trainer.optimization(plan),
                *method_settings(plan),
                *row_settings(plan),
                *_model(plan),
                *hf_trainer.intervals(plan),
                *hf_trainer.reporting(plan),
                *[Setting(key, Code("None") if v is None else v, (), "extra") for key, v in plan.extra.items()],
            ],
            "pinned": _pinned(plan),
            method.trainer: _trainer(plan),
            CONFIG: accelerate_config(plan),
        }
        if masks(plan) != "native":
            found["load_rows"] = load_rows(plan)
            if packing_cuts(plan):
                found["load_rows (train)"] = load_rows(plan, whole=True)
        if plan["adapter.type"] != "full":
            found["LoraConfig"] = peft.lora(plan)
        if plan["adapter.type"] == "qlora":
            found["BitsAndBytesConfig"] = peft.quantization(plan)
        if "evaluation.early_stopping.patience" in plan:
            found["EarlyStoppingCallback"] = [
                take(plan, "early_stopping_patience", "evaluation.early_stopping.patience"),
                take(plan, "early_stopping_threshold", "evaluation.early_stopping.min_delta"),
            ]
        if variables := hf_trainer.environment(plan):
            found["os.environ"] = variables
        found["script"] = _script_settings(plan)
        return found

    def native(self, plan: Plan) -> tuple[str, Schema]:
        config = METHODS[plan["method"]].config
        return config, native_schema("trl_keys.json", config)


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


def _script_settings(plan: Plan) -> list[Setting]:
    """What decides the code around the calls."""
    whole = plan["method"] == "pretrain"  # every token, which needs no keyword
    found = [
        Setting("device", plan["hardware.device"], ("hardware.device",)),
        Setting("processes", plan["hardware.world_size"], ("hardware.world_size",)),
        Setting("adapter", plan["adapter.type"], ("adapter.type",)),
        Setting("trainer", plan["method"], ("method",)),
    ]
    if plan["method"] in REWARDED:
        found.append(Setting("rewards", rewards.names(plan["rewards"]), ("rewards", "data.shape")))
    else:
        paths = ("data.masks", "data.shape", *(["data.loss_on"] if whole else []))
        found.append(Setting("masks", masks(plan), paths))
    return found


def _pinned(plan: Plan) -> list[Setting]:
    """Constants that an upgrade of TRL must not change; `extra:` may set them, and then they are there."""
    own = METHODS[plan["method"]].pinned
    if not plan["training.gradient_checkpointing"]:
        own = {**own, "gradient_checkpointing_kwargs": None}
    constants = {**PINNED, **own}
    why = "the default of TRL 1.16.0, written out"
    found = [Setting(k, v, (), why) for k, v in constants.items() if k not in plan.extra]
    return [s for s in found if s.value is not None]


def requirements(plan: Plan) -> list[str]:
    """The direct packages, pinned."""
    wanted = dict(REQUIREMENTS)
    if plan["adapter.type"] == "full" and not plan["model.start_from"]:
        del wanted["peft"]
    optimizer = plan["training.optimizer.name"]
    more = {
        "bitsandbytes": plan["adapter.type"] == "qlora" or any(w in optimizer for w in ("8bit", "paged", "lion")),
        "deepspeed": plan["hardware.strategy"] == "deepspeed",
        "jsonschema": any(r["kind"] == "json_schema" for r in plan.get("rewards", ())),
        "liger-kernel": plan["training.liger_kernel"],
    }
    wanted |= {name: OPTIONAL[name] for name in (*plan["tracking"], *[name for name, yes in more.items() if yes])}
    return [f"{name}=={wanted[name]}" for name in sorted(wanted)]


def _files(plan: Plan, groups: Groups) -> Iterator[File]:
    yield File("train.py", _script(plan, groups))
    yield File("requirements.txt", "".join(f"{line}\n" for line in requirements(plan)))
    if masks(plan) == "exact":
        yield File("prepare.py", render("prepare.py.j2", method=plan["method"], shape=plan["data.shape"]))
    if plan["method"] in REWARDED:
        yield File("prepare.py", render("prompts.py.j2"))
        yield from rewards.reward_files(plan)
    if model_loading.starts_elsewhere(plan):
        yield model_loading.start_file(plan)
    if groups[CONFIG]:
        yield File(CONFIG, config_file(groups[CONFIG]))


def _copies(plan: Plan) -> Iterator[tuple[str, str]]:
    if plan["model.chat_template"]:
        yield plan["model.chat_template"], "chat_template.jinja"
    if plan["method"] in REWARDED:
        yield from rewards.reward_copies(plan)


def _script(plan: Plan, groups: Groups) -> str:
    method = METHODS[plan["method"]]
    adapter = {"full": "Full", "lora": "LoRA", "qlora": "QLoRA"}[plan["adapter.type"]]
    tokenizer = by_name(groups["AutoTokenizer.from_pretrained"])
    arguments = [literal(tokenizer["name"])]
    arguments += [f"{key}={literal(tokenizer[key])}" for key in ("revision", "trust_remote_code") if key in tokenizer]
    optional = [name for name in ("BitsAndBytesConfig", "EarlyStoppingCallback") if name in groups]
    return render(
        "trl_train.py.j2",
        title=f"{adapter} {method.title} of {prose(plan['model.id'], 'a model')}: {plan['name']}.",
        launch=" ".join(launch_line(plan, "train.py")),
        requirements=requirements(plan),
        module=method.module,
        config=method.config,
        trainer=method.trainer,
        written_for="TRL " + REQUIREMENTS["trl"],
        imports=sorted(["AutoTokenizer", *optional]),
        tokenizer=tokenizer,
        tokenizer_args=", ".join(arguments),
        tokens=model_loading.changed_tokens(plan),
        groups={"os.environ": [], **groups},
        prepares=masks(plan) != "native",
        exact=masks(plan) == "exact",
        method=plan["method"],
        shuffles=pairs_neighbours(plan) and plan["data.shuffle"],
        seed=plan["training.seed"],
        splits=[step.split for step in data_steps(plan) if step.split != "test"],
        device=plan["hardware.device"],
        world=plan["hardware.world_size"],
        needs_os=bool(hf_trainer.environment(plan) or hf_trainer.needed_variables(plan)),
        pushes=bool(plan["saving.hub_model_id"]),
    )


TARGET = Trl()
