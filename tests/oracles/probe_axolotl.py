"""Train bundles with the real Axolotl, all in this process: `python probe_axolotl.py FOLDER...`."""

import json
import os
import sys
from pathlib import Path

import yaml
from axolotl.cli.args import TrainerCliArgs
from axolotl.cli.config import load_cfg
from axolotl.cli.train import do_train
from axolotl.integrations.base import BasePlugin, PluginManager
from axolotl.utils.schemas.config import AxolotlInputConfig

OURS = ("plugin", "prepare", "start")


class Watch(BasePlugin):
    """Looks at what is trained, and how."""

    def post_trainer_create(self, cfg, trainer):
        self.trainer = trainer


def train(folder: str) -> dict[str, object]:
    os.chdir(folder)
    for module in OURS:
        sys.modules.pop(module, None)
    manager, watch = PluginManager.get_instance(), Watch()
    manager.plugins.clear()
    sys.path.insert(0, folder)
    try:
        cfg = load_cfg("config.yaml")
        manager.plugins["watch"] = watch
        do_train(cfg, TrainerCliArgs())
    finally:
        sys.path.remove(folder)
    return report(watch.trainer)


def report(trainer) -> dict[str, object]:
    known = set(AxolotlInputConfig.model_fields) | {f.alias for f in AxolotlInputConfig.model_fields.values()}
    written = yaml.safe_load(Path("config.yaml").read_text())
    weights = list(trainer.model.parameters())
    state = json.loads(Path("output/trainer_state.json").read_text())
    config = getattr(trainer.model, "peft_config", {}).get("default")
    return {
        "unknown": sorted(set(written) - known),
        "steps": state["global_step"],
        "history": state["log_history"],
        "kinds": sorted({type(module).__name__ for module in trainer.model.modules()}),
        "dtypes": sorted({str(p.dtype) for p in weights}),
        "trained": sum(p.numel() for p in weights if p.requires_grad),
        "all": sum(p.numel() for p in weights),
        "rows": [{k: row[k] for k in ("input_ids", "labels")} for row in trainer.train_dataset],
        "lora": {k: v for k, v in config.to_dict().items() if isinstance(v, int | float | str)} if config else {},
        "arguments": {k: v for k, v in trainer.args.to_dict().items() if isinstance(v, int | float | str)},
        "files": sorted(p.name for p in Path("output").iterdir()),
        "vocabulary": trainer.model.get_input_embeddings().num_embeddings,
        "template": trainer.processing_class.chat_template,
    }


def main() -> None:
    found = {folder: train(folder) for folder in sys.argv[1:]}
    print("RESULT " + json.dumps(found))


if __name__ == "__main__":
    main()
