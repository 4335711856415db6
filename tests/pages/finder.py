"""Where newcomers look first, and the units of numbers: what the models do not say themselves."""

from __future__ import annotations

# Question -> the paths that answer it.
FINDER: dict[str, tuple[str, ...]] = {
    "the learning rate": ("training.learning_rate", "training.scheduler", "training.warmup"),
    "the batch size": ("training.batch_size", "training.micro_batch_size"),
    "how long to train": ("training.epochs", "training.max_steps", "budget.max_hours"),
    "LoRA rank, alpha, target modules": ("adapter.rank", "adapter.alpha", "adapter.target_modules"),
    "full fine-tuning, LoRA or QLoRA": ("adapter.type", "adapter.quantization"),
    "which tokens are trained (the mask)": ("data.loss_on", "data.masks"),
    "the longest row, and what longer ones do": ("training.max_length", "training.on_too_long"),
    "packing": ("training.packing", "training.packing_strategy"),
    "the optimizer and weight decay": ("training.optimizer", "training.weight_decay"),
    "bf16, fp16, fp32": ("training.precision", "model.dtype"),
    "flash attention": ("model.attn_implementation",),
    "less GPU memory": (
        *("training.gradient_checkpointing", "training.micro_batch_size", "training.liger_kernel"),
        *("adapter.type", "hardware.fsdp", "hardware.deepspeed"),
    ),
    "several GPUs or machines": ("hardware.count", "hardware.nodes", "hardware.strategy"),
    "the rows, their format and columns": ("data.train", "data.format", "data.train[].columns"),
    "rows for evaluation": ("data.eval", "evaluation.every"),
    "early stopping, the best checkpoint": ("evaluation.early_stopping", "saving.best"),
    "checkpoints": ("saving.every", "saving.keep"),
    "pushing to the hub": ("saving.hub_model_id", "saving.hub_private"),
    "the strength of a preference loss (beta)": ("method.dpo.beta", "method.kto.beta", "method.orpo.beta"),
    "rewards": ("rewards",),
    "the chat template, the pad token": ("model.chat_template", "model.special_tokens"),
    "going on from an earlier run": ("model.start_from", "stages"),
    "Weights & Biases, MLflow, TensorBoard": ("tracking.wandb", "tracking.mlflow", "tracking.tensorboard"),
    "the seed": ("training.seed",),
    "a key of the trainer that the language lacks": ("targets.<label>.extra",),
    "another value for one target": ("targets.<label>.set",),
}

# Path of a number -> its unit; other numbers are plain.
UNITS: dict[str, str] = {
    "budget.max_hours": "hours",
    "budget.max_usd": "US dollars",
    "evaluation.early_stopping.patience": "evaluations",
    "evaluation.every": "optimizer steps",
    "evaluation.micro_batch_size": "rows",
    "hardware.count": "devices",
    "hardware.nodes": "machines",
    "logging.every": "optimizer steps",
    "method.grpo.max_completion_length": "tokens",
    "method.grpo.num_generations": "answers",
    "method.grpo.num_iterations": "passes",
    "method.grpo.top_k": "tokens",
    "method.rft.num_generations": "answers",
    "saving.every": "optimizer steps",
    "saving.keep": "checkpoints",
    "training.batch_size": "rows",
    "training.epochs": "passes",
    "training.max_length": "tokens",
    "training.max_steps": "optimizer steps",
    "training.micro_batch_size": "rows",
    "training.scheduler.decay_steps": "optimizer steps",
    "training.scheduler.num_cycles": "restarts",
    "training.scheduler.timescale": "optimizer steps",
    "training.warmup": "optimizer steps",
}
