# /// script
# requires-python = ">=3.10"
# dependencies = [
#     "accelerate==1.15.0",
#     "datasets==5.2.0",
#     "deepspeed==0.19.8",
#     "jsonschema==4.26.0",
#     "peft==0.21.2",
#     "torch==2.13.0",
#     "transformers==5.23.0",
#     "trl==1.16.0",
# ]
# ///

"""
LoRA GRPO of acme/tiny: grpo.

    accelerate launch --config_file accelerate.yaml train.py

Generated from a spec by Tuneform. Runs on its own, in its own folder; started again, it goes on from the last
checkpoint in output/.
"""

import sys

from peft import LoraConfig
from transformers import AutoTokenizer, EarlyStoppingCallback
from transformers.trainer_utils import get_last_checkpoint
from trl import GRPOConfig, GRPOTrainer

from prepare import load_rows
from rewards import REWARDS


def main():
    training_args = GRPOConfig(
        output_dir="output",
        per_device_train_batch_size=4,
        gradient_accumulation_steps=16,  # 2 processes x 4 x 16 = 128 answers to 32 prompts a step
        num_train_epochs=1.0,
        learning_rate=1e-5,
        lr_scheduler_type="cosine",
        warmup_steps=0.03,  # share of all steps
        optim="adamw_torch",
        adam_beta1=0.9,
        adam_beta2=0.999,
        adam_epsilon=1e-8,
        weight_decay=0.0,
        max_grad_norm=1.0,
        bf16=True,
        fp16=False,
        gradient_checkpointing=True,
        use_liger_kernel=False,
        torch_compile=False,
        use_cpu=False,
        seed=42,
        num_generations=4,
        max_completion_length=256,
        temperature=1.0,
        top_p=1.0,
        top_k=0,
        repetition_penalty=1.0,
        beta=0.01,
        epsilon=0.2,
        epsilon_high=0.2,
        loss_type="dapo",
        scale_rewards="group",
        importance_sampling_level="token",
        num_iterations=1,
        mask_truncated_completions=False,
        shuffle_dataset=True,
        reward_weights=[2.0, 0.5, 1.0, 1.0, 0.1],
        log_completions=False,
        per_device_eval_batch_size=4,
        model_init_kwargs={"dtype": "bfloat16", "attn_implementation": "sdpa"},
        trust_remote_code=False,
        logging_steps=10,
        logging_first_step=True,
        eval_strategy="steps",
        eval_steps=50,
        eval_on_start=False,
        save_strategy="steps",
        save_steps=50,
        enable_jit_checkpoint=True,  # on SIGTERM: save a checkpoint, then stop
        load_best_model_at_end=False,
        save_only_model=False,
        metric_for_best_model="reward",
        greater_is_better=True,
        report_to="none",
        # Defaults of TRL 1.16.0 that an upgrade must not change
        label_smoothing_factor=0.0,
        average_tokens_across_devices=True,
        gradient_checkpointing_kwargs={"use_reentrant": False},
        dataloader_drop_last=False,
        auto_find_batch_size=False,
        ignore_data_skip=False,
        tf32=False,
        disable_dropout=False,
        remove_unused_columns=False,
        multi_objective_aggregation="sum_then_normalize",
        top_entropy_quantile=1.0,
        entropy_coef=0.0,
        use_bias_correction_kl=True,
        sync_ref_model=False,
        use_vllm=False,
        sapo_temperature_pos=1.0,
        sapo_temperature_neg=1.05,
    )
    processes = training_args.world_size * max(1, training_args.n_gpu)
    if (training_args.device.type, processes) != ("cuda", 2):
        sys.exit(f"made for 2 x cuda, but this is {processes} x {training_args.device.type}")

    # Load tokenizer and dataset
    tokenizer = AutoTokenizer.from_pretrained("acme/tiny")
    train_dataset = load_rows("data/train.jsonl", tokenizer, max_length=1792, on_too_long="drop", on_bad_row="error")
    eval_dataset = load_rows("data/eval.jsonl", tokenizer, max_length=1792, on_too_long="drop", on_bad_row="error")

    # Train model
    trainer = GRPOTrainer(
        model="acme/tiny",
        reward_funcs=REWARDS,
        args=training_args,
        train_dataset=train_dataset,
        eval_dataset=eval_dataset,
        processing_class=tokenizer,
        peft_config=LoraConfig(
            r=16,
            lora_alpha=32,
            lora_dropout=0.0,
            target_modules="all-linear",
            use_dora=False,
            use_rslora=False,
            init_lora_weights=True,
            bias="none",
            task_type="CAUSAL_LM",
        ),
        callbacks=[
            EarlyStoppingCallback(
                early_stopping_patience=2,
                early_stopping_threshold=0.0,
            )
        ],
    )
    trainer.train(resume_from_checkpoint=get_last_checkpoint(training_args.output_dir))

    # Save model, and trainer_state.json beside it
    trainer.save_model()
    trainer.save_state()


if __name__ == "__main__":
    main()
