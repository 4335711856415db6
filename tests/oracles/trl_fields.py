"""Fields of TRL's config classes that no generated script sets, each with the reason why it may be left alone."""

OFF = "off unless it is set, and `extra:` can set it"
SPEED = "speed or memory, not what is trained"
LOGS = "what is logged, not what is trained"
EVALUATION = "how evaluation is computed or reported, not what is trained"
SAVING = "what is saved or pushed, not what is trained"
ELSEWHERE = "follows from something that the script does set"

UNSET: dict[str, str] = {
    **dict.fromkeys(
        ("optim_args", "optim_target_modules", "neftune_noise_alpha", "router_aux_loss_coef", "eos_token", "pad_token"), OFF
    ),
    **dict.fromkeys(
        ("activation_checkpointing", "activation_checkpointing_kwargs", "activation_offloading", "full_determinism",
         "torch_compile_backend", "torch_compile_mode", "use_liger_kernel", "liger_kernel_config", "use_cache",
         "torch_empty_cache_steps", "dataloader_num_workers", "dataloader_pin_memory", "dataloader_persistent_workers",
         "dataloader_prefetch_factor", "dataloader_multiprocessing_context", "dataloader_in_order", "dataset_num_proc",
         "pad_to_multiple_of", "ddp_find_unused_parameters", "ddp_bucket_cap_mb", "ddp_broadcast_buffers",
         "ddp_static_graph", "ddp_backend", "ddp_timeout", "precompute_ref_batch_size"), SPEED
    ),
    **dict.fromkeys(
        ("logging_strategy", "log_on_each_node", "logging_nan_inf_filter", "include_num_input_tokens_seen", "log_level",
         "log_level_replica", "disable_tqdm", "project", "trackio_space_id", "trackio_bucket_id",
         "trackio_static_space_id", "skip_memory_metrics", "debug"), LOGS
    ),
    **dict.fromkeys(
        ("eval_delay", "prediction_loss_only", "eval_do_concat_batches", "eval_use_gather_object", "label_names",
         "eval_accumulation_steps", "include_for_metrics", "batch_eval_metrics", "bf16_full_eval", "fp16_full_eval",
         "do_train", "do_eval", "do_predict"), EVALUATION
    ),
    **dict.fromkeys(
        ("save_only_model", "save_on_each_node", "hub_token", "hub_private_repo", "hub_always_push", "hub_revision",
         "restore_callback_states_from_checkpoint"), SAVING
    ),
    **dict.fromkeys(
        ("data_seed", "accelerator_config", "parallelism_config", "remove_unused_columns", "length_column_name", "fsdp",
         "fsdp_config", "deepspeed", "resume_from_checkpoint", "local_rank", "chat_template_path", "dataset_text_field",
         "dataset_kwargs", "loss_weights", "ld_alpha", "f_alpha_divergence_coef", "discopop_tau",
         "ref_model_mixup_alpha", "ref_model_sync_steps"), ELSEWHERE
    ),
}  # fmt: skip
