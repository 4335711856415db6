# /// script
# requires-python = ">=3.10"
# dependencies = [
#     "accelerate==1.15.0",
#     "datasets==4.8.5",
#     "peft==0.21.2",
#     "torch==2.13.0",
#     "transformers==5.17.0",
#     "trl==1.15.0",
#     "unsloth==2026.10.9",
#     "unsloth_zoo==2026.10.9",
# ]
# ///

"""
Full SFT of Qwen/Qwen3-0.6B: full-tuning.

    UNSLOTH_DISABLE_STATISTICS=1 python train.py

Generated from a spec by Tuneform. Runs on its own, in its own folder; started again, it goes on from the last
checkpoint in output/.
"""

import sys
from pathlib import Path

from unsloth import FastLanguageModel  # first, since it patches the others

# isort: split
import torch
from transformers import AutoTokenizer
from transformers.trainer_utils import get_last_checkpoint
from trl import SFTConfig, SFTTrainer

from prepare import load_rows


def main():
    training_args = SFTConfig(
        output_dir="output",
        per_device_train_batch_size=4,
        gradient_accumulation_steps=4,  # 1 process x 4 x 4 = 16 rows a step
        max_steps=200,
        learning_rate=2e-5,
        lr_scheduler_type="constant_with_warmup",
        warmup_steps=10,
        optim="adamw_torch_fused",
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
        activation_offloading=False,
        max_length=2048,
        train_sampling_strategy="random",
        packing=False,
        trust_remote_code=False,
        logging_steps=10,
        logging_first_step=True,
        save_strategy="steps",
        save_steps=100,
        save_total_limit=2,
        enable_jit_checkpoint=True,  # on SIGTERM: save a checkpoint, then stop
        load_best_model_at_end=False,
        save_only_model=False,
        report_to="none",
        # Defaults of TRL 1.15.0 that an upgrade must not change
        label_smoothing_factor=0.0,
        average_tokens_across_devices=True,
        dataloader_drop_last=False,
        auto_find_batch_size=False,
        ignore_data_skip=False,
        tf32=False,
        logging_nan_inf_filter=True,
        loss_type="nll",
        padding_free=False,
        shuffle_dataset=False,
    )
    processes = training_args.world_size * max(1, training_args.n_gpu)
    if (training_args.device.type, processes) != ("cuda", 1):
        sys.exit(f"made for 1 x cuda, but this is {processes} x {training_args.device.type}")

    # Load tokenizer and dataset
    tokenizer = AutoTokenizer.from_pretrained("Qwen/Qwen3-0.6B", revision="c1899de289a04d12100db370d81485cdf75e47ca")
    tokenizer.chat_template = Path("chat_template.jinja").read_text(encoding="utf-8")
    train_dataset = load_rows(
        "data/train.jsonl",
        tokenizer,
        loss_on="last_assistant",
        max_length=2048,
        on_too_long="drop",
        on_bad_row="error",
    )

    # Load model
    model, _ = FastLanguageModel.from_pretrained(
        model_name="Qwen/Qwen3-0.6B",
        revision="c1899de289a04d12100db370d81485cdf75e47ca",
        max_seq_length=2048,
        dtype=torch.float32,
        load_in_4bit=False,
        load_in_8bit=False,
        full_finetuning=True,
        float32_mixed_precision=True,
        use_gradient_checkpointing=True,
        trust_remote_code=False,
        use_exact_model_name=True,
        random_state=42,
    )

    # Train model
    trainer = SFTTrainer(
        model=model,
        args=training_args,
        train_dataset=train_dataset,
        processing_class=tokenizer,
    )
    trainer.train(resume_from_checkpoint=get_last_checkpoint(training_args.output_dir))

    # Save model, and trainer_state.json beside it
    trainer.save_model()
    trainer.save_state()


if __name__ == "__main__":
    main()
