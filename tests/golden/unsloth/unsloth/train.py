# /// script
# requires-python = ">=3.10"
# dependencies = [
#     "accelerate==1.15.0",
#     "bitsandbytes==0.50.2",
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
QLoRA DPO of meta-llama/Llama-3.1-8B-Instruct: unsloth.

    UNSLOTH_DISABLE_STATISTICS=1 python -m torch.distributed.run --nproc_per_node 2 train.py

Generated from a spec by Tuneform. Runs on its own, in its own folder; started again, it goes on from the last
checkpoint in output/.
"""

import sys

from unsloth import FastLanguageModel  # first, since it patches the others

# isort: split
import torch
from transformers import AutoTokenizer, EarlyStoppingCallback
from transformers.trainer_utils import get_last_checkpoint
from trl import DPOConfig, DPOTrainer

from prepare import load_rows


class PreparedDPOTrainer(DPOTrainer):
    def _prepare_dataset(self, dataset, *args, **kwargs):
        return dataset  # prompt_ids, chosen_ids and rejected_ids are ready (prepare.py)


def main():
    training_args = DPOConfig(
        output_dir="output",
        per_device_train_batch_size=4,
        gradient_accumulation_steps=8,  # 2 processes x 4 x 8 = 64 rows a step
        num_train_epochs=2.0,
        learning_rate=1e-5,
        lr_scheduler_type="cosine_with_min_lr",
        lr_scheduler_kwargs={"min_lr_rate": 0.1},
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
        beta=0.05,
        loss_type="ipo",
        precompute_ref_log_probs=False,
        activation_offloading=False,
        max_length=2048,
        train_sampling_strategy="random",
        trust_remote_code=False,
        logging_steps=10,
        logging_first_step=True,
        per_device_eval_batch_size=4,
        eval_strategy="steps",
        eval_steps=50,
        eval_on_start=False,
        save_strategy="steps",
        save_steps=50,
        enable_jit_checkpoint=True,  # on SIGTERM: save a checkpoint, then stop
        load_best_model_at_end=True,
        save_only_model=False,
        metric_for_best_model="loss",
        greater_is_better=False,
        report_to="none",
        # Defaults of TRL 1.15.0 that an upgrade must not change
        label_smoothing_factor=0.0,
        average_tokens_across_devices=True,
        dataloader_drop_last=False,
        auto_find_batch_size=False,
        ignore_data_skip=False,
        tf32=False,
        logging_nan_inf_filter=True,
        disable_dropout=True,
        sync_ref_model=False,
        f_divergence_type="reverse_kl",
        use_weighting=False,
    )
    processes = training_args.world_size * max(1, training_args.n_gpu)
    if (training_args.device.type, processes) != ("cuda", 2):
        sys.exit(f"made for 2 x cuda, but this is {processes} x {training_args.device.type}")

    # Load tokenizer and dataset
    tokenizer = AutoTokenizer.from_pretrained("meta-llama/Llama-3.1-8B-Instruct")
    train_dataset = load_rows("data/train.jsonl", tokenizer, max_length=2048, on_too_long="drop", on_bad_row="error")
    eval_dataset = load_rows("data/eval.jsonl", tokenizer, max_length=2048, on_too_long="drop", on_bad_row="error")

    # Load model
    model, _ = FastLanguageModel.from_pretrained(
        model_name="meta-llama/Llama-3.1-8B-Instruct",
        max_seq_length=2048,
        dtype=torch.bfloat16,
        load_in_4bit=True,
        load_in_8bit=False,
        full_finetuning=False,
        use_gradient_checkpointing=True,
        trust_remote_code=False,
        use_exact_model_name=True,
        random_state=42,
        max_lora_rank=64,
    )
    if not getattr(model, "is_quantized", False):
        sys.exit("Unsloth could not quantize the model on this machine")
    model = FastLanguageModel.get_peft_model(
        model,
        r=64,
        lora_alpha=16,
        lora_dropout=0.0,
        target_modules=["q_proj", "k_proj", "v_proj", "o_proj"],
        target_parameters=[],
        modules_to_save=["embed_tokens"],
        use_dora=False,
        use_rslora=True,
        init_lora_weights=True,
        bias="none",
        use_gradient_checkpointing=True,
        random_state=42,
        checkpoint_skip_layers=2,
    )

    # Train model
    trainer = PreparedDPOTrainer(
        model=model,
        args=training_args,
        train_dataset=train_dataset,
        eval_dataset=eval_dataset,
        processing_class=tokenizer,
        callbacks=[
            EarlyStoppingCallback(
                early_stopping_patience=3,
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
