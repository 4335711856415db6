"""Does what a Hugging Face training script does, as seen from outside: prints, checkpoints, signals, exit codes.

Settings come from fake.json in the current folder. Only the standard library is used.
"""

import json
import os
import re
import signal
import sys
import threading
import time
from pathlib import Path

GIVEN = json.loads(Path("fake.json").read_text())
STEPS, DELAY = GIVEN.get("steps", 10), GIVEN.get("delay", 0.0)
LOG, EVAL, SAVE = GIVEN.get("log", 4), GIVEN.get("eval", 4), GIVEN.get("save", 4)
OUTPUT = Path("output")
history: list[dict[str, float]] = []
asked = threading.Event()


def on_term(number: int, frame: object) -> None:
    threading.Timer(GIVEN.get("kill_wait", 0.05), asked.set).start()


def write_bar(step: int) -> None:
    done = 10 * step // STEPS
    part = f"\r{100 * step // STEPS:3d}%|{'█' * done}{' ' * (10 - done)}| {step}/{STEPS} [00:01<00:02,  2.87it/s]"
    sys.stderr.write(part)
    sys.stderr.flush()


def write_eval_bar() -> None:
    sys.stderr.write(
        "\n\r  0%|          | 0/2 [00:00<?, ?it/s]\x1b[A\n\r100%|██████████| 2/2 [00:00<00:00, 33.2it/s]\x1b[A"
    )
    sys.stderr.flush()


def log(step: int, values: dict[str, float]) -> None:
    """As ProgressCallback does: the bar is cleared, the dict printed with four digits as text, the bar drawn again."""
    values = {**values, "epoch": step / STEPS}
    history.append({**values, "step": step})
    sys.stderr.write("\r                                              \r")
    sys.stderr.flush()
    sys.stdout.write(str({k: f"{v:.4g}" if isinstance(v, float) else v for k, v in values.items()}) + "\n")
    sys.stdout.flush()
    write_bar(step)


def loss(step: int) -> float:
    return 3.0 / (1 + step) + 1e-7 * step


def evaluate(step: int) -> None:
    write_eval_bar()
    log(step, {"eval_loss": loss(step) + 0.123456789, "eval_runtime": 0.05, "eval_mean_token_accuracy": 0.5})


def write_state(folder: Path, step: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    state = {"global_step": step, "max_steps": STEPS, "log_history": history, "epoch": step / STEPS}
    (folder / "trainer_state.json").write_text(json.dumps(state | GIVEN.get("state", {})))


def save(step: int) -> None:
    folder = OUTPUT / f"checkpoint-{step}"
    folder.mkdir(parents=True, exist_ok=True)
    sentinel = folder / "checkpoint-is-incomplete.txt"
    sentinel.write_text("in progress")
    (folder / "model.bin").write_text("weights")
    if GIVEN.get("die_saving") == step:
        os.kill(os.getpid(), signal.SIGKILL)
    write_state(folder, step)
    sentinel.unlink()


def resume() -> int:
    found = [re.fullmatch(r"checkpoint-(\d+)", p.name) for p in OUTPUT.iterdir()] if OUTPUT.is_dir() else []
    steps = [int(match[1]) for match in found if match]
    if not steps:
        return 0
    state = json.loads((OUTPUT / f"checkpoint-{max(steps)}" / "trainer_state.json").read_text())
    history.extend(state["log_history"])
    return int(state["global_step"])


def main() -> None:
    if "say" in GIVEN and "at" not in GIVEN:
        end_badly()
    if GIVEN.get("deaf"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, on_term)
    start = step = resume()
    write_bar(0)
    if GIVEN.get("eval_on_start", True):
        evaluate(step)
    while step < STEPS and not asked.is_set():
        step += 1
        time.sleep(DELAY)
        if GIVEN.get("at") == step:
            end_badly()
        write_bar(step)
        if step % LOG == 0 or step == 1:
            log(step, {"loss": loss(step), "grad_norm": 1.5, "learning_rate": 0.0002, "num_tokens": 10.0 * step})
        if step % EVAL == 0 or step == STEPS:
            evaluate(step)
        if step % SAVE == 0 or step == STEPS:
            save(step)
    if asked.is_set():
        save(step)
    log(step, {"train_runtime": 1.5, "train_loss": loss(start) / 2, "total_flos": 100.0})
    write_state(OUTPUT, step)
    (OUTPUT / "model.safetensors").write_text("weights")
    (OUTPUT / "config.json").write_text("{}")


def end_badly() -> None:
    if GIVEN.get("whole_group"):
        os.killpg(0, signal.SIGKILL)
    if "signal" in GIVEN:
        os.kill(os.getpid(), GIVEN["signal"])
    if GIVEN.get("exit"):
        sys.exit(GIVEN["say"])
    print(GIVEN["say"], file=sys.stderr)
    os._exit(GIVEN.get("code", 1))


main()
