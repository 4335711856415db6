"""Did-you-mean."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

# What other tools call a field -> its path here. Sources: the tools' own configuration references.
ELSEWHERE = {
    "base_model": "model.id",
    "model_name": "model.id",
    "model_name_or_path": "model.id",
    "lr": "training.learning_rate",
    "num_epochs": "training.epochs",
    "num_train_epochs": "training.epochs",
    "n_epochs": "training.epochs",
    "per_device_train_batch_size": "training.micro_batch_size",
    "train_batch_size": "training.batch_size",
    "global_batch_size": "training.batch_size",
    "gradient_accumulation_steps": "training.micro_batch_size (accumulation follows from it and batch_size)",
    "accumulation": "training.micro_batch_size (accumulation follows from it and batch_size)",
    "lr_scheduler": "training.scheduler",
    "lr_scheduler_type": "training.scheduler",
    "warmup_ratio": "training.warmup (as a percentage: 3%)",
    "warmup_steps": "training.warmup (as an integer)",
    "sequence_len": "training.max_length",
    "max_seq_length": "training.max_length",
    "cutoff_len": "training.max_length",
    "sample_packing": "training.packing",
    "optim": "training.optimizer",
    "adam_beta1": "training.optimizer.betas",
    "adam_epsilon": "training.optimizer.eps",
    "bf16": "training.precision",
    "fp16": "training.precision",
    "torch_dtype": "model.dtype",
    "lora_r": "adapter.rank",
    "r": "adapter.rank",
    "lora_rank": "adapter.rank",
    "lora_alpha": "adapter.alpha",
    "lora_dropout": "adapter.dropout",
    "lora_target_modules": "adapter.target_modules",
    "load_in_4bit": "adapter.type (qlora)",
    "dataset": "data.train",
    "datasets": "data.train",
    "val_set_size": "data.eval (`{split: 0.1}`)",
    "val_size": "data.eval (`{split: 0.1}`)",
    "test_size": "data.eval (`{split: 0.1}`)",
    "train_on_inputs": "data.loss_on (`all`)",
    "eval_steps": "evaluation.every",
    "save_steps": "saving.every",
    "save_total_limit": "saving.keep",
    "logging_steps": "logging.every",
    "report_to": "tracking",
    "load_best_model_at_end": "saving.best",
    "early_stopping_patience": "evaluation.early_stopping.patience",
    "random_seed": "training.seed",
    "random_state": "training.seed",
}


def suggest(word: str, known: Iterable[str]) -> str | None:
    """The nearest known word, if one is near."""
    near = get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return near[0] if near else None
