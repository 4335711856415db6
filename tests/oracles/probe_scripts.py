"""Run generated scripts one after another in one process, as `python train.py` would in each folder.

`python probe_scripts.py FOLDER...` prints one JSON object: folder -> what was trained. Run by the trainer's Python.
"""

import json
import os
import runpy
import sys
from contextlib import suppress
from pathlib import Path

with suppress(ImportError):
    import unsloth  # noqa: F401  # where it is there, it comes before what it patches

import trl
from safetensors.torch import load_file
from trl.experimental.orpo import ORPOTrainer


def train(folder: Path) -> dict[str, object]:
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    for name in ("prepare", "rewards", "start", "reward_1"):
        sys.modules.pop(name, None)
    seen: list[dict[str, object]] = []
    for cls in (trl.SFTTrainer, trl.DPOTrainer, trl.KTOTrainer, trl.GRPOTrainer, ORPOTrainer):
        watch(cls, seen)
    try:
        runpy.run_path("train.py", run_name="__main__")
    finally:
        sys.path.remove(str(folder))
    state = json.loads(Path("output/trainer_state.json").read_text())
    weights = next(Path("output").glob("*.safetensors"))
    return {"history": state["log_history"], "steps": state["global_step"], "file": weights.name,
            "tensors": len(load_file(weights)), **seen[-1]}  # fmt: skip


def watch(cls: type, seen: list[dict[str, object]]) -> None:
    """Note what a trainer is made with; the script itself stays as it is."""
    made = getattr(cls, "made", cls.__init__)
    cls.made = made

    def note(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        made(self, *args, **kwargs)
        kinds = {type(m).__name__ for m in self.model.modules()}
        trained = sum(p.numel() for p in self.model.parameters() if p.requires_grad)
        first = {k: v for k, v in self.train_dataset[0].items() if k.endswith(("_ids", "labels"))}
        seen.append({"class": type(self).__name__, "kinds": sorted(kinds), "trained": trained, "first": first,
                     "all": sum(p.numel() for p in self.model.parameters())})  # fmt: skip

    cls.__init__ = note


def main() -> None:
    found = {}
    for folder in sys.argv[1:]:
        found[folder] = train(Path(folder))
    print("RESULT " + json.dumps(found))


if __name__ == "__main__":
    main()
