"""The keys of Axolotl's config.yaml, in the order and grouping of its own examples.

Source: Axolotl 0.19.0, https://docs.axolotl.ai/docs/config-reference.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..spec.fields import placeholders, unescape
from ..spec.optimization import DTYPES
from ..spec.plan import Plan
from . import axolotl_methods, axolotl_sharding, hf_trainer, model_loading, peft
from .python_code import Code, filled
from .settings import Setting, take
from .trl_methods import where_there_is_one
from .trl_rows import order

PLUGIN = "plugin.Plugin"
# Axolotl's names of transformers' TrainingArguments, where they differ.
RENAMED: Mapping[str, str] = {
    "per_device_train_batch_size": "micro_batch_size",
    "per_device_eval_batch_size": "eval_batch_size",
    "num_train_epochs": "num_epochs",
    "lr_scheduler_type": "lr_scheduler",
    "optim": "optimizer",
}
_LORA: Mapping[str, str] = {
    "r": "lora_r",
    "lora_alpha": "lora_alpha",
    "lora_dropout": "lora_dropout",
    "target_modules": "lora_target_modules",
    "target_parameters": "lora_target_parameters",
    "modules_to_save": "lora_modules_to_save",
    "use_dora": "peft_use_dora",
    "use_rslora": "peft_use_rslora",
    "init_lora_weights": "peft_init_lora_weights",
}
# Trainer arguments that Axolotl has no key for, or sets by a rule of its own.
_ARGUMENTS = (
    "use_liger_kernel", "use_cpu", "logging_first_step", "eval_on_start", "enable_jit_checkpoint",
    "load_best_model_at_end", "metric_for_best_model", "greater_is_better", "run_name", "hub_private_repo",
)  # fmt: skip
# Defaults of Axolotl 0.19.0 that change what is trained, or that fail without a GPU; `extra:` may set them.
PINNED: Mapping[str, Any] = {"tf32": False}
_NEXT_TOKEN: Mapping[str, Any] = {
    "pad_to_sequence_len": False,
    "dataloader_drop_last": False,
    "auto_find_batch_size": False,
}
_KERNELS = ("lora_mlp_kernel", "lora_qkv_kernel", "lora_o_kernel")


def sections(plan: Plan) -> list[list[Setting]]:
    """Every key of config.yaml; an empty line stands between two sections."""
    keys = _trainer_keys(plan)
    return [
        _model(plan),
        [Setting("plugins", [PLUGIN], (), "rows from prepare.py, and what Axolotl has no key for")],
        axolotl_methods.keys(plan),
        _data(plan, keys),
        _lora(plan),
        [*_tracking(plan), *_hub(plan)],
        [
            *keys.take("gradient_accumulation_steps", "micro_batch_size", "eval_batch_size"),
            *axolotl_methods.evaluated_at_once(plan),
            *keys.take("num_epochs", "max_steps"),
        ],
        keys.take(
            "optimizer", "adam_beta1", "adam_beta2", "adam_epsilon", "weight_decay", "max_grad_norm", "lr_scheduler",
            "lr_scheduler_kwargs", "learning_rate", "warmup_steps", "warmup_ratio", "neftune_noise_alpha",
        ),
        [*keys.take("bf16", "fp16"), *_pinned(plan)],
        [*_memory(plan, keys), *keys.take("torch_compile")],
        axolotl_sharding.keys(plan),
        [
            *keys.take("logging_steps", "eval_strategy", "eval_steps", "save_strategy", "save_steps"),
            *keys.take("save_total_limit", "save_only_model"),
            *_stopping(plan),
            Setting("auto_resume_from_checkpoints", True, (), "an interrupted run can go on"),
        ],
        _tokens(plan),
        keys.take("seed"),
        [Setting(key, value, (), "extra") for key, value in plan.extra.items()],
    ]  # fmt: skip


class _Keys:
    """Settings that are each taken once."""

    def __init__(self, found: list[Setting]) -> None:
        self.found = {s.key: s for s in found}

    def take(self, *names: str) -> list[Setting]:
        return [self.found.pop(name) for name in names if name in self.found]


def _hf_settings(plan: Plan) -> list[Setting]:
    return [*hf_trainer.optimization(plan), *hf_trainer.intervals(plan), *hf_trainer.reporting(plan)]


def _trainer_keys(plan: Plan) -> _Keys:
    found = []
    for s in _hf_settings(plan):
        if s.key in ("eval_strategy", "save_strategy") and s.value == "steps":
            continue  # which is what a number of steps says
        if s.key == "neftune_noise_alpha" and plan["method"] in axolotl_methods.BY_TRL:
            continue  # plugin.py gives it
        key = RENAMED.get(s.key, s.key)
        if s.key == "warmup_steps" and isinstance(s.value, float):
            key = "warmup_ratio"
        found.append(Setting(key, s.value, s.paths, s.why, s.comment, s.fidelity))
    return _Keys(found)


def training_args(plan: Plan) -> list[Setting]:
    """What plugin.py gives to transformers' Trainer beside Axolotl's keys."""
    own = {s.key: s for s in _hf_settings(plan)}
    by_trl = plan["method"] in axolotl_methods.BY_TRL  # of which Axolotl itself logs the first step
    found = [own[name] for name in _ARGUMENTS if name in own and not (by_trl and name == "logging_first_step")]
    if own["warmup_steps"].value == 1:
        why = "Axolotl makes two steps of one"
        found.append(Setting("warmup_steps", 1, own["warmup_steps"].paths, why))
    if own["save_total_limit"].value is None:
        found.append(Setting("save_total_limit", Code("None"), ("saving.keep",), "Axolotl keeps four"))
    if plan.get("training.packing"):
        found.append(Setting("remove_unused_columns", False, (), "packed rows carry their rows' lengths"))
    if plan["method"] != "grpo":  # which draws prompts by its own sampler
        found.append(order(plan))
    found.append(Setting("average_tokens_across_devices", True, (), "Axolotl's is false"))
    return [*found, *axolotl_methods.arguments(plan)]


def _model(plan: Plan) -> list[Setting]:
    start = plan["model.start_from"]
    paths = ("model.start_from", "model.id") if start else ("model.id",)
    found = [Setting("base_model", start or plan["model.id"], paths), take(plan, "model_revision", "model.revision")]
    found.append(take(plan, "tokenizer_config", "model.tokenizer"))
    if plan["model.chat_template"]:
        found.append(Setting("chat_template", "jinja", ("model.chat_template",)))
    found.append(take(plan, "attn_implementation", "model.attn_implementation"))
    found.append(take(plan, "trust_remote_code", "model.trust_remote_code"))
    return [*found, *_quantization(plan)]


def _quantization(plan: Plan) -> list[Setting]:
    if plan["adapter.type"] != "qlora":
        return []
    settings = peft.quantization(plan)
    if plan["adapter.quantization.bits"] == 8:
        return settings
    kwargs = {"bnb_4bit_quant_storage": "uint8"} | {s.key: s.value for s in settings[1:]}
    paths = tuple(path for s in settings[1:] for path in s.paths)
    return [settings[0], Setting("bnb_config_kwargs", kwargs, paths, "the same fields of BitsAndBytesConfig")]


def _data(plan: Plan, keys: _Keys) -> list[Setting]:
    def rows(split: str) -> list[dict[str, str]]:
        return [{"path": f"data/{split}.jsonl", "ds_type": "json"}]

    evaluated = "evaluation.every" in plan
    strategy = {"error": "raise"}.get(plan["training.on_too_long"], plan["training.on_too_long"])
    return [
        Setting("datasets", rows("train"), (), "the rows of data/train.jsonl, as prepare.py makes them"),
        Setting("test_datasets", rows("eval") if evaluated else None, (), "the rows of data/eval.jsonl"),
        Setting("val_set_size", 0, (), "the rows are split already"),
        *keys.take("output_dir"),
        take(plan, "sequence_len", "training.max_length"),
        Setting("excess_length_strategy", strategy, ("training.on_too_long",)),
        *([] if plan["method"] in axolotl_methods.BY_TRL else [_packing(plan)]),
    ]


def _packing(plan: Plan) -> Setting:
    why = "plugin.py packs, as TRL does: Axolotl's own packing leaves rows out" if plan["training.packing"] else ""
    return Setting("sample_packing", False, ("training.packing",), why)


def _lora(plan: Plan) -> list[Setting]:
    kind = plan["adapter.type"]
    if kind == "full":
        return []
    name = "qlora" if kind == "qlora" and plan["adapter.quantization.bits"] == 4 else "lora"
    found = {s.key: s for s in peft.lora(plan)}
    return [
        Setting("adapter", name, ("adapter.type",)),
        *[Setting(key, found[own].value, found[own].paths, found[own].why) for own, key in _LORA.items()],
    ]


def _pinned(plan: Plan) -> list[Setting]:
    constants = {**PINNED} if plan["method"] in axolotl_methods.BY_TRL else {**_NEXT_TOKEN, **PINNED}
    if plan["adapter.type"] != "full":
        constants |= dict.fromkeys(_KERNELS, False)
    return [
        Setting(k, v, (), "pinned, so that no default decides") for k, v in constants.items() if k not in plan.extra
    ]


def _memory(plan: Plan, keys: _Keys) -> list[Setting]:
    found = keys.take("gradient_checkpointing")
    if plan["training.gradient_checkpointing"]:
        found.append(Setting("gradient_checkpointing_kwargs", {"use_reentrant": False}, (), "as every target has it"))
    key = "activation_offloading"  # which with a trainer that has none would only turn checkpointing off
    own = (
        where_there_is_one(plan, key)
        if plan["method"] in axolotl_methods.BY_TRL
        else take(plan, key, f"training.{key}")
    )
    return [*found, own]


def own_stopping(plan: Plan) -> bool:
    """Whether Axolotl's own early stopping will do: only for next tokens, and without a smallest improvement."""
    path = "evaluation.early_stopping.min_delta"
    return path in plan and plan[path] == 0 and plan["method"] not in axolotl_methods.BY_TRL


