# mypy: ignore-errors - it runs in a trainer's environment
"""What a trainer's own loaders make of converted files: `python probe_loaders.py trl|axolotl|unsloth FOLDER`.

FOLDER has a tiny model, and <shape>.jsonl for each shape. One process loads all of them; nothing is trained.
"""

import json
import sys
from pathlib import Path

NAME, FOLDER = sys.argv[1], Path(sys.argv[2])
MODEL = str(FOLDER / "model")


def file(shape: str) -> str:
    return str(FOLDER / f"{shape}.jsonl")


def columns(dataset) -> list[dict]:
    """The rows, without what Arrow fills in for keys that a row does not have."""
    return [{key: bare(value) for key, value in row.items()} for row in dataset]


def bare(value):
    if isinstance(value, dict):
        return {key: bare(item) for key, item in value.items() if item is not None}
    return [bare(item) for item in value] if isinstance(value, list) else value


def trl() -> dict[str, list[dict]]:
    """TRL's trainers tokenize their data set when they are made."""
    from datasets import load_dataset
    from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer, SFTConfig, SFTTrainer
    from trl.experimental.orpo import ORPOConfig, ORPOTrainer

    def load(shape):
        return load_dataset("json", data_files=file(shape), split="train")

    def made(trainer, config, shape, **more):
        args = {"output_dir": str(FOLDER / "out"), "use_cpu": True, "bf16": False, "report_to": [], **more}
        if trainer in (DPOTrainer, KTOTrainer, ORPOTrainer):
            from transformers import AutoTokenizer

            extra = {"processing_class": AutoTokenizer.from_pretrained(MODEL)}
        else:
            extra = {}
        if trainer is ORPOTrainer:
            from transformers import AutoModelForCausalLM

            model = AutoModelForCausalLM.from_pretrained(MODEL)
        else:
            model = MODEL
        return trainer(model=model, args=config(**args), train_dataset=load(shape), **extra).train_dataset

    found = {
        "chat": made(SFTTrainer, SFTConfig, "chat", assistant_only_loss=True),
        "prompt_completion": made(SFTTrainer, SFTConfig, "prompt_completion"),
        "text": made(SFTTrainer, SFTConfig, "text"),
        "preference": made(DPOTrainer, DPOConfig, "preference"),
        "preference_orpo": made(ORPOTrainer, ORPOConfig, "preference", max_length=64),
        "unpaired_preference": made(KTOTrainer, KTOConfig, "unpaired_preference", per_device_train_batch_size=2),
        "prompt": load("prompt"),
    }
    return {shape: columns(dataset) for shape, dataset in found.items()}


AXOLOTL = {
    "chat": {"datasets": [{"type": "chat_template", "field_messages": "messages", "roles_to_train": ["assistant"]}]},
    "prompt_completion": {
        "datasets": [
            {
                "type": {
                    **{"field_instruction": "prompt", "field_output": "completion"},
                    **{"format": "{instruction}", "no_input_format": "{instruction}"},
                }
            }
        ]
    },
    "text": {"datasets": [{"type": "completion", "field": "text"}]},
    "preference": {"rl": "dpo", "datasets": [{"type": "chat_template.default", "field_messages": "prompt"}]},
    "unpaired_preference": {
        "rl": "kto",
        "remove_unused_columns": False,
        "datasets": [{"type": {"field_prompt": "prompt", "field_completion": "completion", "field_label": "label"}}],
    },
}


def axolotl() -> dict[str, list[dict]]:
    """Axolotl's prompt strategies, as `axolotl preprocess` runs them."""
    import yaml
    from axolotl.cli.config import load_cfg
    from axolotl.common.datasets import load_datasets, load_preference_datasets

    found = {}
    for shape, own in AXOLOTL.items():
        config = {
            **{"base_model": MODEL, "sequence_len": 512, "micro_batch_size": 1, "gradient_accumulation_steps": 1},
            **{"num_epochs": 1, "learning_rate": 1e-4, "optimizer": "adamw_torch", "lr_scheduler": "constant"},
            **{"output_dir": str(FOLDER / "out"), "dataset_prepared_path": str(FOLDER / "prepared" / shape)},
            **{"bf16": False, "fp16": False, "tf32": False, "shuffle_merged_datasets": False, "val_set_size": 0},
            **{"chat_template": "tokenizer_default", "dataset_num_proc": 1, "special_tokens": {"pad_token": "<pad>"}},
            **own,
        }
        for dataset in config["datasets"]:
            dataset |= {"path": file(shape), "ds_type": "json", "split": "train"}
        path = FOLDER / f"{shape}.yaml"
        path.write_text(yaml.safe_dump(config))
        cfg = load_cfg(str(path))
        loaded = (load_preference_datasets if own.get("rl") else load_datasets)(cfg=cfg)
        found[shape] = columns(loaded.train_dataset)
    return found


def unsloth() -> dict[str, list[dict]]:
    """Unsloth's data helpers as its notebooks use them, then the trainer that it patches."""
    from unsloth import FastLanguageModel  # first, since it patches the others

    # isort: split
    import torch
    from datasets import load_dataset
    from trl import SFTConfig, SFTTrainer
    from unsloth.chat_templates import standardize_sharegpt, train_on_responses_only

    def load(shape):
        return load_dataset("json", data_files=file(shape), split="train")

    def made(dataset):
        model, tokenizer = FastLanguageModel.from_pretrained(
            MODEL, max_seq_length=512, load_in_4bit=False, dtype=torch.float32
        )
        more = {"dataset_num_proc": 1, "max_length": 512, "report_to": []}
        args = SFTConfig(output_dir=str(FOLDER / "out"), use_cpu=True, bf16=False, fp16=False, **more)
        return SFTTrainer(model=model, processing_class=tokenizer, train_dataset=dataset(tokenizer), args=args)

    def rendered(tokenizer):
        dataset = standardize_sharegpt(load("chat"))
        key = "conversations" if "conversations" in dataset.column_names else "messages"
        texts = [tokenizer.apply_chat_template(row, tokenize=False) for row in dataset[key]]
        return dataset.add_column("text", texts)

    marks = {"instruction_part": "<|im_start|>user\n", "response_part": "<|im_start|>assistant\n"}
    chat = train_on_responses_only(made(rendered), num_proc=1, **marks)
    found = {"chat": chat.train_dataset, "text": made(lambda tokenizer: load("text")).train_dataset}
    for shape in ("prompt_completion", "preference", "unpaired_preference", "prompt"):
        found[shape] = load(shape)
    return {shape: columns(dataset) for shape, dataset in found.items()}


if __name__ == "__main__":
    (FOLDER / f"{NAME}.json").write_text(json.dumps({"trl": trl, "axolotl": axolotl, "unsloth": unsloth}[NAME]()))
