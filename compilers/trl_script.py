"""The script around a trainer of TRL. Targets that train with TRL share it, and differ in how the model is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..spec.method import REWARDED
from ..spec.plan import Origin, Plan
from . import hf_trainer, model_loading, rewards
from .base import Bundle, File
from .launch import CONFIG, config_file, launch_line
from .local_run import ALONE, REQUIRED, launch
from .prepared import data_steps, load_rows
from .python_code import Code, literal, prose
from .rendering import render
from .settings import Groups, Setting, by_name, origins, take
from .trl_methods import METHODS, method_settings
from .trl_rows import packing_cuts, pairs_neighbours, row_settings

BESIDE = (CONFIG, REQUIRED, ALONE)  # files with keys of their own
# Defaults of TRL and transformers that change what is trained and that no field of the spec rules.
PINNED: Mapping[str, Any] = {
    "label_smoothing_factor": 0.0,
    "average_tokens_across_devices": True,
    "gradient_checkpointing_kwargs": {"use_reentrant": False},
    "dataloader_drop_last": False,
    "auto_find_batch_size": False,
    "ignore_data_skip": False,
    "tf32": False,
}


def loading(plan: Plan) -> dict[str, list[Setting]]:
    """The tokenizer, and the model that training starts from."""
    return {
        "AutoTokenizer.from_pretrained": model_loading.tokenizer(plan),
        "add_special_tokens": model_loading.special_tokens(plan),
        "starting_model": model_loading.starting_model(plan),
    }


def config(plan: Plan, masks: str, model: Iterable[Setting], extra: Mapping[str, Any]) -> list[Setting]:
    """Keywords of the method's config class; `model` are those about the model."""
    return [
        *hf_trainer.optimization(plan),
        *method_settings(plan),
        *row_settings(plan, masks),
        *model,
        *hf_trainer.intervals(plan),
        *hf_trainer.reporting(plan),
        *extra_settings(extra),
    ]


def extra_settings(extra: Mapping[str, Any]) -> list[Setting]:
    """Native keys of the user's own."""
    return [Setting(key, Code("None") if value is None else value, (), "extra") for key, value in extra.items()]


def pinned(plan: Plan, constants: Mapping[str, Any], trl: str) -> list[Setting]:
    """Constants that an upgrade of TRL must not change; `extra:` may set them, and then they are there."""
    found = {**constants, **METHODS[plan["method"]].pinned}
    if not plan["training.gradient_checkpointing"]:
        found["gradient_checkpointing_kwargs"] = None
    why = f"the default of TRL {trl}, written out"
    return [Setting(k, v, (), why) for k, v in found.items() if k not in plan.extra and v is not None]


def rows(plan: Plan, masks: str) -> dict[str, list[Setting]]:
    """How prepare.py is called, where it makes the rows."""
    if masks == "native":
        return {}
    found = {"load_rows": load_rows(plan)}
    return found | {"load_rows (train)": load_rows(plan, whole=True)} if packing_cuts(plan) else found


def around(plan: Plan, masks: str) -> dict[str, list[Setting]]:
    """Callbacks, variables of the environment, and what decides the code around the calls."""
    found: dict[str, list[Setting]] = {}
    if "evaluation.early_stopping.patience" in plan:
        found["EarlyStoppingCallback"] = [
            take(plan, "early_stopping_patience", "evaluation.early_stopping.patience"),
            take(plan, "early_stopping_threshold", "evaluation.early_stopping.min_delta"),
        ]
    if variables := hf_trainer.environment(plan):
        found["os.environ"] = variables
    found["script"] = _script_settings(plan, masks)
    return found


def _script_settings(plan: Plan, masks: str) -> list[Setting]:
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
        found.append(Setting("masks", masks, paths))
    return found


def packages(plan: Plan, required: Mapping[str, str], optional: Mapping[str, str]) -> dict[str, str]:
    """The direct packages of a script with their versions; `optional` has those that the target can use."""
    wanted = dict(required)
    optimizer = plan["training.optimizer.name"]
    more = {
        "bitsandbytes": plan["adapter.type"] == "qlora" or any(w in optimizer for w in ("8bit", "paged", "lion")),
        "deepspeed": plan["hardware.strategy"] == "deepspeed",
        "jsonschema": any(r["kind"] == "json_schema" for r in plan.get("rewards", ())),
        "liger-kernel": plan["training.liger_kernel"],
    }
    asked = (*plan["tracking"], *[name for name, yes in more.items() if yes])
    return wanted | {name: optional[name] for name in asked if name in optional}


