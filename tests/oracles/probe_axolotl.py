"""Train bundles with the real Axolotl, all in this process: `python probe_axolotl.py FOLDER...`.

Of a folder without rows, the config is read by Axolotl's config model, and no more. A run in a folder with a file
`kill_after` is killed after that step, and started again.
"""

import json
import os
import signal
import sys
from pathlib import Path

import torch
import yaml
from axolotl.cli import config
from axolotl.cli.args import TrainerCliArgs
from axolotl.cli.config import load_cfg
from axolotl.cli.train import do_train
from axolotl.integrations.base import BasePlugin, PluginManager
from axolotl.utils.schemas.config import AxolotlInputConfig
from probe_looks import tracked
from transformers import TrainerCallback

if not torch.backends.cuda.is_built():
    config.compute_supports_fp8 = lambda: False  # which Axolotl 0.17 asks for in a way that needs CUDA
OURS = ("plugin", "prepare", "start", "trainer", "rewards", "reward_names", "reward_1")


class Watch(BasePlugin):
    """Looks at what is trained, and how."""

    kill_after = 0

    def post_trainer_create(self, cfg, trainer):
        self.trainer = trainer
        if self.kill_after:
            trainer.add_callback(Kill(self.kill_after))


class Kill(TrainerCallback):
    """Ends this process after a step, without a chance to say so."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step == self.step:
            os.kill(os.getpid(), signal.SIGKILL)


def train_killed(folder: str, step: int) -> None:
    """Train in a child process that does not live to the end."""
    if not (child := os.fork()):
        try:
            train(folder, step)
        finally:
            os._exit(1)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL


def train(folder: str, kill_after: int = 0) -> dict[str, object]:
    os.chdir(folder)
    for module in OURS:
        sys.modules.pop(module, None)
    manager, watch = PluginManager.get_instance(), Watch()
    watch.kill_after = kill_after
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
        "rows": [
            {k: v for k, v in row.items() if k.endswith(("_ids", "labels", "seq_lengths"))}
            for row in trainer.train_dataset
        ],
        "lora": {k: v for k, v in config.to_dict().items() if isinstance(v, int | float | str)} if config else {},
        "arguments": {k: v for k, v in trainer.args.to_dict().items() if isinstance(v, int | float | str)},
        "files": sorted(p.name for p in Path("output").iterdir()),
        "crossing": crossing(trainer),
        "tracked": tracked(trainer, {}),
        "vocabulary": trainer.model.get_input_embeddings().num_embeddings,
        "template": trainer.processing_class.chat_template,
    }


def crossing(trainer) -> float:
    """How far the second row in a packed one is from what the model makes of it alone."""
    row = next((row for row in trainer.train_dataset if len(row.get("seq_lengths", ())) > 1), None)
    if row is None:
        return 0.0
    start, length = row["seq_lengths"][:2]
    batch = {k: v for k, v in trainer.train_data_collator([row]).items() if k != "labels"}
    model = trainer.model.eval()
    with torch.no_grad():
        inside = model(**batch).logits[0, start : start + length]
        alone = model(input_ids=batch["input_ids"][:, start : start + length]).logits[0]
    return (inside - alone).abs().max().item()


def accept(folder: str) -> dict[str, object]:
    """What the config model makes of a config other than what is written: keys that are lost or changed."""
    written = yaml.safe_load(Path(folder, "config.yaml").read_text())
    names = {field.alias: name for name, field in AxolotlInputConfig.model_fields.items() if field.alias}
    read = AxolotlInputConfig(**written).model_dump()
    plain = {key: read.get(names.get(key, key)) for key in written if key not in ("datasets", "test_datasets")}
    return {"lost": {key: str(value) for key, value in plain.items() if not same(value, written[key])}}


def same(value: object, written: object) -> bool:
    if isinstance(value, dict) and isinstance(written, dict):
        return all(same(value.get(key), own) for key, own in written.items())
    return value == written


def main() -> None:
    whole = {folder: Path(folder, "data").exists() for folder in sys.argv[1:]}
    for folder in whole:
        if (file := Path(folder, "kill_after")).exists():
            train_killed(folder, int(file.read_text()))
    found = {folder: train(folder) if rows else accept(folder) for folder, rows in whole.items()}
    print("RESULT " + json.dumps(found))


if __name__ == "__main__":
    main()