def _stopping(plan: Plan) -> list[Setting]:
    if not own_stopping(plan):
        return []
    paths = tuple(f"evaluation.early_stopping.{name}" for name in ("patience", "min_delta"))
    return [Setting("early_stopping_patience", plan[paths[0]], paths)]


_TRACKERS: Mapping[str, str] = {
    "tracking.wandb.project": "wandb_project",
    "tracking.wandb.entity": "wandb_entity",
    "tracking.mlflow.uri": "mlflow_tracking_uri",
    "tracking.mlflow.experiment": "mlflow_experiment_name",
}


def _tracking(plan: Plan) -> list[Setting]:
    found = [
        Setting(f"use_{name}", name in plan["tracking"], ("tracking",)) for name in ("wandb", "mlflow", "tensorboard")
    ]
    for path, key in _TRACKERS.items():
        if plan.get(path) and not placeholders(plan[path]):
            found.append(Setting(key, unescape(plan[path]), (path,)))
    return found


def environment(plan: Plan) -> list[Setting]:
    """Variables that plugin.py sets for trackers: a YAML file cannot read the environment."""
    return [s for s in hf_trainer.environment(plan) if placeholders(plan[s.paths[0]])]


def registered(plan: Plan) -> list[Setting]:
    """Keys of the config that plugin.py fills in, for the same reason."""
    hub = plan["saving.hub_model_id"]
    return [Setting("hub_model_id", filled(hub), ("saving.hub_model_id",))] if hub and placeholders(hub) else []


def _hub(plan: Plan) -> list[Setting]:
    hub, paths = plan["saving.hub_model_id"], ("saving.hub_model_id",)
    if not hub:
        return []
    name = [] if placeholders(hub) else [Setting("hub_model_id", unescape(hub), paths)]
    return [*name, Setting("hub_strategy", "end", paths, "the final model only")]


def _tokens(plan: Plan) -> list[Setting]:
    tokens = model_loading.changed_tokens(plan)
    return [Setting("special_tokens", tokens or None, model_loading.TOKENS, "those that are set")]


def kept_dtype(plan: Plan) -> list[Setting]:
    """The type of stored weights, where Axolotl would take another from the precision of the arithmetic."""
    own = DTYPES[plan["training.precision"]]
    if plan.get("adapter.quantization.bits") == 8 and own == "float32":
        own = "float16"
    why = "" if own == plan["model.dtype"] else f"Axolotl would take {own}"
    return [Setting("torch_dtype", plan["model.dtype"], ("model.dtype",), why)]
