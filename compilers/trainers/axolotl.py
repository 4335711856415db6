"""Axolotl: a config.yaml, with a plugin for what its keys do not reach (https://docs.axolotl.ai)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from ...spec.diagnostics import Diagnostic
from ...spec.method import REWARDED
from ...spec.plan import Plan
from .. import axolotl_config, axolotl_methods, axolotl_sharding, hf_trainer, model_loading, peft, rewards
from ..axolotl_checks import check
from ..axolotl_owned import OWNED
from ..base import Bundle, File, Trainer
from ..launch import torchrun_line
from ..local_run import OUTSIDE, REQUIRED, UNSUPPORTED, launch
from ..native import Schema, native_schema
from ..prepared import data_steps, load_rows
from ..python_code import Code, literal
from ..rendering import render, yaml_text
from ..settings import Groups, Setting, by_name, origins, take, version
from ..trl_rows import packing_cuts, pairs_neighbours

DEEPSPEED = axolotl_sharding.DEEPSPEED
CONFIG, PLUGIN, TRAINER = "config.yaml", "plugin.py", "trainer.py"
_ALONE = (CONFIG, DEEPSPEED, REQUIRED)  # files with keys of their own
# By version of Axolotl, the newest first; it pins what else it needs.
REQUIREMENTS: Mapping[str, Mapping[str, str]] = {
    "0.19.0": {"axolotl": "0.19.0", "torch": "2.13.0"},
    "0.18.0": {"axolotl": "0.18.0", "torch": "2.12.1"},
    "0.17.0": {"axolotl": "0.17.0", "torch": "2.13.0"},
}
NEWEST = next(iter(REQUIREMENTS))
KEYS: Mapping[str, str] = {
    version: "axolotl_keys.json" if version == NEWEST else f"axolotl_{version}_keys.json" for version in REQUIREMENTS
}
OPTIONAL = {"deepspeed": "0.18.9", "jsonschema": "4.26.0", "mlflow": "3.17.2"}


class Axolotl(Trainer):
    """Compiles fine-tuning on rows that are tokens already."""

    name = "axolotl"
    versions: ClassVar[tuple[str, ...]] = tuple(REQUIREMENTS)
    output = hf_trainer.OUTPUT
    methods: ClassVar[tuple[str, ...]] = ("sft", "pretrain", *axolotl_methods.BY_TRL)
    owned: ClassVar[Mapping[str, str]] = OWNED
    outside: ClassVar[Mapping[str, str]] = OUTSIDE
    unsupported: ClassVar[Mapping[str, str]] = {
        **UNSUPPORTED,
        "training.router_aux_loss_coef": "Axolotl takes the model's own configuration",
    }

    def emit(self, plan: Plan) -> Bundle:
        groups = self.groups(plan)
        return Bundle(
            files=tuple(_files(plan, groups)),
            run=launch(plan, _line(plan), _environment(plan)),
            data=data_steps(plan),
            origins={k: own for f in _ALONE for k, own in origins(plan, f, {f: groups[f]}).items()}
            | origins(plan, PLUGIN, {k: found for k, found in groups.items() if k not in _ALONE}),
            copies=tuple(_copies(plan)),
            made=("start", "start.partial") if model_loading.starts_elsewhere(plan) else (),
        )

    def check(self, plan: Plan) -> Iterator[Diagnostic]:
        yield from check(plan)

    def groups(self, plan: Plan) -> Groups:
        found = {
            CONFIG: [s for section in axolotl_config.sections(plan) for s in section],
            "os.environ": axolotl_config.environment(plan),
            "register": axolotl_config.registered(plan),
            "starting_model": _starting_model(plan),
            "load_rows": [_from_config(s) for s in load_rows(plan)],
            "load_datasets": axolotl_config.kept_dtype(plan),
            "LoraConfig": peft.base_revision(plan) if plan["adapter.type"] != "full" else [],
            "get_training_args": axolotl_config.training_args(plan),
            "plugin": _plugin_settings(plan),
            REQUIRED: version(plan, "axolotl"),
            DEEPSPEED: axolotl_sharding.deepspeed(plan),
        }
        if packing_cuts(plan):
            found["load_rows (train)"] = [_from_config(s) for s in load_rows(plan, whole=True)]
        if plan.get("training.packing"):
            found["pack_dataset"] = _packing(plan)
        if "evaluation.early_stopping.patience" in plan and not axolotl_config.own_stopping(plan):
            found["EarlyStoppingCallback"] = [
                take(plan, "early_stopping_patience", "evaluation.early_stopping.patience"),
                take(plan, "early_stopping_threshold", "evaluation.early_stopping.min_delta"),
            ]
        return found

    def native(self, plan: Plan) -> Mapping[str, Schema]:
        return {CONFIG: native_schema(KEYS[plan["target.version"]], "AxolotlInputConfig")}


def _from_config(setting: Setting) -> Setting:
    """An argument of `load_rows` that config.yaml has a key for is read from there."""
    code = {"max_length": "cfg.sequence_len", "on_too_long": "too_long"}.get(setting.key)
    if setting.why.endswith("max_completion_length"):
        code = "cfg.sequence_len - cfg.trl.max_completion_length"
    own = Code(code) if code and not isinstance(setting.value, Code) else setting.value
    return Setting(setting.key, own, setting.paths, setting.why)


def _packing(plan: Plan) -> list[Setting]:
    return [
        Setting("seq_length", Code("cfg.sequence_len"), ("training.max_length", "training.packing")),
        take(plan, "strategy", "training.packing_strategy"),
    ]


def _starting_model(plan: Plan) -> list[Setting]:
    code = {key: Code(f'cfg["{key}"]') for key in ("output_dir", "seed")}
    return [Setting(s.key, code.get(s.key, s.value), s.paths, s.why) for s in model_loading.starting_model(plan)]


def _plugin_settings(plan: Plan) -> list[Setting]:
    """What decides the code of the plugin."""
    if plan["method"] in REWARDED:
        rows = Setting("rewards", rewards.names(plan["rewards"]), ("rewards", "data.shape", "method"))
    else:
        paths = ("data.masks", "data.shape", "method", *(["data.loss_on"] if plan["method"] == "pretrain" else []))
        rows = Setting("rows", "prepare.py", paths)
    return [
        Setting("device", plan["hardware.device"], ("hardware.device",)),
        Setting("processes", plan["hardware.world_size"], ("hardware.world_size",)),
        Setting("adapter", plan["adapter.type"], ("adapter.type",)),
        rows,
    ]


def _line(plan: Plan) -> tuple[str, ...]:
    return torchrun_line(plan, "-m", "axolotl.cli.train", CONFIG)


def _environment(plan: Plan) -> dict[str, str]:
    found = {"AXOLOTL_DO_NOT_TRACK": "1"}
    return found | {"ACCELERATE_USE_CPU": "1"} if plan["hardware.device"] == "cpu" else found


def requirements(plan: Plan) -> list[str]:
    """The direct packages, pinned."""
    schemas = any(reward["kind"] == "json_schema" for reward in plan.get("rewards", ()))
    more = (*plan["tracking"], plan["hardware.strategy"], *(["jsonschema"] if schemas else []))
    wanted = {**REQUIREMENTS[plan["target.version"]], **{name: OPTIONAL[name] for name in more if name in OPTIONAL}}
    return [f"{name}=={wanted[name]}" for name in sorted(wanted)]


def _files(plan: Plan, groups: Groups) -> Iterator[File]:
    yield File(CONFIG, _config(plan))
    yield File(PLUGIN, _plugin(plan, groups))
    if plan["method"] in axolotl_methods.COMPARED:
        precomputes = plan.get(f"method.{plan['method']}.precompute_ref_log_probs")
        yield File(TRAINER, render("axolotl_trainer.py.j2", method=plan["method"], precomputes=precomputes))
    if plan["method"] in REWARDED:
        yield File("prepare.py", render("prompts.py.j2"))
        yield from rewards.reward_files(plan)
        names = rewards.names(plan["rewards"])
        yield File(f"{axolotl_methods.REWARD_NAMES}.py", render("axolotl_rewards.py.j2", names=names))
    else:
        yield File("prepare.py", render("prepare.py.j2", method=plan["method"], shape=plan["data.shape"]))
    if model_loading.starts_elsewhere(plan):
        yield model_loading.start_file(plan)
    if groups[DEEPSPEED]:
        yield File(DEEPSPEED, axolotl_sharding.deepspeed_file(groups[DEEPSPEED]))
    yield File(REQUIRED, "".join(f"{line}\n" for line in requirements(plan)))


def _copies(plan: Plan) -> Iterator[tuple[str, str]]:
    if plan["model.chat_template"]:
        yield plan["model.chat_template"], "chat_template.jinja"
    if plan["method"] in REWARDED:
        yield from rewards.reward_copies(plan)


def _config(plan: Plan) -> str:
    variables = " ".join(f"{name}={value}" for name, value in _environment(plan).items())
    head = (
        "# Generated from a spec by Tuneform. Runs on its own, in its own folder:\n#\n"
        f"#     {variables} {' '.join(_line(plan))}\n#\n"
        "# Started again, it goes on from the last checkpoint in output/.\n"
    )
    parts = [_written(section) for section in axolotl_config.sections(plan)]
    return "\n".join([head, *[yaml_text(part) for part in parts if part]])


def _written(section: list[Setting]) -> dict[str, Any]:
    """The keys that are set, and those that `extra:` sets to null."""
    return {s.key: s.value for s in section if s.value is not None or s.why == "extra"}


def _plugin(plan: Plan, groups: Groups) -> str:
    tokenizer: dict[str, Any] = by_name(model_loading.tokenizer(plan))
    arguments = [literal(tokenizer["name"])]
    arguments += [f"{key}={literal(tokenizer[key])}" for key in ("revision", "trust_remote_code") if key in tokenizer]
    return render(
        "axolotl_plugin.py.j2",
        groups={"EarlyStoppingCallback": [], "pack_dataset": [], **groups}
        | {"torch_dtype": [_torch(s) for s in groups["load_datasets"] if s.why]},
        stored=f"torch.{plan['model.dtype']}" if _all_of_one_type(plan) else "",
        environment=groups["os.environ"],
        registered=groups["register"],
        chat_template=bool(plan["model.chat_template"]),
        tokens=model_loading.changed_tokens(plan),
        tokenizer_args=", ".join(arguments),
        imports=[
            *(["AutoTokenizer"] if groups["starting_model"] else []),
            *(["EarlyStoppingCallback"] if "EarlyStoppingCallback" in groups else []),
            *(["set_seed"] if plan["adapter.type"] != "full" else []),
        ],
        padding_free=plan.get("training.packing_strategy") in ("bfd", "bfd_split"),
        routed=plan["training.router_aux_loss_coef"] is not None,
        splits=[step.split for step in data_steps(plan) if step.split != "test"],
        method=plan["method"],
        by_trl=plan["method"] in axolotl_methods.BY_TRL,
        shuffles=pairs_neighbours(plan) and plan["data.shuffle"],
        device=plan["hardware.device"],
        world=plan["hardware.world_size"],
        adapter=plan["adapter.type"] != "full",
    )


def _all_of_one_type(plan: Plan) -> bool:
    return bool(plan["adapter.type"] == "full" and plan["model.dtype"] != "float32")


def _torch(setting: Setting) -> Setting:
    return Setting(setting.key, f"torch.{setting.value}", setting.paths)


TARGET = Axolotl()