def pins(wanted: Mapping[str, str]) -> list[str]:
    """Lines of a requirements file."""
    return [f"{name}=={wanted[name]}" for name in sorted(wanted)]


def bundle(
    plan: Plan,
    groups: Groups,
    files: Sequence[File],
    env: Mapping[str, str] | None = None,
    made: tuple[str, ...] = (),
) -> Bundle:
    """A script and its requirements, with the files that it reads. `made` are folders that the trainer makes."""
    copies = []
    if plan["model.chat_template"]:
        copies.append((plan["model.chat_template"], "chat_template.jinja"))
    if plan["method"] in REWARDED:
        copies += rewards.reward_copies(plan)
    return Bundle(
        files=(*files, *_beside(plan, groups)),
        run=launch(plan, launch_line(plan, "train.py"), env),
        data=data_steps(plan),
        origins=_origins(plan, groups),
        copies=tuple(copies),
        made=made + (("start", "start.partial") if model_loading.starts_elsewhere(plan) else ()),
    )


def _origins(plan: Plan, groups: Groups) -> dict[str, Origin]:
    found = origins(plan, "train.py", {k: v for k, v in groups.items() if k not in BESIDE})
    for file in BESIDE:
        found |= origins(plan, file, {k: v for k, v in groups.items() if k == file})
    return found


def _beside(plan: Plan, groups: Groups) -> Iterator[File]:
    if plan["method"] in REWARDED:
        yield File("prepare.py", render("prompts.py.j2"))
        yield from rewards.reward_files(plan)
    elif "load_rows" in groups:
        yield File("prepare.py", render("prepare.py.j2", method=plan["method"], shape=plan["data.shape"]))
    if model_loading.starts_elsewhere(plan):
        yield model_loading.start_file(plan)
    if groups.get(CONFIG):
        yield File(CONFIG, config_file(groups[CONFIG]))


def script(template: str, plan: Plan, groups: Groups, masks: str, **own: Any) -> str:
    """The text of train.py. `own` is what only the target's own template reads."""
    method = METHODS[plan["method"]]
    adapter = {"full": "Full", "lora": "LoRA", "qlora": "QLoRA"}[plan["adapter.type"]]
    tokenizer = by_name(groups["AutoTokenizer.from_pretrained"])
    arguments = [literal(tokenizer["name"])]
    arguments += [f"{key}={literal(tokenizer[key])}" for key in ("revision", "trust_remote_code") if key in tokenizer]
    used = {call.partition(".")[0] for call in groups}
    wanted = ("AutoConfig", "BitsAndBytesConfig", "EarlyStoppingCallback", "set_seed")
    optional = [name for name in wanted if name in used]
    values = {
        "title": f"{adapter} {method.title} of {prose(plan['model.id'], 'a model')}: {plan['name']}.",
        "launch": " ".join(launch_line(plan, "train.py")),
        "module": method.module,
        "config": method.config,
        "trainer": method.trainer,
        "imports": sorted(["AutoTokenizer", *optional]),
        "tokenizer": tokenizer,
        "tokenizer_args": ", ".join(arguments),
        "tokens": model_loading.changed_tokens(plan),
        "groups": {"os.environ": [], "set_seed": [], **groups},
        "prepares": masks != "native",
        "exact": masks == "exact",
        "method": plan["method"],
        "shuffles": pairs_neighbours(plan) and plan["data.shuffle"],
        "seed": plan["training.seed"],
        "splits": [step.split for step in data_steps(plan) if step.split != "test"],
        "device": plan["hardware.device"],
        "world": plan["hardware.world_size"],
        "needs_os": bool(hf_trainer.environment(plan) or hf_trainer.needed_variables(plan)),
        "pushes": bool(plan["saving.hub_model_id"]),
    }
    return render(template, **{**values, **own})
