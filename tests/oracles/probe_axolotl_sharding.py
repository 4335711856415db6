"""Read configs that shard by FSDP as Axolotl does: `python probe_axolotl_sharding.py FOLDER...` prints JSON by folder.

What is printed is the plugin that each process gives to Accelerate. Run by the Python of Axolotl's environment.
"""

import json
import os
import sys
from pathlib import Path

import yaml
from accelerate.utils import FullyShardedDataParallelPlugin
from axolotl.utils.dict import DictDefault
from axolotl.utils.schemas.config import AxolotlInputConfig
from axolotl.utils.trainer import prepare_optim_env
from transformers import TrainingArguments


def plugin(folder: str) -> dict[str, object]:
    written = yaml.safe_load(Path(folder, "config.yaml").read_text())
    cfg = DictDefault(AxolotlInputConfig(**written).model_dump(exclude_none=True))
    before = dict(os.environ)
    try:
        prepare_optim_env(cfg)
        # As the builder of trainers gives it on (core/builders/base.py).
        args = TrainingArguments("output", fsdp=True, fsdp_config=dict(cfg.fsdp_config), use_cpu=True, bf16=False)
        made = FullyShardedDataParallelPlugin(**args.fsdp_plugin_args)
    finally:
        os.environ.clear()
        os.environ.update(before)
    names = ("fsdp_version", "reshard_after_forward", "cpu_ram_efficient_loading", "activation_checkpointing")
    return {
        **{name: getattr(made, name) for name in names},
        "offload": "CPUOffloadPolicy" in type(made.cpu_offload).__name__ or made.cpu_offload is True,
        "state": str(made.state_dict_type),
        "policy": str(getattr(made.auto_wrap_policy, "__name__", made.auto_wrap_policy)),
    }


print("RESULT " + json.dumps({folder: plugin(folder) for folder in sys.argv[1:]}))
