"""The options of a spec do in the real trainer what their docstrings say."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, get_args

import pytest

from tuneform.spec.training import Optimizer, Scheduler

from .option_cases import ADAPTERS, OPTIMIZERS, PEAK, QUANTIZED, SCHEDULES, STEPS, TEXTS, WARMUP

pytestmark = pytest.mark.trainer
Ran = dict[str, dict[str, Any]]


def of(ran: Ran, name: str) -> dict[str, Any]:
    """The answer of a script that came to its end."""
    assert "error" not in ran[name], ran[name]["log"][-3000:]
    return ran[name]


def losses(answer: dict[str, Any]) -> list[float]:
    return [line["loss"] for line in answer["history"] if "loss" in line]


def shape(name: str, step: int) -> float:
    """The learning rate of a step as a share of its peak, from the docstrings of `training.scheduler`."""
    since, left = step - WARMUP, STEPS - WARMUP
    falling = (1 + math.cos(math.pi * since / left)) / 2
    third = left / 3
    return {
        "linear": 1 - since / left,
        "cosine": falling,
        "cosine-floor": 0.1 + 0.9 * falling,
        "restarts": (1 + math.cos(math.pi * (since % third) / third)) / 2,
        "polynomial": (1 - since / left) ** 2,
        "inverse_sqrt": 1 / math.sqrt(1 + since / WARMUP),
        "inverse_sqrt-5": 1 / math.sqrt(1 + since / 5),
        "stable": 1.0 if step < STEPS - 4 else 0.1 + 0.9 * (1 + math.cos(math.pi * (step - STEPS + 4) / 4)) / 2,
        "constant": 1.0,
        "share": 1 - since / left,  # 20% of 12 steps, rounded up, are the same three
    }[name]


@pytest.mark.parametrize(
    "name", ["linear", "cosine", "cosine-floor", "restarts", "polynomial", "inverse_sqrt", "inverse_sqrt-5", "stable",
             "constant", "share"],
)  # fmt: skip
def test_the_learning_rate_of_every_step(name: str, ran: Ran) -> None:
    begins = 0.1 if name == "stable" else 0.0
    warm = [begins + (1 - begins) * step / WARMUP for step in range(WARMUP)]
    expected = [PEAK * share for share in [*warm, *[shape(name, step) for step in range(WARMUP, STEPS)]]]
    assert of(ran, f"schedule-{name}")["rates"] == pytest.approx(expected, rel=1e-9)


def test_a_constant_rate_without_warmup(ran: Ran) -> None:
    assert of(ran, "schedule-constant-cold")["rates"] == [PEAK] * STEPS


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_is_made_with_its_settings(name: str, ran: Ran) -> None:
    answer = of(ran, f"optimizer-{name}")
    assert answer["optimizer"].lower().endswith(name.removesuffix("_torch").removesuffix("_torch_fused"))
    assert answer["group"]["weight_decay"] == 0.25 and len(losses(answer)) == 2
    if "adamw" in name:
        assert answer["group"]["betas"] == [0.8, 0.95] and answer["group"]["eps"] == 1e-7
        assert bool(answer["group"].get("fused")) == name.endswith("fused")


@pytest.mark.parametrize("name", QUANTIZED)
def test_an_optimizer_of_bitsandbytes_is_made_with_its_settings(name: str, ran: Ran) -> None:
    found = of(ran, "quantized-optimizers")[name]
    assert found["class"].split(".")[0] == "bitsandbytes"
    assert found["class"].lower().endswith("lion" if "lion" in name else "adamw")
    assert found["bits"] == (8 if "8bit" in name else 32) and found["paged"] == name.startswith("paged")
    assert found["betas"] == [0.8, 0.9] and found["weight"] == pytest.approx(0.99, abs=1e-3)


def test_every_name_of_an_optimizer_and_a_schedule_is_here() -> None:
    names = {name: set(get_args(field.annotation)) for name, field in
             (("optimizer", Optimizer.model_fields["name"]), ("scheduler", Scheduler.model_fields["name"]))}  # fmt: skip
    assert names["optimizer"] == {*OPTIMIZERS, *QUANTIZED}
    schedules = [case["scheduler"] for case in SCHEDULES.values()]
    assert names["scheduler"] == {s if isinstance(s, str) else s["name"] for s in schedules}


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_saved_adapter_is_the_trained_model(name: str, ran: Ran) -> None:
    """Also where the beginning changed the base: what is loaded from disk computes what was trained."""
    answer = of(ran, f"adapter-{name}")
    assert answer["reloaded"] < 1e-5 and answer["trained"] > 0.01
    assert answer["kept"] < 1e-6, "before the first step, the adapter in its base is the base"


def test_how_adapters_begin(ran: Ran) -> None:
    found = {name: of(ran, f"adapter-{name}") for name in ADAPTERS}
    for name, answer in found.items():
        changed = name in ("pissa", "olora")
        assert (answer["product"] > 1e-3) == changed and (answer["moved"] > 1e-3) == changed, name
    assert found["gaussian"]["spread"] == pytest.approx(1 / 4, rel=0.3)  # 1 / rank
    assert found["olora"]["orthogonal"] < 1e-5
    assert found["rslora"]["scaling"] == 8 / math.sqrt(4) and found["default"]["scaling"] == 8 / 4
    assert any("magnitude" in tensor for tensor in found["dora"]["tensors"])
    assert not any("magnitude" in tensor for tensor in found["default"]["tensors"])
    assert "base_model.model.lm_head.weight" in found["saved"]["tensors"]
    assert {t.split(".")[-3] for t in found["saved"]["tensors"] if "lora" in t} == {"q_proj"}


def test_packing_keeps_the_tokens_that_it_promises(ran: Ran) -> None:
    """Rows of 6, 31, 56 and 81 tokens into sequences of 32."""
    whole, split, wrapped = (of(ran, f"packed-{name}") for name in ("bfd", "bfd_split", "wrapped"))
    single = of(ran, "grouped")["lengths"]
    assert len(single) == len(TEXTS) and sorted(set(single)) == [6, 31, 56, 81]
    fit = sorted(length for length in single if length <= 32)
    assert sorted(length for sequence in whole["documents"] for length in sequence) == fit
    assert sum(split["lengths"]) == sum(wrapped["lengths"]) == sum(single)
    assert max(split["lengths"]) == 32 and set(wrapped["lengths"][:-1]) == {32}
    for answer in (whole, split, wrapped):
        assert answer["tokens"] == answer["labels"]


def test_rows_of_similar_length_stand_together(ran: Ran) -> None:
    answer = of(ran, "grouped")
    assert answer["sampler"] == "LengthGroupedSampler"
    pairs = list(zip(answer["order"][::2], answer["order"][1::2], strict=True))
    assert (
        sum(abs(a - b) for a, b in pairs)
        <= 50
        < sum(abs(a - b) for a, b in zip(answer["lengths"][::2], answer["lengths"][1::2], strict=True))
    )


def test_noise_on_the_embeddings_is_there_while_training_only(ran: Ran) -> None:
    plain, noisy = of(ran, "train-plain"), of(ran, "train-noise")
    assert losses(plain)[0] != losses(noisy)[0]
    first = [next(line["eval_loss"] for line in a["history"] if "eval_loss" in line) for a in (plain, noisy)]
    assert first[0] == first[1]


def test_a_compiled_model_trains_the_same(ran: Ran) -> None:
    assert losses(of(ran, "train-compiled")) == pytest.approx(losses(of(ran, "train-plain")), rel=1e-4)


def test_checkpoints_that_are_kept(ran: Ran) -> None:
    files = [Path(file) for file in of(ran, "saving")["files"]]
    assert {p.parts[1] for p in files if "checkpoint" in str(p)} == {"checkpoint-3", "checkpoint-4"}
    assert not [p for p in files if p.name in ("optimizer.pt", "scheduler.pt", "rng_state.pth")]
    assert [p for p in map(Path, of(ran, "train-plain")["files"]) if p.name == "optimizer.pt"]


def test_a_push_asks_the_hub_for_a_private_repository_and_gives_it_the_model(ran: Ran) -> None:
    made, *pushed = of(ran, "hub")["asked"]
    assert made["call"] == "create_repo" and made["private"] == "True"
    assert pushed and all(p["call"] == "upload_folder" and p["repo_id"] == "acme/tuned" for p in pushed)
    assert {"adapter_model.safetensors", "tokenizer.json", "trainer_state.json"} <= set(pushed[-1]["files"])
    assert "checkpoint-*" in pushed[-1]["ignore_patterns"]
