"""Figures side by side in one run, as ratios: `make bench`.

Cold starts are whole processes, interleaved, medians of several runs. Nothing here is a test with a limit.
"""

from __future__ import annotations

import copy
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "support-triage" / "tuneform.yaml"
ROUNDS = 15
# As installed packages have theirs, Tuneform may keep its bytecode.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def cold(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True, capture_output=True, env=ENVIRONMENT)
    return time.perf_counter() - began


def side_by_side(title: str, ours: list[str], base: list[str], limit: float) -> None:
    for command in (ours, base):
        cold(command)  # fill the caches
    pairs = [(cold(ours), cold(base)) for _ in range(ROUNDS)]
    mine, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"{title:<44} {mine * 1000:6.0f} ms  beside {theirs * 1000:4.0f} ms  {mine / theirs:5.2f}x  (goal {limit}x)")


def in_process() -> None:
    from tuneform.compilers.compile import compile_target, for_label
    from tuneform.spec.load import load
    from tuneform.spec.plan import DataFacts

    facts, today = DataFacts("chat", 269, 24, 24), date(2026, 1, 1)
    document = load(str(EXAMPLE))
    rounds = []
    for _ in range(200):
        began = time.perf_counter()
        own, _ = for_label(document, "trl")
        assert compile_target(own, "trl", facts, today, "../../..").bundle
        rounds.append(time.perf_counter() - began)
    print(f"{'compile in process, one target':<44} {statistics.median(rounds) * 1000:6.2f} ms  (goal 5 ms)")

    spec = {"version": 1, "model": "acme/tiny", "method": "sft", "targets": {"trl": {}}}
    spec |= {"data": {"train": "rows.jsonl", "format": "chat"}}
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number in range(1000):
            files.append(Path(folder) / f"{number}.yaml")
            files[-1].write_text(json.dumps(copy.deepcopy(spec) | {"name": f"s{number}"}))
        began = time.perf_counter()
        for file in files:
            own, _ = for_label(load(str(file)), "trl")
            assert compile_target(own, "trl", facts, today, "../../..").bundle
        print(f"{'1,000 specs, read and compiled':<44} {time.perf_counter() - began:6.2f} s   (goal 10 s)")


def long_spec() -> None:
    sources = "\n".join(
        f"    - path: data/part-{i}.jsonl\n      format: chat\n      weight: 1.5\n      columns: {{messages: chat}}"
        for i in range(1250)
    )
    text = f"version: 1\nname: long\nmodel: a/b\nmethod: sft\ndata:\n  train:\n{sources}\ntargets: {{trl: }}\n"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tuneform.yaml"
        file.write_text(text)
        took = statistics.median(cold(["-m", "tuneform", "validate", str(file), "--no-data"]) for _ in range(5))
    print(f"{f'validate, {len(text.splitlines()):,} lines, cold':<44} {took * 1000:6.0f} ms  (goal 500 ms)")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        ours = ["-m", "tuneform", "compile", str(EXAMPLE), "-o", folder]
        base = ["-c", "import pydantic, yaml, jinja2, click"]
        side_by_side("tuneform compile, cold", ours, base, 2)
    side_by_side("tuneform --help, cold", ["-m", "tuneform", "--help"], ["-c", "import click"], 1.6)
    in_process()
    long_spec()


if __name__ == "__main__":
    main()
