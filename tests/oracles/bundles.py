"""Bundles of small specs with a few rows, which a real trainer then runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support import spec
from tuneform.runtime.build import build_bundles

ROWS: dict[str, Any] = {
    "sft": lambda i: {
        "messages": [{"role": "user", "content": f"Help me, {i}"}, {"role": "assistant", "content": f"Yes {i}."}]
    },
    "pretrain": lambda i: {"text": f"The lamp of order {i} buzzes quietly."},
    "dpo": lambda i: {"prompt": f"Order {i}?", "chosen": f" It is late, {i}.", "rejected": " No."},
    "kto": lambda i: {
        "messages": [{"role": "user", "content": f"Help {i}"}, {"role": "assistant", "content": f"Yes {i}."}],
        "label": i % 2 == 0,
    },
    "orpo": lambda i: {"prompt": f"Order {i}?", "chosen": f" It is late, {i}.", "rejected": " No."},
    "grpo": lambda i: {"messages": [{"role": "user", "content": f"Say {i}"}], "answer": str(i)},
}
SCORE = "def score(sample, item):\n    return len(sample['output_text']) % 7 + len(item['answer'])\n"


def bundle(
    method: str,
    kind: str,
    model: Path,
    folder: Path,
    rows: list[dict[str, Any]] | None = None,
    /,
    score: str = SCORE,
    target: str = "trl",
    **changes: Any,
) -> Path:
    """The bundle of a spec for a method and a kind of adapter, with sections of the spec merged or replaced.

    `data={"eval": None}` leaves evaluation out, None a field of `training`; `score` is the file with the reward of grpo.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(row) for row in rows or [ROWS[method](i) for i in range(16)]]
    (folder / "rows.jsonl").write_text("\n".join(lines) + "\n")
    quantized = {"quantization": {"compute_dtype": "float32"}} if kind == "qlora" else {}
    settings = {"num_generations": 2, "max_completion_length": 8} if method == "grpo" else {}
    if method == "grpo":
        (folder / "score.py").write_text(score)
        changes["rewards"] = [{"file": "score.py", "function": "score"}, {"exact_match": "answer", "weight": 2.0}]
    found = spec(
        model={"id": str(model)},
        method={method: settings},
        adapter={"type": kind, **quantized},
        data={"train": "rows.jsonl", "eval": {"split": 0.25}},
        training={"max_steps": 3, "batch_size": 4, "micro_batch_size": 2, "precision": "fp32", "max_length": 64},
        evaluation={"every": 2, "at_start": True},
        logging={"every": 1},
        hardware={"device": "cpu"},
        targets={target: {}},
    )
    for key, value in changes.items():
        found[key] = {**found.get(key, {}), **value} if isinstance(value, dict) else value
    found["training"] = {key: value for key, value in found["training"].items() if value is not None}
    if found["data"]["eval"] is None:
        del found["evaluation"]
    file = folder / "tuneform.yaml"
    file.write_text(json.dumps(found))
    build_bundles(file, target, lambda stage: folder / "bundle")
    return folder / "bundle"
