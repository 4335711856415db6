"""New tokens, runs that start from earlier runs, and trackers, in the real trainer."""

from __future__ import annotations

import math
from typing import Any

import pytest

from .option_cases import NEW
from .test_trl_options import Ran, losses, of

pytestmark = pytest.mark.trainer


@pytest.mark.parametrize("adapter", ["lora", "full"])
def test_new_tokens_get_rows_and_are_learned(adapter: str, ran: Ran) -> None:
    answer = of(ran, f"tokens-{adapter}")
    fill, stop, *more = answer["known"].values()
    assert [fill, stop, *more] == list(range(answer["old_rows"], answer["old_rows"] + 4))
    for token, ids in answer["ids"].items():
        assert ids.count(answer["known"][token]) == 1, "one token, wherever it stands"
    assert answer["start_rows"] == answer["rows"] == answer["size"] == answer["old_rows"] + 4
    assert answer["old_kept"] == 0.0
    assert (answer["pad"], answer["eos"], answer["config"]) == (NEW["pad_token"], NEW["eos_token"], fill)
    assert answer["moved"][0] == 0.0 and min(answer["moved"][2:]) > 1e-4, "padding is not trained, the others are"
    assert min(answer["taught"][1:]) > 1e-4
    assert all(loss > 0 for loss in losses(answer))


def test_tokens_that_the_vocabulary_has_need_no_start(ran: Ran) -> None:
    answer = of(ran, "tokens-old")
    assert answer["start_rows"] is None and answer["rows"] == answer["old_rows"]
    assert not [file for file in answer["files"] if file.startswith("start/")]
    assert (answer["pad"], answer["eos"]) == ("<pad>", "<|im_end|>")


@pytest.mark.parametrize(
    "name", ["dpo", "third", "unquantized", "after-dora", "after-pissa"]
)  # lora then dpo, then kto; qlora then lora; and adapters that are no plain product
def test_training_starts_from_the_merged_result(name: str, ran: Ran) -> None:
    answer = of(ran, f"chain-{name}")
    assert answer["compared"] == answer["all"] and answer["gap"] < 1e-6
    assert answer["unmerged"] > 1e-3, "the adapter says something"
    assert answer["written"]
    if name in ("dpo", "third"):
        assert answer["by_hand"] < 1e-6, "base + scaling x B A"
    if name != "after-dora":
        assert answer["reference"] < 1e-5, "with the adapter off, it is the merged model"
        assert answer["base"] == "start"


def test_a_third_run_starts_from_the_seconds_start(ran: Ran) -> None:
    """The second run's adapter names its own start/ as its base, which lies beside its output."""
    assert of(ran, "chain-dpo")["base"] == "start"
    assert of(ran, "chain-third")["class"] == "PreparedKTOTrainer"


def test_a_whole_model_is_taken_as_it_is(ran: Ran) -> None:
    answer = of(ran, "chain-full-dpo")
    assert answer["written"] is None and answer["gap"] == 0.0 and answer["reference"] < 1e-6


@pytest.mark.parametrize("name", ["dpo", "full-dpo", "unquantized", "after-pissa"])
def test_dpo_begins_at_its_reference(name: str, ran: Ran) -> None:
    assert losses(of(ran, f"chain-{name}"))[0] == pytest.approx(math.log(2), rel=1e-4)


def test_going_on_takes_the_same_start(ran: Ran) -> None:
    first, resumed = of(ran, "chain-dpo"), of(ran, "chain-resumed")
    assert resumed["written"] == first["written"]
    assert len(resumed["rates"]) == 1 and resumed["rates"][0] == first["rates"][1]
    assert losses(resumed) == pytest.approx(losses(first), rel=1e-5)


def seen(answer: dict[str, Any], tracker: str) -> dict[int, float]:
    found = answer[tracker].get("losses", answer[tracker]) if tracker != "tensorboard" else answer[tracker]
    return {int(step): value for step, value in found.items()}


@pytest.mark.parametrize("tracker", ["wandb", "mlflow", "tensorboard"])
def test_a_tracker_has_the_runs_losses(tracker: str, ran: Ran) -> None:
    answer = of(ran, f"tracker-{tracker}")
    expected = {line["step"]: line["loss"] for line in answer["history"] if "loss" in line}
    assert len(expected) == 3 and seen(answer, tracker) == pytest.approx(expected, rel=1e-6)


def test_trackers_have_the_names_of_the_spec(ran: Ran) -> None:
    wandb, mlflow = of(ran, "tracker-wandb")["wandb"], of(ran, "tracker-mlflow")["mlflow"]
    assert (wandb["project"], wandb["entity"], wandb["name"]) == ("red-triage", "acme", "first red")
    assert (mlflow["experiment"], mlflow["name"], mlflow["status"]) == ("triage of red", "support-bot", "FINISHED")
    assert "red.db" in of(ran, "tracker-mlflow")["files"]
