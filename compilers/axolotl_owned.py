"""Keys of Axolotl that fields of the spec rule although no config.yaml here writes them, so that `extra:` leaves them.

Rows come from prepare.py: keys that rule Axolotl's own rows would have no effect, and be dropped in silence.
"""

from __future__ import annotations

from collections.abc import Mapping

_BY_PATH: Mapping[str, tuple[str, ...]] = {
    "method": ("rl", "rl_beta", "reward_model", "process_reward_model", "pretraining_dataset", "trl", "trainer_cls"),
    "method.dpo": (
        "dpo_beta",
        "dpo_label_smoothing",
        "dpo_loss_type",
        "dpo_loss_weights",
        "precompute_ref_log_probs",
        "dpo_use_liger_kernel",
    ),
    "method.kto": ("kto_desirable_weight", "kto_undesirable_weight"),
    "method.orpo": ("orpo_alpha",),
    "model.attn_implementation": (
        *("flash_attention", "sdp_attention", "eager_attention", "flex_attention", "sage_attention"),
        "xformers_attention",
    ),
    "model.chat_template": ("chat_template", "chat_template_jinja"),
    "model.start_from": ("lora_model_dir",),
    "model.special_tokens": ("tokens",),
    "adapter.type": ("adapter", "load_in_8bit", "load_in_4bit"),
    "adapter.quantization": ("bnb_config_kwargs",),
    "adapter.target_modules": ("lora_target_linear",),
    "data.train": ("streaming", "dataset_prepared_path", "skip_prepare_dataset", "push_dataset_to_hub"),
    "data.eval": ("test_datasets",),
    "data.loss_on": ("train_on_inputs", "eot_tokens", "role_boundaries", "default_system_message"),
    "data.shuffle": ("shuffle_merged_datasets", "shuffle_before_merging_datasets", "curriculum_sampling"),
    "training.on_too_long": ("min_sample_len", "eval_sequence_len", "dataset_exact_deduplication"),
    "training.max_length": ("max_prompt_len",),
    "training.epochs": ("num_epochs", "max_steps"),
    "training.batch_size": ("batch_size",),
    "training.warmup": ("warmup_steps", "warmup_ratio", "lr_quadratic_warmup"),
    "training.scheduler": ("lr_scheduler_kwargs", "cosine_min_lr_ratio", "cosine_constant_lr_ratio"),
    "training.neftune_noise_alpha": ("neftune_noise_alpha", "noisy_embedding_alpha"),
    "training.packing": (
        *("pretraining_sample_concatenation", "eval_sample_packing", "sample_packing_sequentially"),
        *("sample_packing_bin_size", "sample_packing_group_size", "batch_flattening", "pretrain_multipack_attn"),
    ),
    "training.group_by_length": ("group_by_length",),
    "training.precision": ("bfloat16", "float16", "float32", "fp8"),
    "training.gradient_checkpointing": ("gradient_checkpointing_kwargs",),
    "evaluation.every": ("eval_strategy", "evaluation_strategy", "eval_steps", "evals_per_epoch", "eval_batch_size"),
    "evaluation.early_stopping": ("early_stopping_patience", "metric_for_best_model", "greater_is_better"),
    "saving.every": ("save_strategy", "save_steps", "saves_per_epoch"),
    "saving.best": ("load_best_model_at_end",),
    "saving.hub_model_id": ("hub_model_id", "hub_strategy"),
    "tracking.wandb": ("wandb_project", "wandb_entity", "wandb_name"),
    "tracking.mlflow": ("mlflow_tracking_uri", "mlflow_experiment_name", "mlflow_run_name"),
    "hardware.device": ("device", "device_map", "local_rank"),
    "hardware.count": ("world_size", "use_ray"),
    "hardware.strategy": ("fsdp", "fsdp_config", "fsdp_version", "fsdp_final_state_dict_type", "deepspeed", "ddp"),
    "": ("resume_from_checkpoint", "remove_unused_columns", "axolotl_config_path", "is_preprocess"),
}
OWNED: Mapping[str, str] = {key: path for path, keys in _BY_PATH.items() for key in keys}
"""Key -> the field that rules it; "" for Tuneform itself."""

NEXT_TOKEN_ONLY = frozenset(
    (
        *("auto_find_batch_size", "bench_dataset", "center_rewards_coefficient", "dataloader_drop_last"),
        *("ddp_broadcast_buffers", "ddp_bucket_cap_mb", "ddp_find_unused_parameters", "ddp_timeout"),
        *("do_bench_eval", "do_causal_lm_eval", "eaft_alpha", "eaft_k", "eval_table_size", "generate_samples"),
        *("jagged_restart_anneal_steps", "jagged_restart_steps", "jagged_restart_warmup_steps"),
        *("lisa_layers_attribute", "lisa_n_layers", "lisa_step_interval", "loss_watchdog_threshold"),
        *("lr_quadratic_warmup", "pad_to_sequence_len", "relora", "relora_prune_method", "relora_prune_ratio"),
        "use_eaft",
    )
)
"""Keys that Axolotl reads for sft and pretrain alone (core/builders/causal.py, and not rl.py or base.py)."""
