"""TRL: a script around SFTTrainer or DPOTrainer (https://huggingface.co/docs/trl)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from ...spec.diagnostics import Diagnostic, Level
from ...spec.plan import Plan
from .. import hf_trainer, peft
from ..base import Bundle, DataStep, File, Launch, Trainer
from ..native import Schema, native_schema
from ..python_code import literal, prose
from ..rendering import render
from ..settings import Groups, Setting, by_name, origins, take

REQUIREMENTS = {
    "accelerate": "1.15.0",
    "datasets": "5.2.0",
    "peft": "0.21.2",
    "torch": "2.13.0",
    "transformers": "5.23.0",
    "trl": "1.16.0",
}
OPTIONAL = {"bitsandbytes": "0.50.2", "mlflow": "3.18.0", "tensorboard": "2.21.0", "wandb": "0.31.0"}
CONFIGS = {"sft": "SFTConfig", "pretrain": "SFTConfig", "dpo": "DPOConfig"}
SHAPES = {"sft": ("chat", "prompt_completion", "text"), "pretrain": ("text",), "dpo": ("preference",)}

# Defaults of TRL 1.16.0 and transformers 5.23.0 that change what is trained and that no field of the spec rules.
PINNED: Mapping[str, Any] = {
    "label_smoothing_factor": 0.0,
    "average_tokens_across_devices": True,
    "gradient_checkpointing_kwargs": {"use_reentrant": False},
    "dataloader_drop_last": False,
    "auto_find_batch_size": False,
    "ignore_data_skip": False,
    "tf32": False,
    "torch_compile": False,
}
PINNED_SFT: Mapping[str, Any] = {
    "loss_type": "nll",
    "padding_free": False,
    "shuffle_dataset": False,
}
PINNED_DPO: Mapping[str, Any] = {
    "disable_dropout": True,
    "f_divergence_type": "reverse_kl",
    "use_weighting": False,
    "sync_ref_model": False,
    "precompute_ref_log_probs": False,
}


class Trl(Trainer):
    """Compiles sft, pretrain and dpo to a standalone script."""

    name = "trl"
    target = "trl==1.16.0"
    methods: ClassVar[tuple[str, ...]] = ("sft", "pretrain", "dpo")
    outside: ClassVar[Mapping[str, str]] = {
        "version": "the version of the language",
        "name": "names the bundle and the runs",
        "data.eval.split": "decides which rows are in data/eval.jsonl",
        "data.eval.seed": "decides which rows are in data/eval.jsonl",
        "data.train": "the rows of data/train.jsonl",
        "data.eval": "the rows of data/eval.jsonl",
        "data.test": "the rows of data/test.jsonl",
        "data.format": "decides how rows are converted",
        "data.on_bad_row": "rows are checked when they are converted",
        "hardware.gpu": "a place picks its machine by it; a local run takes the machine it is on",
        "hardware.nodes": "part of the world size that the script checks, and of the launch line",
        "hardware.count": "part of the world size that the script checks, and of the launch line",
        "hardware.strategy": "ddp is what torchrun and the trainer do with several processes",
        "budget.max_hours": "`tuneform run` stops the run",
        "budget.max_usd": "a local run has no price",
        "training.batch_size": "micro batch x accumulation x processes",
    }

    def emit(self, plan: Plan) -> Bundle:
        groups = self.groups(plan)
        files = [
            File("train.py", _script(plan, groups)),
            File("requirements.txt", "".join(f"{line}\n" for line in requirements(plan))),
        ]
        if masks(plan) == "exact":
            text = render("prepare.py.j2", method=plan["method"], shape=plan["data.shape"])
            files.append(File("prepare.py", text))
        return Bundle(
            files=tuple(files),
            run=_launch(plan),
            data=_data(plan),
            origins=origins(plan, "train.py", groups),
            copies=((plan["model.chat_template"], "chat_template.jinja"),) if plan["model.chat_template"] else (),
        )

    def check(self, plan: Plan) -> Iterator[Diagnostic]:
        too_long = plan["training.on_too_long"]
        if plan["data.masks"] == "native" and too_long != "truncate":
            hint = "write `on_too_long: truncate`, or `data.masks: exact`"
            message = f"TRL's own tokenizing cuts long rows; it cannot {too_long} them"
            yield Diagnostic("TF205", Level.ERROR, "training.on_too_long", message, hint)
        if plan["data.masks"] == "native" and not native_is_exact(plan):
            message = "with `masks: native`, TRL also trains the newline after an answer and empty reasoning blocks"
            yield Diagnostic("TF202", Level.WARNING, "data.masks", message, "`masks: auto` trains what the spec says")
        if plan.get("training.packing") and not plan["model.attn_implementation"].startswith("flash"):
            message = f"packed rows see each other with `{plan['model.attn_implementation']}` attention in TRL"
            hint = "set `model.attn_implementation: flash_attention_2`, or `training.packing: false`"
            yield Diagnostic("TF202", Level.WARNING, "training.packing", message, hint)

    def groups(self, plan: Plan) -> Groups:
        found = {
            "AutoTokenizer.from_pretrained": _tokenizer(plan),
            CONFIGS[plan["method"]]: [
                *hf_trainer.optimization(plan),
                *_method(plan),
                *_rows(plan),
                *_model(plan),
                *hf_trainer.intervals(plan),
                *hf_trainer.reporting(plan),
                *[Setting(key, value, (), "extra") for key, value in plan.extra.items()],
            ],
            "pinned": _pinned(plan),
            CONFIGS[plan["method"]].replace("Config", "Trainer"): [take(plan, "model", "model.id")],
        }
        if masks(plan) == "exact":
            found["load_rows"] = _load_rows(plan)
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
        whole = plan["method"] == "pretrain"  # every token, which needs no keyword
        found["script"] = [
            Setting("device", plan["hardware.device"], ("hardware.device",)),
            Setting("processes", plan["hardware.world_size"], ("hardware.world_size",)),
            Setting("adapter", plan["adapter.type"], ("adapter.type",)),
            Setting("trainer", plan["method"], ("method",)),
            Setting("masks", masks(plan), ("data.masks", "data.shape", *(["data.loss_on"] if whole else []))),
        ]
        return found

    def native(self, plan: Plan) -> tuple[str, Schema]:
        config = CONFIGS[plan["method"]]
        return config, native_schema("trl_keys.json", config)


def native_is_exact(plan: Plan) -> bool:
    """True where TRL's own labels are the spec's: every token is trained, so there is nothing to mask."""
    whole = plan["data.shape"] in ("text", "prompt_completion") and plan["data.loss_on"] == "all"
    return plan["method"] != "dpo" and whole


def masks(plan: Plan) -> str:
    """Who makes the labels: TRL where that is proven equal and it can treat long rows as asked, else prepare.py."""
    if plan["data.masks"] != "auto":
        return str(plan["data.masks"])
    return "native" if native_is_exact(plan) and plan["training.on_too_long"] == "truncate" else "exact"


def _tokenizer(plan: Plan) -> list[Setting]:
    found = [take(plan, "name", "model.tokenizer")]
    if plan["model.revision"] and plan["model.tokenizer"] == plan["model.id"]:
        found.append(take(plan, "revision", "model.revision"))
    if plan["model.trust_remote_code"]:
        found.append(take(plan, "trust_remote_code", "model.trust_remote_code"))
    if plan["model.chat_template"]:
        found.append(Setting("chat_template", "chat_template.jinja", ("model.chat_template",)))
    return found


def _method(plan: Plan) -> list[Setting]:
    if plan["method"] != "dpo":
        return []
    found = [take(plan, "beta", "method.dpo.beta"), take(plan, "loss_type", "method.dpo.loss_type")]
    path = "method.dpo.label_smoothing"
    return [*found, take(plan, "label_smoothing", path)] if path in plan else found


def _rows(plan: Plan) -> list[Setting]:
    """How TRL treats rows. Rows from prepare.py fit already, so that its own cutting does nothing."""
    found = [take(plan, "max_length", "training.max_length")]
    order = "random" if plan["data.shuffle"] else "sequential"
    found.append(Setting("train_sampling_strategy", order, ("data.shuffle",)))
    if plan["method"] == "dpo":
        return found
    if masks(plan) == "native":
        for key, tokens in (("assistant_only_loss", "assistant"), ("completion_only_loss", "completion")):
            found.append(Setting(key, plan["data.loss_on"] == tokens, ("data.loss_on",)))
        found.append(Setting("truncation_mode", "keep_start", ("training.on_too_long",)))
    found.append(take(plan, "packing", "training.packing"))
    if plan["training.packing"]:
        found.append(Setting("packing_strategy", "bfd", ("training.packing",), "whole rows, best fit first"))
        found.append(Setting("eval_packing", False, (), "evaluation is over single rows"))
    return found


def _model(plan: Plan) -> list[Setting]:
    kwargs = {"dtype": plan["model.dtype"], "attn_implementation": plan["model.attn_implementation"]}
    paths: tuple[str, ...] = ("model.dtype", "model.attn_implementation")
    if plan["model.revision"]:
        kwargs["revision"], paths = plan["model.revision"], (*paths, "model.revision")
    why = ", ".join(f"{key} from {path}" for key, path in zip(kwargs, paths, strict=True))
    found = [Setting("model_init_kwargs", kwargs, paths, why)]
    return [*found, take(plan, "trust_remote_code", "model.trust_remote_code")]


def _pinned(plan: Plan) -> list[Setting]:
    """Constants that an upgrade of TRL must not change; `extra:` may set them, and then they are there."""
    own = PINNED_DPO if plan["method"] == "dpo" else PINNED_SFT
    if not plan["training.gradient_checkpointing"]:
        own = {**own, "gradient_checkpointing_kwargs": None}
    constants = {**PINNED, **own}
    why = "the default of TRL 1.16.0, written out"
    found = [Setting(k, v, (), why) for k, v in constants.items() if k not in plan.extra]
    return [s for s in found if s.value is not None]


def _load_rows(plan: Plan) -> list[Setting]:
    found = [] if plan["method"] != "sft" else [take(plan, "loss_on", "data.loss_on")]
    return [
        *found,
        take(plan, "max_length", "training.max_length"),
        take(plan, "on_too_long", "training.on_too_long"),
        take(plan, "on_bad_row", "data.on_bad_row"),
    ]


def requirements(plan: Plan) -> list[str]:
    """The direct packages, pinned."""
    wanted = dict(REQUIREMENTS)
    if plan["adapter.type"] == "full":
        del wanted["peft"]
    if plan["adapter.type"] == "qlora" or "8bit" in plan["training.optimizer.name"]:
        wanted["bitsandbytes"] = OPTIONAL["bitsandbytes"]
    wanted |= {name: OPTIONAL[name] for name in plan["tracking"]}
    return [f"{name}=={wanted[name]}" for name in sorted(wanted)]


def launch_line(plan: Plan) -> tuple[str, ...]:
    """The command, as argv. One process needs no launcher."""
    if plan["hardware.world_size"] == 1:
        return ("python", "train.py")
    line = ["python", "-m", "torch.distributed.run"]
    if plan["hardware.nodes"] > 1:
        line += ["--nnodes", str(plan["hardware.nodes"])]
    return (*line, "--nproc_per_node", str(plan["hardware.count"]), "train.py")


def _launch(plan: Plan) -> Launch:
    return Launch(
        argv=launch_line(plan),
        requirements="requirements.txt",
        metrics=hf_trainer.metrics(plan),
        needs=hf_trainer.needed_variables(plan),
        total_steps=plan["training.total_steps"],
        max_hours=plan["budget.max_hours"],
    )


def _data(plan: Plan) -> tuple[DataStep, ...]:
    shape = plan["data.shape"]
    steps = [DataStep("train", shape, "data/train.jsonl")]
    if "data.eval" in plan or "data.eval.split" in plan:
        steps.append(DataStep("eval", shape, "data/eval.jsonl"))
    if "data.test" in plan:
        steps.append(DataStep("test", shape, "data/test.jsonl"))
    return tuple(steps)


def _script(plan: Plan, groups: Groups) -> str:
    config = CONFIGS[plan["method"]]
    adapter = {"full": "Full", "lora": "LoRA", "qlora": "QLoRA"}[plan["adapter.type"]]
    method = {"sft": "SFT", "pretrain": "pretraining", "dpo": "DPO"}[plan["method"]]
    tokenizer = by_name(groups["AutoTokenizer.from_pretrained"])
    arguments = [literal(tokenizer["name"])]
    arguments += [f"{key}={literal(tokenizer[key])}" for key in ("revision", "trust_remote_code") if key in tokenizer]
    optional = [name for name in ("BitsAndBytesConfig", "EarlyStoppingCallback") if name in groups]
    return render(
        "trl_train.py.j2",
        title=f"{adapter} {method} of {prose(plan['model.id'], 'a model')}: {plan['name']}.",
        launch=" ".join(launch_line(plan)),
        requirements=requirements(plan),
        config=config,
        trainer=config.replace("Config", "Trainer"),
        written_for="TRL " + REQUIREMENTS["trl"],
        imports=sorted(["AutoTokenizer", *optional]),
        tokenizer=tokenizer,
        tokenizer_args=", ".join(arguments),
        groups={"os.environ": [], **groups},
        exact=masks(plan) == "exact",
        method=plan["method"],
        splits=[step.split for step in _data(plan) if step.split != "test"],
        device=plan["hardware.device"],
        world=plan["hardware.world_size"],
        needs_os=bool(hf_trainer.environment(plan) or hf_trainer.needed_variables(plan)),
        pushes=bool(plan["saving.hub_model_id"]),
    )


TARGET = Trl()
