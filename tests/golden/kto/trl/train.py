# /// script
# requires-python = ">=3.10"
# dependencies = [
#     "accelerate==1.15.0",
#     "bitsandbytes==0.50.2",
#     "datasets==5.2.0",
#     "peft==0.21.2",
#     "torch==2.13.0",
#     "transformers==5.23.0",
#     "trl==1.16.0",
# ]
# ///

"""
LoRA KTO of acme/tiny: kto.

    python train.py

Generated from a spec by Tuneform. Runs on its own, in its own folder; started again, it goes on from the last
checkpoint in output/.
"""

import sys

from peft import LoraConfig
from transformers import AutoTokenizer
from transformers.trainer_utils import get_last_checkpoint
from trl import KTOConfig, KTOTrainer

from prepare import load_rows
from start import starting_model


class PreparedKTOTrainer(KTOTrainer):
    def _prepare_dataset(self, dataset, processing_class, args, dataset_name):
        if not self.calculate_KL:
            return dataset  # prompt_ids, completion_ids and label are ready (prepare.py)
        # As TRL does: each prompt gets its neighbour's answer in the micro batch, for the KL term.
        return dataset.map(
            lambda rows: {"KL_completion_ids": rows["completion_ids"][-1:] + rows["completion_ids"][:-1]},
            batched=True,
            batch_size=args.per_device_train_batch_size,
        )


def main():
    training_args = KTOConfig(
        output_dir="output",
        per_device_train_batch_size=4,
        gradient_accumulation_steps=2,  # 1 process x 4 x 2 = 8 rows a step
        num_train_epochs=1.0,
        learning_rate=1e-5,
        lr_scheduler_type="warmup_stable_decay",
        lr_scheduler_kwargs={
            "min_lr_ratio": 0.0,
            "num_decay_steps": 20,
            "warmup_type": "linear",
            "decay_type": "cosine",
        },
        warmup_steps=0.03,  # share of all steps
        optim="paged_adamw_8bit",
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
        beta=0.1,
        loss_type="kto",
        desirable_weight=1.0,
        undesirable_weight=1.5,
        precompute_ref_log_probs=False,
        activation_offloading=False,
        max_length=2048,
        train_sampling_strategy="sequential",
        model_init_kwargs={"dtype": "bfloat16", "attn_implementation": "sdpa"},
        trust_remote_code=False,
        logging_steps=10,
        logging_first_step=True,
        per_device_eval_batch_size=4,
        eval_strategy="epoch",
        eval_on_start=False,
        save_strategy="epoch",
        enable_jit_checkpoint=True,  # on SIGTERM: save a checkpoint, then stop
        load_best_model_at_end=False,
        save_only_model=False,
        report_to="none",
        # Defaults of TRL 1.16.0 that an upgrade must not change
        label_smoothing_factor=0.0,
        average_tokens_across_devices=True,
        gradient_checkpointing_kwargs={"use_reentrant": False},
        dataloader_drop_last=False,
        auto_find_batch_size=False,
        ignore_data_skip=False,
        tf32=False,
        disable_dropout=True,
        sync_ref_model=False,
    )
    processes = training_args.world_size * max(1, training_args.n_gpu)
    if (training_args.device.type, processes) != ("cuda", 1):
        sys.exit(f"made for 1 x cuda, but this is {processes} x {training_args.device.type}")

    # Load tokenizer and dataset
    tokenizer = AutoTokenizer.from_pretrained("acme/tiny")
    tokenizer.add_special_tokens({"pad_token": "<pad>", "additional_special_tokens": ["<tool>"]})
    train_dataset = load_rows("data/train.jsonl", tokenizer, max_length=2048, on_too_long="drop", on_bad_row="error")
    eval_dataset = load_rows("data/eval.jsonl", tokenizer, max_length=2048, on_too_long="drop", on_bad_row="error")
    train_dataset = train_dataset.shuffle(seed=42)

    # Train model
    model = starting_model(
        "acme/tiny",
        tokenizer,
        output_dir=training_args.output_dir,
        seed=training_args.seed,
        dtype="bfloat16",
    )
    trainer = PreparedKTOTrainer(
        model=model,
        args=training_args,
        train_dataset=train_dataset,
        eval_dataset=eval_dataset,
        processing_class=tokenizer,
        peft_config=LoraConfig(
            r=16,
            lora_alpha=32,
            lora_dropout=0.0,
            target_modules="all-linear",
            modules_to_save=["embed_tokens", "lm_head"],
            use_dora=False,
            use_rslora=False,
            init_lora_weights=True,
            bias="none",
            task_type="CAUSAL_LM",
        ),
    )
    trainer.train(resume_from_checkpoint=get_last_checkpoint(training_args.output_dir))

    # Save model, and trainer_state.json beside it
    trainer.save_model()
    trainer.save_state()


if __name__ == "__main__":
    main()
