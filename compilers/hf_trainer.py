"""Keywords of transformers' TrainingArguments, which the config classes of several trainers extend.

Source: https://huggingface.co/docs/transformers/main_classes/trainer#transformers.TrainingArguments
"""

from __future__ import annotations

from typing import Any

from ..spec.fields import placeholders
from ..spec.plan import Plan
from .base import HFTrainerMetrics
from .python_code import filled
from .settings import Setting, take

OUTPUT = "output"


def optimization(plan: Plan) -> list[Setting]:
    world, micro = plan["hardware.world_size"], plan["training.micro_batch_size"]
    steps, batch = plan["training.gradient_accumulation_steps"], plan["training.batch_size"]
    unit = "packed rows" if plan.get("training.packing") else "rows"
    if plan["method"] == "grpo":
        answers = plan["method.grpo.num_generations"]
        unit, batch = f"answers to {batch} prompts", batch * answers
    arithmetic = f"{world} {'process' if world == 1 else 'processes'} x {micro} x {steps} = {batch} {unit} a step"
    found = [
        Setting("output_dir", OUTPUT, (), "relative to the bundle"),
        take(plan, "per_device_train_batch_size", "training.micro_batch_size"),
        take(plan, "gradient_accumulation_steps", "training.gradient_accumulation_steps", arithmetic),
        take(plan, "max_steps", "training.max_steps")
        if plan["training.max_steps"]
        else take(plan, "num_train_epochs", "training.epochs"),
        take(plan, "learning_rate", "training.learning_rate"),
        *_schedule(plan),
        take(plan, "optim", "training.optimizer.name"),
    ]
    if "training.optimizer.betas" in plan:
        one, two = plan["training.optimizer.betas"]
        path = ("training.optimizer.betas",)
        found += [Setting("adam_beta1", one, path), Setting("adam_beta2", two, path)]
    if "training.optimizer.eps" in plan:
        found.append(take(plan, "adam_epsilon", "training.optimizer.eps"))
    if "training.neftune_noise_alpha" in plan:
        found.append(take(plan, "neftune_noise_alpha", "training.neftune_noise_alpha"))
    return [
        *found,
        take(plan, "weight_decay", "training.weight_decay"),
        take(plan, "max_grad_norm", "training.max_grad_norm"),
        Setting("bf16", plan["training.precision"] == "bf16", ("training.precision",)),
        Setting("fp16", plan["training.precision"] == "fp16", ("training.precision",)),
        take(plan, "gradient_checkpointing", "training.gradient_checkpointing"),
        take(plan, "use_liger_kernel", "training.liger_kernel"),
        take(plan, "torch_compile", "training.torch_compile"),
        Setting("use_cpu", plan["hardware.device"] == "cpu", ("hardware.device",)),
        take(plan, "seed", "training.seed"),
    ]


# The keywords of transformers' schedule functions (optimization.py) that fields of the spec rule.
_SCHEDULE_KEYS = {
    "min_lr_ratio": "min_lr_rate",
    "num_cycles": "num_cycles",
    "power": "power",
    "timescale": "timescale",
    "decay_steps": "num_decay_steps",
}
# Shapes that no field rules, written out. Transformers' own end of a polynomial is 1e-7, whatever the peak.
_SHAPES: dict[str, dict[str, Any]] = {
    "polynomial": {"lr_end": 0.0},
    "warmup_stable_decay": {"warmup_type": "linear", "decay_type": "cosine"},
}


def _schedule(plan: Plan) -> list[Setting]:
    name, warmup, prefix = plan["training.scheduler.name"], plan["training.warmup"], "training.scheduler."
    fields = {p.removeprefix(prefix): plan[p] for p in plan if p.startswith(prefix) and p != f"{prefix}name"}
    keys = dict(_SCHEDULE_KEYS)
    if name == "constant" and warmup not in (0, "0%"):
        name = "constant_with_warmup"
    elif name == "warmup_stable_decay":
        keys["min_lr_ratio"] = "min_lr_ratio"
    elif name == "cosine" and fields["min_lr_ratio"]:
        name = "cosine_with_min_lr"
    elif name == "cosine":
        keys = {}
    found = [Setting("lr_scheduler_type", name, (f"{prefix}name",))]
    if fields:
        kwargs = {keys[field]: value for field, value in fields.items() if field in keys and value is not None}
        kwargs |= _SHAPES.get(name, {})
        found.append(Setting("lr_scheduler_kwargs", kwargs or None, tuple(f"{prefix}{field}" for field in fields)))
    if isinstance(warmup, int):
        return [*found, take(plan, "warmup_steps", "training.warmup")]
    share = round(float(warmup[:-1]) / 100, 12)
    comment = "share of all steps" if share else ""
    return [*found, Setting("warmup_steps", share, ("training.warmup",), comment=comment)]


