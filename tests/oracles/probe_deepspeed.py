"""Read deepspeed.json files as transformers' Trainer does: `python probe_deepspeed.py FOLDER...` prints JSON by folder.

Transformers refuses values that are not those of the training arguments. Run by the Python of TRL's environment.
"""

import json
import sys
from pathlib import Path

import yaml
from transformers import TrainingArguments
from transformers.integrations.deepspeed import HfTrainerDeepSpeedConfig


def read(folder: str) -> dict[str, object]:
    config = yaml.safe_load(Path(folder, "config.yaml").read_text())
    found = HfTrainerDeepSpeedConfig(str(Path(folder, config["deepspeed"])))
    args = TrainingArguments(
        "output",
        use_cpu=True,
        per_device_train_batch_size=config["micro_batch_size"],
        gradient_accumulation_steps=config["gradient_accumulation_steps"],
        max_grad_norm=config["max_grad_norm"],
    )
    object.__setattr__(args, "bf16", config["bf16"])  # which a CPU would not take
    found.trainer_config_process(args)
    assert not found.mismatches, found.mismatches
    return {"stage": found._stage, "offload": found.is_offload(), **found.config}


print("RESULT " + json.dumps({folder: read(folder) for folder in sys.argv[1:]}))
