"""The memory estimate against figures that others measured or state, and the names of models and GPUs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support import compiled, spec
from tuneform.spec.sizing import gpus, memory
from tuneform.spec.sizing.model_size import parameters

GB = 1e9 / memory.GIB
NEAR = 0.1
# Peak GB with batch 1 and rank 64, at 256, 512, 1024, 2048, 4096 and 8192 tokens.
# Source: https://github.com/QwenLM/Qwen, "Profiling of Memory and Speed".
LENGTHS = (256, 512, 1024, 2048, 4096, 8192)
MEASURED = {
    ("1.8B", "lora"): (6.7, 7.4, 8.4, 11.0, 16.2, 21.8),
    ("1.8B", "qlora"): (5.8, 6.0, 6.6, 7.8, 10.2, 15.8),
    ("7B", "lora"): (20.1, 20.4, 21.5, 23.8, 29.7, 36.6),
    ("7B", "qlora"): (11.5, 11.5, 12.3, 13.9, 16.9, 23.5),
    ("14B", "lora"): (34.6, 35.1, 35.3, 37.4, 42.5, 55.2),
    ("14B", "qlora"): (18.7, 18.4, 18.9, 19.9, 23.0, 27.9),
    ("72B", "qlora"): (61.4, 61.4, 62.9, 64.1, 68.0, 75.6),
}
QWEN = [(size, kind, n, gb) for (size, kind), row in MEASURED.items() for n, gb in zip(LENGTHS, row, strict=True)]
# The least GB, 4-bit and 16-bit. Source: https://unsloth.ai/docs, "Unsloth Requirements".
UNSLOTH = {"3B": (3.5, 8), "7B": (5, 19), "8B": (6, 22), "14B": (8.5, 33), "32B": (26, 76), "70B": (41, 164)}


def estimated(folder: Path, size: str, kind: str = "lora", **changes: Any) -> memory.Estimate:
    found = spec(model={"id": f"acme/model-{size}"}, adapter={"type": kind, **changes.pop("adapter", {})}, **changes)
    result = compiled(found, folder)[1]
    assert result.plan is not None
    estimate = memory.estimate(result.plan)
    assert estimate is not None
    return estimate


@pytest.mark.parametrize(("size", "kind", "tokens", "gb"), QWEN)
def test_what_qwen_measured_is_in_the_range(size: str, kind: str, tokens: int, gb: float, tmp_path: Path) -> None:
    training = {"micro_batch_size": 1, "batch_size": 8, "max_length": tokens}
    found = estimated(tmp_path, size, kind, adapter={"rank": 64}, training=training)
    assert found.low * (1 - NEAR) <= gb * GB <= found.high * (1 + NEAR), (found.low / GB, gb, found.high / GB)


@pytest.mark.parametrize(("size", "which"), [(size, i) for size in UNSLOTH for i in (0, 1)])
def test_the_least_that_unsloth_states_is_in_the_range(size: str, which: int, tmp_path: Path) -> None:
    training = {"micro_batch_size": 1, "batch_size": 1, "optimizer": "adamw_8bit", "max_length": 2048}
    found = estimated(tmp_path, size, ("qlora", "lora")[which], training=training)
    assert found.low * (1 - NEAR) <= UNSLOTH[size][which] * GB <= found.high * (1 + NEAR)


def test_mixed_precision_takes_about_18_bytes_a_parameter(tmp_path: Path) -> None:
    """Source: https://huggingface.co/docs/transformers/model_memory_anatomy."""
    parts = estimated(tmp_path, "4B", "full", hardware={"device": "cuda"}).parts
    states = [sum(parts[name][end] for name in ("weights", "gradients", "optimizer")) for end in (0, 1)]
    assert states[0] <= 18 * 4e9 / memory.GIB <= states[1]


def test_more_to_hold_takes_more(tmp_path: Path) -> None:
    kinds = [estimated(tmp_path, "8B", kind) for kind in ("qlora", "lora", "full")]
    sizes = [estimated(tmp_path, size) for size in ("135M", "1.5B", "8B", "8x7B", "70B")]
    lengths = [estimated(tmp_path, "8B", training={"max_length": n}) for n in (512, 4096)]
    kept = [estimated(tmp_path, "8B", training={"gradient_checkpointing": on}) for on in (True, False)]
    methods = [estimated(tmp_path, "8B", "full", method={name: {}}) for name in ("sft", "dpo")]
    saved = [estimated(tmp_path, "8B", adapter={"modules_to_save": m}) for m in ([], ["embed_tokens"])]
    for found in (kinds, sizes, lengths, kept, methods, saved):
        assert [e.low for e in found] == sorted(e.low for e in found)
        highs = [e.high for e in found]
        assert highs == sorted(set(highs)), "each is above the one before"
        assert all(e.low < e.high for e in found)


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("HuggingFaceTB/SmolLM2-135M-Instruct", 0.135),
        ("Qwen/Qwen2.5-7B-Instruct-1M", 7),
        ("Qwen/Qwen3-30B-A3B", 30),
        ("mistralai/Mixtral-8x7B-v0.1", 44.8),
        ("TinyLlama/TinyLlama-1.1B-intermediate-step-1431k-3T", 1.1),
        ("openlm-research/open_llama_3b_v2", 3),
        ("microsoft/Phi-3-mini-4k-instruct", None),
        ("meta-llama/Llama-4-Scout-17B-16E", None),
        ("google/gemma-3n-E4B-it", None),
        ("acme/70b-to-1b", None),
        ("unsloth/llama-3-8b-bnb-4bit", None),
        ("acme/model-0b", None),
        ("acme/model-" + "9" * 400 + "b", None),
        ("acme/model-" + "9" * 200 + "x" + "9" * 200 + "b", None),
        ("./models/llama-8b", None),
    ],
)
def test_the_size_in_a_name(name: str, billions: float | None) -> None:
    found = parameters(name)
    assert found == (None if billions is None else pytest.approx(billions * 1e9))


@pytest.mark.parametrize(
    ("text", "name", "gib"),
    [
        ("H100", "H100", 80),
        ("NVIDIA H100 80GB HBM3", "H100", 80),
        ("A100-80GB-SXM", "A100", 80),
        ("A100-40GB", "A100", 40),
        ("a100", "A100", 80),
        ("rtx4090", "RTX 4090", 24),
        ("GeForce RTX 3090 Ti", "RTX 3090 Ti", 24),
        ("RTX PRO 6000 Blackwell Server Edition", "RTX PRO 6000", 96),
        ("Tesla T4", "T4", 16),
        ("L40s", "L40S", 48),
        ("MI300X", "MI300X", 192),
    ],
)
def test_gpus_by_their_names(text: str, name: str, gib: int) -> None:
    assert gpus.find(text) == gpus.Gpu(name, gib)


@pytest.mark.parametrize("text", ["H1000", "tpu-v5p-8", "GPU", "??", "A100 40GB 80GB"])
def test_unknown_gpus(text: str) -> None:
    assert gpus.find(text) is None
