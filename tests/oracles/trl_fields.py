"""Fields of TRL's config classes that no generated script sets, each with the reason why it may be left alone."""

OFF = "off unless it is set, and `extra:` can set it"
SPEED = "speed or memory, not what is trained"
LOGS = "what is logged, not what is trained"
EVALUATION = "how evaluation is computed or reported, not what is trained"
SAVING = "what is saved or pushed, not what is trained"
ELSEWHERE = "follows from something that the script does set"

UNSET: dict[str, str] = {
    **dict.fromkeys(
        ("optim_args", "optim_target_modules", "eos_token", "pad_token"), OFF
    ),
    **dict.fromkeys(
        ("cast_lm_head_to_fp32", "chat_template_kwargs", "delta", "entropy_coef_delta", "entropy_coef_max",
         "entropy_coef_min", "entropy_target", "generate_during_eval", "generation_kwargs", "is_encoder_decoder",
         "max_tool_calling_iterations", "off_policy_mask_threshold", "use_adaptive_entropy", "vespo_k_neg",
         "vespo_k_pos", "vespo_lambda_neg", "vespo_lambda_pos", "use_transformers_continuous_batching",
         "use_transformers_paged", "transformers_continuous_batching_config"), OFF
    ),
    **dict.fromkeys(
        ("vllm_enable_sleep_mode", "vllm_gpu_memory_utilization", "vllm_group_port", "vllm_importance_sampling_cap",
         "vllm_importance_sampling_clip_max", "vllm_importance_sampling_clip_min", "vllm_importance_sampling_correction",
         "vllm_importance_sampling_mode", "vllm_max_model_length", "vllm_mode", "vllm_model_impl", "vllm_server_base_url",
         "vllm_server_host", "vllm_server_port", "vllm_server_timeout", "vllm_structured_outputs_regex",
         "vllm_tensor_parallel_size"), "only with `use_vllm`, which is written out as false"
    ),
    **dict.fromkeys(
        ("activation_checkpointing", "activation_checkpointing_kwargs", "full_determinism",
         "torch_compile_backend", "torch_compile_mode", "liger_kernel_config", "use_cache",
         "torch_empty_cache_steps", "dataloader_num_workers", "dataloader_pin_memory", "dataloader_persistent_workers",
         "dataloader_prefetch_factor", "dataloader_multiprocessing_context", "dataloader_in_order", "dataset_num_proc",
         "pad_to_multiple_of", "ddp_find_unused_parameters", "ddp_bucket_cap_mb", "ddp_broadcast_buffers",
         "ddp_static_graph", "ddp_backend", "ddp_timeout", "precompute_ref_batch_size",
         "cache_implementation", "ds3_gather_for_generation"), SPEED
    ),
    **dict.fromkeys(
        ("logging_strategy", "log_on_each_node", "logging_nan_inf_filter", "include_num_input_tokens_seen", "log_level",
         "log_level_replica", "disable_tqdm", "project", "trackio_space_id", "trackio_bucket_id",
         "trackio_static_space_id", "skip_memory_metrics", "debug",
         "log_completions_hub_repo", "log_multimodal", "log_unique_prompts", "num_completions_to_print"), LOGS
    ),
    **dict.fromkeys(
        ("eval_delay", "prediction_loss_only", "eval_do_concat_batches", "eval_use_gather_object", "label_names",
         "eval_accumulation_steps", "include_for_metrics", "batch_eval_metrics", "bf16_full_eval", "fp16_full_eval",
         "do_train", "do_eval", "do_predict"), EVALUATION
    ),
    **dict.fromkeys(
        ("save_on_each_node", "hub_token", "hub_always_push", "hub_revision",
         "restore_callback_states_from_checkpoint"), SAVING
    ),
    **dict.fromkeys(
        ("data_seed", "accelerator_config", "parallelism_config", "length_column_name", "fsdp",
         "fsdp_config", "deepspeed", "resume_from_checkpoint", "local_rank", "chat_template_path", "dataset_text_field",
         "dataset_kwargs", "loss_weights", "ld_alpha", "f_alpha_divergence_coef", "discopop_tau",
         "ref_model_mixup_alpha", "ref_model_sync_steps",
         "generation_batch_size", "steps_per_generation", "num_generations_eval", "padding_value"), ELSEWHERE
    ),
}  # fmt: skip