def intervals(plan: Plan) -> list[Setting]:
    def every(path: str, name: str) -> list[Setting]:
        if plan[path] == "epoch":
            return [Setting(f"{name}_strategy", "epoch", (path,))]
        return [Setting(f"{name}_strategy", "steps", (path,)), take(plan, f"{name}_steps", path)]

    found = [
        take(plan, "logging_steps", "logging.every"),
        Setting("logging_first_step", True, (), "a first loss to see"),
    ]
    if "evaluation.every" in plan:
        if plan["method"] != "grpo":  # whose own keywords have it
            found.append(take(plan, "per_device_eval_batch_size", "evaluation.micro_batch_size"))
        found += [*every("evaluation.every", "eval"), take(plan, "eval_on_start", "evaluation.at_start")]
    found += [*every("saving.every", "save"), take(plan, "save_total_limit", "saving.keep")]
    comment = "on SIGTERM: save a checkpoint, then stop"
    found.append(Setting("enable_jit_checkpoint", True, (), "an interrupted run can go on", comment))
    found.append(take(plan, "load_best_model_at_end", "saving.best"))
    found.append(take(plan, "save_only_model", "saving.only_model"))
    path = "evaluation.early_stopping.metric"
    if plan["saving.best"] or path in plan:
        paths = (path if path in plan else "saving.best",)
        metric = plan.get(path, "reward" if plan["method"] == "grpo" else "loss")
        found.append(Setting("metric_for_best_model", metric, paths))
        found.append(Setting("greater_is_better", metric == "reward", paths))
    return found


def reporting(plan: Plan) -> list[Setting]:
    """Trackers, and the push to the hub."""
    found = [Setting("report_to", list(plan["tracking"]) or "none", ("tracking",))]
    if plan["tracking"]:
        name, path = plan.get("tracking.wandb.name"), "tracking.wandb.name"
        run_name = Setting("run_name", filled(name), (path,)) if name else Setting("run_name", plan["name"], ("name",))
        found.append(run_name)
    if hub := plan["saving.hub_model_id"]:
        paths = ("saving.hub_model_id",)
        found.append(Setting("push_to_hub", True, paths))
        found.append(Setting("hub_model_id", filled(hub), paths))
        found.append(take(plan, "hub_private_repo", "saving.hub_private"))
        found.append(Setting("hub_strategy", "end", paths, "the final model only"))
    return found


# What a tracker reads from the environment. Source: transformers' integrations/integration_utils.py.
_VARIABLES = {
    "tracking.wandb.project": "WANDB_PROJECT",
    "tracking.wandb.entity": "WANDB_ENTITY",
    "tracking.mlflow.uri": "MLFLOW_TRACKING_URI",
    "tracking.mlflow.experiment": "MLFLOW_EXPERIMENT_NAME",
}


def environment(plan: Plan) -> list[Setting]:
    """Variables that a script sets for its trackers."""
    return [Setting(name, filled(plan[path]), (path,)) for path, name in _VARIABLES.items() if plan.get(path)]


def needed_variables(plan: Plan) -> tuple[str, ...]:
    """Names of the `${NAME}` places of a plan, which must be set when the script starts."""
    texts = [
        plan[p] for p in plan if isinstance(plan[p], str) and (p.startswith("tracking.") or p == "saving.hub_model_id")
    ]
    return tuple(dict.fromkeys(name for text in texts for name in placeholders(text)))


def metrics(plan: Plan) -> HFTrainerMetrics:
    """How the runtime reads this run's metrics."""
    every = plan.get("evaluation.every")
    return HFTrainerMetrics(
        output=OUTPUT,
        logging_steps=plan["logging.every"],
        logging_first_step=True,
        eval_steps=every if isinstance(every, int) else None,
        eval_on_start=bool(plan.get("evaluation.at_start")),
    )
