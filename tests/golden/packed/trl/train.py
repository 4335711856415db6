# /// script
# requires-python = ">=3.10"
# dependencies = [
#     "accelerate==1.15.0",
#     "datasets==5.2.0",
#     "peft==0.21.2",
#     "torch==2.13.0",
#     "transformers==5.23.0",
#     "trl==1.16.0",
# ]
# ///

"""
LoRA pretraining of HuggingFaceTB/SmolLM2-135M: packed.

    python train.py

Generated from a spec by Tuneform. Runs on its own, in its own folder; started again, it goes on from the last
checkpoint in output/.
"""

import sys

from datasets import load_dataset
from peft import LoraConfig
from transformers import AutoTokenizer
from transformers.trainer_utils import get_last_checkpoint
from trl import SFTConfig, SFTTrainer


def main():
    training_args = SFTConfig(
        output_dir="output",
        per_device_train_batch_size=4,
        gradient_accumulation_steps=8,  # 1 process x 4 x 8 = 32 packed rows a step
        num_train_epochs=1.0,
        learning_rate=2e-4,
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
        activation_offloading=False,
        max_length=4096,
        truncation_mode="keep_start",
        train_sampling_strategy="random",
        assistant_only_loss=False,
        completion_only_loss=False,
        packing=True,
        packing_strategy="bfd",
        eval_packing=False,
        model_init_kwargs={"dtype": "bfloat16", "attn_implementation": "flash_attention_2"},
        trust_remote_code=False,
        logging_steps=10,
        logging_first_step=True,
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
        loss_type="nll",
        padding_free=False,
        shuffle_dataset=False,
    )
    processes = training_args.world_size * max(1, training_args.n_gpu)
    if (training_args.device.type, processes) != ("cuda", 1):
        sys.exit(f"made for 1 x cuda, but this is {processes} x {training_args.device.type}")

    # Load tokenizer and dataset
    tokenizer = AutoTokenizer.from_pretrained("HuggingFaceTB/SmolLM2-135M")
    train_dataset = load_dataset("json", data_files="data/train.jsonl", split="train")

    # Train model
    trainer = SFTTrainer(
        model="HuggingFaceTB/SmolLM2-135M",
        args=training_args,
        train_dataset=train_dataset,
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
    )
    trainer.train(resume_from_checkpoint=get_last_checkpoint(training_args.output_dir))

    # Save model, and trainer_state.json beside it
    trainer.save_model()
    trainer.save_state()


if __name__ == "__main__":
    main()
