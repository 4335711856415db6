"""How a change is told: words by dotted path. A path that has none is told by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import difference_tellings as tell
from .difference_paths import Group
from .difference_tellings import Case, Telling, always, either, fewer, switched, times

HEADINGS: Mapping[Group, str] = {
    "objective": "changes what is trained",
    "optimization": "changes the optimization",
    "run": "changes only the run",
}


# path -> how it is called, and what a change of it means
WORDS: Mapping[str, tuple[str, Telling | None]] = {
    "method": ("method", tell.method),
    "method.dpo.beta": ("DPO beta", times),
    "method.dpo.loss_type": ("DPO loss", None),
    "method.dpo.label_smoothing": ("label smoothing", None),
    "method.dpo.rpo_alpha": (
        "RPO alpha",
        switched("a next-token loss on the chosen answer is added", "no next-token loss beside the preference loss"),
    ),
    "method.kto.beta": ("KTO beta", times),
    "method.dpo.precompute_ref_log_probs": ("DPO reference computed beforehand", None),
    "method.kto.precompute_ref_log_probs": ("KTO reference computed beforehand", None),
    "method.grpo.min_p": ("sampling min p", None),
    "method.grpo.repetition_penalty": ("sampling repetition penalty", None),
    "training.learning_rate_multiplier": ("learning rate multiplier", times),
    "training.activation_offloading": ("activation offloading", None),
    "training.router_aux_loss_coef": ("load-balancing loss of the experts", None),
    "evaluation.micro_batch_size": ("micro batch of evaluation", None),
    "adapter.target_parameters": ("LoRA parameters", None),
    "method.kto.loss_type": ("KTO loss", None),
    "method.kto.desirable_weight": ("weight of desirable answers", times),
    "method.kto.undesirable_weight": ("weight of undesirable answers", times),
    "method.orpo.beta": ("ORPO beta", times),
    "method.grpo.num_generations": ("answers for each prompt", times),
    "method.grpo.max_completion_length": ("longest answer in tokens", None),
    "method.grpo.temperature": ("sampling temperature", None),
    "method.grpo.top_p": ("top-p", None),
    "method.grpo.top_k": ("top-k", None),
    "method.grpo.beta": (
        "GRPO beta",
        switched("a KL term pulls to the reference model", "no KL term and no reference model"),
    ),
    "method.grpo.epsilon": ("clipping range epsilon", times),
    "method.grpo.epsilon_high": ("upper clipping range", times),
    "method.grpo.loss_type": ("GRPO loss", None),
    "method.grpo.scale_rewards": ("rewards are scaled by", None),
    "method.grpo.importance_sampling_level": ("importance sampling by", None),
    "method.grpo.num_iterations": ("passes over each batch of answers", None),
    "method.grpo.mask_truncated_completions": (
        "truncated answers masked",
        either("answers that reach the limit are not in the loss", "answers that reach the limit are in the loss"),
    ),
    "method.rft.num_generations": ("answers for each prompt", times),
    "method.rft.reasoning_effort": ("reasoning effort", None),
    "rewards": ("rewards", tell.rewards),
    "model.id": ("base model", always("training starts from other weights")),
    "model.revision": ("model revision", always("other weights, if the repository changed between")),
    "model.tokenizer": ("tokenizer", always("rows become other tokens")),
    "model.chat_template": ("chat template", always("rows are written as other text")),
    "model.dtype": ("weights stored as", None),
    "model.attn_implementation": ("attention", always("another implementation of the same computation")),
    "model.trust_remote_code": ("trust remote code", either("the repository's own code runs", "")),
    "model.start_from": ("starts from", always("training starts from other weights")),
    "model.special_tokens.pad_token": ("pad token", tell.token),
    "model.special_tokens.eos_token": ("end token", always("texts end in another token")),
    "model.special_tokens.bos_token": ("begin token", always("texts begin with another token")),
    "model.special_tokens.additional": ("special tokens", always("rows become other tokens")),
    "model.accept_eula": ("licence accepted", None),
    "adapter.type": ("adapter", tell.adapter),
    "adapter.rank": ("LoRA rank", tell.rank),
    "adapter.alpha": ("LoRA alpha", tell.scale),
    "adapter.dropout": ("LoRA dropout", None),
    "adapter.target_modules": ("LoRA modules", always("other weights are trained")),
    "adapter.modules_to_save": ("modules trained in full", always("other weights are trained")),
    "adapter.use_dora": ("DoRA", None),
    "adapter.use_rslora": ("rsLoRA", tell.scale),
    "adapter.init": ("LoRA start", None),
    "adapter.quantization.bits": ("quantization bits", None),
    "adapter.quantization.type": ("quantization type", None),
    "adapter.quantization.double_quant": ("double quantization", None),
    "adapter.quantization.compute_dtype": ("quantized weights compute in", None),
    "data.train": ("training data", tell.sources("train")),
    "data.eval": ("evaluation data", tell.sources("eval")),
    "data.test": ("test data", tell.sources("test")),
    "data.eval.split": ("share held out", always("held-out rows are not trained")),
    "data.eval.seed": ("hold-out seed", always("other rows are held out")),
    "data.eval.stratify": ("held out by", always("other rows are held out")),
    "data.format": ("row format", tell.shape),
    "data.shape": ("rows are", None),
    "data.loss_on": ("trained tokens", None),
    "data.masks": ("labels made by", None),
    "data.shuffle": ("shuffle", either("a new random order each epoch", "rows in the order of the file")),
    "data.on_bad_row": ("unusable rows", None),
    "rows.train": ("training rows", tell.rows("train")),
    "rows.eval": ("evaluation rows", tell.rows("eval")),
    "rows.test": ("test rows", tell.rows("test")),
    "training.epochs": ("epochs", None),
    "training.max_steps": ("steps to train", fewer),
    "training.batch_size": ("global batch", times),
    "training.micro_batch_size": ("micro batch", None),
    "training.gradient_accumulation_steps": ("gradient accumulation", None),
    "training.learning_rate": ("learning rate", times),
    "training.optimizer.name": ("optimizer", None),
    "training.optimizer.betas": ("Adam betas", None),
    "training.optimizer.eps": ("Adam epsilon", times),
    "training.weight_decay": ("weight decay", times),
    "training.max_grad_norm": ("gradient clipping", either("", "nothing is clipped")),
    "training.scheduler.name": ("schedule", None),
    "training.scheduler.min_lr_ratio": ("final share of the learning rate", None),
    "training.scheduler.num_cycles": ("restarts", None),
    "training.scheduler.power": ("power of the decay", None),
    "training.scheduler.timescale": ("inverse square root timescale", None),
    "training.scheduler.decay_steps": ("decay steps", None),
    "training.warmup": ("warmup", tell.warmup),
    "training.warmup_steps": ("effective warmup steps", None),
    "training.total_steps": ("optimizer steps", fewer),
    "training.max_length": ("longest row in tokens", tell.too_long),
    "training.on_too_long": ("longer rows", None),
    "training.packing": ("packing", either("several rows share a sequence", "one row a sequence")),
    "training.packing_strategy": ("packing strategy", tell.packs),
    "training.group_by_length": (
        "group by length",
        either("batches of rows of similar length, in a less random order", "rows in random order"),
    ),
    "training.neftune_noise_alpha": ("NEFTune alpha", switched("noise on the embeddings while training", "no noise")),
    "training.precision": ("arithmetic", None),
    "training.gradient_checkpointing": (
        "gradient checkpointing",
        either("same gradients, less memory, more time", "same gradients, more memory, less time"),
    ),
    "training.liger_kernel": ("Liger kernels", always("the same computation in other kernels")),
    "training.torch_compile": ("torch.compile", always("the same computation in other kernels")),
    "training.seed": ("seed", always("another random start and order of rows")),
    "evaluation.every": ("evaluation every", None),
    "evaluation.at_start": ("evaluation at the start", None),
    "evaluation.early_stopping": (
        "early stopping",
        either("training may end before its last step", "training goes on to its last step"),
    ),
    "evaluation.early_stopping.patience": ("early stopping patience", always("training may end at another step")),
    "evaluation.early_stopping.metric": ("early stopping metric", None),
    "evaluation.early_stopping.min_delta": ("early stopping threshold", None),
    "saving.every": ("checkpoint every", None),
    "saving.keep": ("checkpoints kept", None),
    "saving.best": ("keep the best checkpoint", either("ends with the best weights", "ends with the last weights")),
    "saving.hub_model_id": ("pushed to the hub as", None),
    "saving.hub_private": ("private on the hub", None),
    "saving.only_model": (
        "model-only checkpoints",
        either("a run cannot go on from them", "a run can go on from them"),
    ),
    "logging.every": ("metrics every", None),
    "logging.completions": ("sampled answers logged", None),
    "tracking": ("tracking", None),
    "tracking.wandb.project": ("W&B project", None),
    "tracking.wandb.entity": ("W&B entity", None),
    "tracking.wandb.name": ("W&B run name", None),
    "tracking.mlflow.uri": ("MLflow URI", None),
    "tracking.mlflow.experiment": ("MLflow experiment", None),
    "hardware.device": ("device", None),
    "hardware.world_size": ("processes", None),
    "hardware.strategy": ("devices share by", None),
    "hardware.count": ("devices a node", None),
    "hardware.nodes": ("nodes", None),
    "hardware.gpu": ("GPU", None),
    "hardware.fsdp.reshard_after_forward": (
        "FSDP reshard after forward",
        either("weights are sharded between passes: least memory", "weights stay gathered: less traffic"),
    ),
    "hardware.fsdp.cpu_offload": ("FSDP CPU offload", None),
    "hardware.deepspeed.stage": ("ZeRO stage", None),
    "hardware.deepspeed.offload_optimizer": ("ZeRO optimizer offload", None),
    "hardware.deepspeed.offload_param": ("ZeRO parameter offload", None),
    "budget.max_hours": ("limit in hours", None),
    "budget.max_usd": ("limit in USD", None),
    "name": ("name", None),
    "version": ("version of the language", None),
    "target": ("target", always("another tool trains it")),
    "target.version": ("version of the trainer", always("another version of the same tool trains it")),
}
EMPTY: Mapping[str, str] = {  # how no value is shown, where it says something
    "training.max_steps": "by epochs",
    "training.total_steps": "not known",
    "training.warmup_steps": "not known",
    "saving.keep": "all",
    "model.revision": "main branch",
    "model.chat_template": "the tokenizer's own",
    "model.start_from": "the base model",
    "model.special_tokens.pad_token": "the tokenizer's own",
    "model.special_tokens.eos_token": "the tokenizer's own",
    "model.special_tokens.bos_token": "the tokenizer's own",
    "training.neftune_noise_alpha": "none",
    "training.scheduler.timescale": "the warmup steps",
    "method.rft.num_generations": "the service's own",
    "method.rft.reasoning_effort": "the service's own",
    "budget.max_hours": "none",
    "budget.max_usd": "none",
}


def title(path: str) -> str:
    """What a path is called: its name in the spec where there is no better word."""
    return WORDS[path][0] if path in WORDS else path


def means(path: str, before: Any, after: Any, case: Case) -> str:
    """What a change comes to, in words; "" where the values say it all."""
    if path.startswith("option."):
        return "an option of the target"
    if path.startswith("extra."):
        return "a native key, passed on as it is"
    telling = WORDS[path][1] if path in WORDS else None
    if telling is None or (before is None and after is None):
        return ""
    return telling(before, after, case)
