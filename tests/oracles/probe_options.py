"""Run generated scripts one after another in one process, and note what the trainer made of each.

`python probe_options.py JOB.json ANSWERS.json`: JOB is a list of {"name", "folder", "env", "look"}. Nothing is judged
here. Run by the trainer's Python.

A "hub" case has a stand-in for the Hub's API, which notes what it is asked for.
"""

import gc
import json
import os
import runpy
import shutil
import sys
import time
import traceback
from pathlib import Path
from types import SimpleNamespace

import torch
import transformers
import trl
from probe_looks import LOOKS
from torch.optim.optimizer import register_optimizer_step_pre_hook
from trl.experimental.orpo import ORPOTrainer

MADE = []  # the trainers of the script that runs
RATES = []  # learning rates, one for each step of its optimizer


def watch(cls):
    made = cls.__init__

    def note(self, *args, **kwargs):
        made(self, *args, **kwargs)
        self.at_start = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        MADE.append(self)

    cls.__init__ = note


def facts(trainer):
    """What every script is asked for."""
    group = trainer.optimizer.param_groups[0]
    inner = getattr(trainer.optimizer, "optimizer", trainer.optimizer)
    numbers = {k: v for k, v in group.items() if isinstance(v, (int, float, bool, tuple, list)) and k != "params"}
    return {
        "class": type(trainer).__name__,
        "history": trainer.state.log_history,
        "steps": trainer.state.global_step,
        "best": trainer.state.best_metric,
        "best_from": trainer.state.best_model_checkpoint,
        "rates": list(RATES),
        "optimizer": f"{type(inner).__module__}.{type(inner).__name__}",
        "group": numbers,
        "files": sorted(str(path) for path in Path(".").rglob("*") if path.is_file() and path.suffix != ".pyc"),
    }


def stand_in():
    asked = []

    class Api:
        def __getattr__(self, name):
            def call(*args, **kwargs):
                files = sorted(p.name for p in Path(kwargs.get("folder_path", "/nowhere")).glob("*"))
                asked.append({"call": name, "files": files, **{k: str(v) for k, v in kwargs.items()}})
                return SimpleNamespace(repo_id="acme/tuned")

            return call

    transformers.trainer.hf_api = Api
    return asked


def run(case):
    os.chdir(case["folder"])
    before = dict(os.environ)
    os.environ.update(case.get("env") or {})
    sys.path.insert(0, case["folder"])
    for name in ("prepare", "rewards", "start", "reward_1"):
        sys.modules.pop(name, None)
    MADE.clear()
    RATES.clear()
    asked = stand_in() if case.get("hub") else None
    try:
        for folder in case.get("remove", ()):
            shutil.rmtree(folder)
        if case.get("script", True):
            runpy.run_path("train.py", run_name="__main__")
        answer = facts(MADE[-1]) if MADE else {}
        look = LOOKS[case["look"]](MADE[-1] if MADE else None, case) if case.get("look") else {}
        return {**answer, **look, "asked": asked}
    except BaseException as error:
        traceback.print_exc()
        return {"error": f"{type(error).__name__}: {error}", "log": traceback.format_exc()}
    finally:
        sys.path.remove(case["folder"])
        os.environ.clear()
        os.environ.update(before)
        torch._dynamo.reset()


def main():
    for cls in (trl.SFTTrainer, trl.DPOTrainer, trl.KTOTrainer, trl.GRPOTrainer, ORPOTrainer):
        watch(cls)
    register_optimizer_step_pre_hook(lambda optimizer, *_: RATES.append(optimizer.param_groups[0]["lr"]))
    gc.freeze()  # what is imported is not looked through again and again
    job, answers = json.loads(Path(sys.argv[1]).read_text()), {}
    for case in job:
        began = time.monotonic()
        answers[case["name"]] = {**run(case), "seconds": time.monotonic() - began}
        Path(sys.argv[2]).write_text(json.dumps(answers, default=str))


if __name__ == "__main__":
    main()
