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
LoRA DPO of acme/tiny-base: stages.

    pip install -r requirements.txt
    pip install --no-deps -r requirements-no-deps.txt
    python train.py

Generated from a spec by Tuneform. Runs on its own, in its own folder; started again, it goes on from the last
checkpoint in output/.
"""

import sys

from unsloth import FastLanguageModel  # first, since it patches the others

# isort: split
import torch
from transformers import AutoTokenizer
from transformers.trainer_utils import get_last_checkpoint
from trl import DPOConfig, DPOTrainer

from prepare import load_rows
from start import starting_model


class PreparedDPOTrainer(DPOTrainer):
    def _prepare_dataset(self, dataset, *args, **kwargs):
        return dataset  # prompt_ids, chosen_ids and rejected_ids are ready (prepare.py)


def main():
    training_args = DPOConfig(
        output_dir="output",
        per_device_train_batch_size=4,
        gradient_accumulation_steps=2,  # 1 process x 4 x 2 = 8 rows a step
        num_train_epochs=1.0,
        learning_rate=5e-6,
        lr_scheduler_type="cosine",
        warmup_steps=0.03,  # share of all steps
        optim="adamw_torch",
        adam_beta1=0.9,
        adam_beta2=0.999,
        adam_epsilon=1e-8,
        weight_decay=0.0,
        max_grad_norm=1.0,
        bf16=False,
        fp16=False,
        gradient_checkpointing=True,
        use_liger_kernel=False,
        torch_compile=False,
        use_cpu=True,
        seed=42,
        beta=0.2,
        loss_type="sigmoid",
        precompute_ref_log_probs=False,
        activation_offloading=False,
        max_length=512,
        train_sampling_strategy="random",
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
    if (training_args.device.type, processes) != ("cpu", 1):
        sys.exit(f"made for 1 x cpu, but this is {processes} x {training_args.device.type}")

    # Load tokenizer and dataset
    tokenizer = AutoTokenizer.from_pretrained("../sft/output")
    train_dataset = load_rows("data/train.jsonl", tokenizer, max_length=512, on_too_long="drop", on_bad_row="error")
    eval_dataset = load_rows("data/eval.jsonl", tokenizer, max_length=512, on_too_long="drop", on_bad_row="error")

    # Load model
    source = starting_model("../sft/output", tokenizer, output_dir=training_args.output_dir, dtype="float32")
    model, _ = FastLanguageModel.from_pretrained(
        model_name=source,
        max_seq_length=512,
        dtype=torch.float32,
        load_in_4bit=False,
        load_in_8bit=False,
        full_finetuning=False,
        attn_implementation="sdpa",
        use_gradient_checkpointing=True,
        trust_remote_code=False,
        use_exact_model_name=True,
        random_state=42,
    )
    model = FastLanguageModel.get_peft_model(
        model,
        r=8,
        lora_alpha=32,
        lora_dropout=0.0,
        target_modules="all-linear",
        target_parameters=[],
        use_dora=False,
        use_rslora=False,
        init_lora_weights=True,
        bias="none",
        use_gradient_checkpointing=True,
        random_state=42,
    )

    # Train model
    trainer = PreparedDPOTrainer(
        model=model,
        args=training_args,
        train_dataset=train_dataset,
        eval_dataset=eval_dataset,
        processing_class=tokenizer,
    )
    trainer.train(resume_from_checkpoint=get_last_checkpoint(training_args.output_dir))

    # Save model, and trainer_state.json beside it
    trainer.save_model()
    trainer.save_state()


if __name__ == "__main__":
    main()
