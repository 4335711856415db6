"""The scripts that prove options against the real trainer: what each is made with, and what is looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .bundles import bundle

Case = dict[str, Any]

SHORT: Case = {"precision": "fp32", "batch_size": 2, "micro_batch_size": 2, "max_length": 64, "max_steps": 1}
NO_EVAL: Case = {"eval": None}
PEAK, STEPS, WARMUP = 1e-3, 12, 3

SCHEDULES: dict[str, Case] = {
    "linear": {"scheduler": "linear"},
    "cosine": {"scheduler": "cosine"},
    "cosine-floor": {"scheduler": {"name": "cosine", "min_lr_ratio": 0.1}},
    "restarts": {"scheduler": {"name": "cosine_with_restarts", "num_cycles": 3}},
    "polynomial": {"scheduler": {"name": "polynomial", "power": 2.0}},
    "inverse_sqrt": {"scheduler": "inverse_sqrt"},
    "inverse_sqrt-5": {"scheduler": {"name": "inverse_sqrt", "timescale": 5}},
    "stable": {"scheduler": {"name": "warmup_stable_decay", "decay_steps": 4, "min_lr_ratio": 0.1}},
    "constant": {"scheduler": "constant"},
    "constant-cold": {"scheduler": "constant", "warmup": 0},
    "share": {"scheduler": "linear", "warmup": "20%"},
}
OPTIMIZERS: dict[str, Case] = {
    "adamw_torch": {"betas": [0.8, 0.95], "eps": 1e-7},
    "adamw_torch_fused": {"betas": [0.8, 0.95], "eps": 1e-7},
    "adafactor": {},
    "sgd": {},
    "rmsprop": {},
    "adagrad": {},
}
QUANTIZED = ["adamw_8bit", "paged_adamw_8bit", "paged_adamw_32bit", "lion_32bit", "lion_8bit", "paged_lion_32bit",
             "paged_lion_8bit"]  # fmt: skip
ADAPTERS: dict[str, Case] = {
    "default": {},
    "rslora": {"use_rslora": True},
    "dora": {"use_dora": True},
    "gaussian": {"init": "gaussian"},
    "pissa": {"init": "pissa"},
    "olora": {"init": "olora"},
    "orthogonal": {"init": "orthogonal"},
    "saved": {"modules_to_save": ["lm_head"], "target_modules": ["q_proj"]},
}
TRAINED: dict[str, Case] = {
    "plain": {},
    "noise": {"neftune_noise_alpha": 5.0},
    "compiled": {"torch_compile": True},
}
TEXTS = [{"text": "The lamp buzzes. " * (1 + 5 * (i % 4))} for i in range(12)]
PACKED: dict[str, Case] = {
    "bfd": {"packing_strategy": "bfd"},
    "bfd_split": {"packing_strategy": "bfd_split"},
    "wrapped": {"packing_strategy": "wrapped"},
}


def schedules(model: Path, root: Path) -> list[Case]:
    found = []
    for name, changes in SCHEDULES.items():
        training = {**SHORT, "max_steps": STEPS, "learning_rate": PEAK, "warmup": WARMUP, **changes}
        folder = bundle("sft", "lora", model, root / f"schedule-{name}", data=NO_EVAL, training=training)
        found.append({"name": f"schedule-{name}", "folder": folder})
    for name, arguments in OPTIMIZERS.items():
        training = {**SHORT, "max_steps": 2, "weight_decay": 0.25, "optimizer": {"name": name, **arguments}}
        folder = bundle("sft", "full", model, root / f"optimizer-{name}", data=NO_EVAL, training=training)
        found.append({"name": f"optimizer-{name}", "folder": folder})
    # bitsandbytes' run on CUDA only, as far as the language goes; their step also works here.
    look: Case = {"look": "quantized_optimizers", "optimizers": QUANTIZED, "script": False}
    found.append({"name": "quantized-optimizers", "folder": root, **look})
    return found


def options(model: Path, root: Path) -> list[Case]:
    found = []
    for name, changes in ADAPTERS.items():
        training = {**SHORT, "max_steps": 3, "learning_rate": 1e-2}
        adapter = {"rank": 4, "alpha": 8, **changes}
        folder = bundle(
            "sft", "lora", model, root / f"adapter-{name}", data=NO_EVAL, training=training, adapter=adapter
        )
        found.append({"name": f"adapter-{name}", "folder": folder, "look": "adapter", "model": str(model)})
    for name, changes in PACKED.items():
        training = {**SHORT, "max_length": 32, "packing": True, **changes}
        data = {**NO_EVAL, "loss_on": "all"}
        folder = bundle("pretrain", "lora", model, root / name, TEXTS, data=data, training=training)
        found.append({"name": f"packed-{name}", "folder": folder, "look": "rows"})
    for name, more in TRAINED.items():
        training = {**SHORT, "max_steps": 2, **more}
        folder = bundle("sft", "full", model, root / f"train-{name}", training=training, saving={"every": 2})
        found.append({"name": f"train-{name}", "folder": folder})
    training = {**SHORT, "max_length": 512, "group_by_length": True}
    folder = bundle("pretrain", "lora", model, root / "grouped", TEXTS, data=NO_EVAL, training=training)
    found.append({"name": "grouped", "folder": folder, "look": "rows"})
    training = {**SHORT, "max_steps": 4}
    saving: Case = {"every": 1, "keep": 2, "only_model": True}
    folder = bundle("sft", "lora", model, root / "saved", data=NO_EVAL, training=training, saving=saving)
    found.append({"name": "saving", "folder": folder})
    saving = {"hub_model_id": "${HUB_ORG}/tuned", "hub_private": True}
    folder = bundle("sft", "lora", model, root / "hub", data=NO_EVAL, training=SHORT, saving=saving)
    found.append({"name": "hub", "folder": folder, "hub": True, "env": {"HUB_ORG": "acme"}})
    return found


NEW = {"pad_token": "<|fill|>", "eos_token": "<|stop|>", "additional": ["<|think|>", "<|act|>"]}
OLD = {"pad_token": "<pad>", "eos_token": "<|im_end|>"}


def special_tokens(model: Path, root: Path) -> list[Case]:
    found = []
    said = [{"prompt": f"Order {i}?", "completion": " <|think|> late <|act|>"} for i in range(8)]
    for name, adapter, changes, tokens in (
        ("lora", "lora", {"modules_to_save": ["embed_tokens", "lm_head"]}, NEW),
        ("full", "full", {}, NEW),
        ("old", "lora", {}, OLD),
    ):
        training = {**SHORT, "max_steps": 2, "learning_rate": 1e-2, "warmup": 0}
        settings = {"id": str(model), "special_tokens": tokens}
        folder = bundle("sft", adapter, model, root / f"tokens-{name}", said, data=NO_EVAL, training=training,
                        model=settings, adapter=changes)  # fmt: skip
        words = [t for value in tokens.values() for t in ([value] if isinstance(value, str) else value)]
        found.append(
            {"name": f"tokens-{name}", "folder": folder, "look": "special", "model": str(model), "tokens": words}
        )
    return found


def chains(model: Path, root: Path) -> list[Case]:
    """Runs that start from the results of earlier ones. The earlier ones come first."""
    found: list[Case] = []
    training = {**SHORT, "max_steps": 2, "learning_rate": 1e-2, "warmup": 0}

    def add(name: str, method: str, kind: str, start: str | None = None, **more: Any) -> None:
        first = str(root / start / "bundle" / "output") if start else None
        settings = {"id": str(model), **({"start_from": first} if first else {})}
        folder = bundle(method, kind, model, root / name, data=NO_EVAL, model=settings,
                        **{"training": training, **more})  # fmt: skip
        look = {"look": "start", "first": first} if first else {}
        found.append({"name": name, "folder": folder, "model": str(model), **look})

    add("chain-lora", "sft", "lora", adapter={"use_rslora": True})
    add("chain-dpo", "dpo", "lora", "chain-lora", saving={"every": 1})
    found.append({**found[-1], "name": "chain-resumed", "remove": ["output/checkpoint-2"]})
    add("chain-third", "kto", "lora", "chain-dpo")
    add("chain-full", "sft", "full")
    add("chain-full-dpo", "dpo", "full", "chain-full")
    add("chain-qlora", "sft", "qlora")
    add("chain-unquantized", "dpo", "lora", "chain-qlora")
    add("chain-dora", "sft", "lora", adapter={"use_dora": True})
    add("chain-pissa", "sft", "lora", adapter={"init": "pissa"})
    add("chain-after-dora", "sft", "full", "chain-dora")
    add("chain-after-pissa", "dpo", "lora", "chain-pissa")
    return found


TRACKERS = {
    "wandb": {"wandb": {"project": "${TEAM}-triage", "entity": "acme", "name": "first ${TEAM}"}},
    "mlflow": {"mlflow": {"uri": "sqlite:///${TEAM}.db", "experiment": "triage of ${TEAM}"}},
    "tensorboard": {"tensorboard": {}},
}


def trackers(model: Path, root: Path) -> list[Case]:
    found = []
    for name, tracking in TRACKERS.items():
        training = {**SHORT, "max_steps": 3}
        folder = bundle("sft", "lora", model, root / f"tracker-{name}", training=training, tracking=tracking)
        env = {"TEAM": "red", "WANDB_MODE": "offline", "WANDB_SILENT": "true"}
        found.append({"name": f"tracker-{name}", "folder": folder, "env": env, "look": "tracked"})
    return found


def methods(model: Path, root: Path) -> list[Case]:
    """What kto, orpo and grpo do beyond training."""
    found = []
    kto = [
        {"prompt": f"Order {i}?", "completion": f" It is {'late ' * (i % 5)}{i}.", "label": i % 3 == 0}
        for i in range(9)
    ]
    training = {**SHORT, "batch_size": 4, "micro_batch_size": 4}
    folder = bundle("kto", "lora", model, root / "own-kto", kto, data=NO_EVAL, training=training)
    columns = ["prompt_ids", "completion_ids", "KL_completion_ids", "label"]
    found.append({"name": "own-kto", "folder": folder, "look": "own_rows", "columns": columns, "shuffled": 42})
    folder = bundle("orpo", "lora", model, root / "own-orpo", data=NO_EVAL, training=SHORT)
    columns = [f"{s}_{k}" for s in ("chosen", "rejected") for k in ("input_ids", "attention_mask", "labels")]
    found.append({"name": "own-orpo", "folder": folder, "look": "own_rows",
                  "columns": [*columns, "prompt_input_ids", "prompt_attention_mask"]})  # fmt: skip
    folder = bundle("dpo", "lora", model, root / "own-dpo", data=NO_EVAL, training=SHORT)
    columns = ["prompt_ids", "chosen_ids", "rejected_ids"]
    found.append({"name": "own-dpo", "folder": folder, "look": "own_rows", "columns": columns})

    # The reward falls from call to call, so that the first evaluation stays the best one.
    falling = "calls = []\n\n\ndef score(sample, item):\n    calls.append(1)\n    return -len(calls) / 100\n"
    training = {**SHORT, "max_steps": 6}
    evaluation = {"every": 1, "at_start": False, "early_stopping": {"patience": 2}}
    saving = {"every": 1, "best": True}
    folder = bundle("grpo", "lora", model, root / "grpo-early", score=falling, training=training,
                    evaluation=evaluation, saving=saving)  # fmt: skip
    found.append({"name": "grpo-early", "folder": folder})
    for name, score in {
        "raises": "def score(sample, item):\n    return 1 / 0\n",
        "text": "def score(sample, item):\n    return 'good'\n",
        "nan": "def score(sample, item):\n    return float('nan')\n",
        "none": "def score(sample, item):\n    pass\n",
    }.items():
        folder = bundle("grpo", "lora", model, root / f"reward-{name}", score=score, data=NO_EVAL, training=SHORT)
        found.append({"name": f"reward-{name}", "folder": folder})
    return found


GROUPS = (schedules, options, special_tokens, chains, trackers, methods)


def all_cases(model: Path, root: Path) -> list[Case]:
    """Every case; `folder` is a bundle's."""
    return [{**case, "folder": str(case["folder"])} for group in GROUPS for case in group(model, root)]
