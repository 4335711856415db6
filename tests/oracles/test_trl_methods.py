"""What kto, orpo, dpo and grpo do in the real trainer: TRL's own rows, and rewards."""

from __future__ import annotations

import pytest

from tuneform.runtime.failures import sentence

from .test_trl_options import Ran, of

pytestmark = pytest.mark.trainer


@pytest.mark.parametrize("method", ["kto", "orpo", "dpo"])
def test_rows_of_plain_text_are_those_that_trl_makes(method: str, ran: Ran) -> None:
    """Token for token; with kto the answers of the KL term and their neighbours too."""
    answer = of(ran, f"own-{method}")
    assert len(answer["ours"]) >= 9 and answer["ours"] == answer["theirs"]
    if method == "kto":
        assert any(row["KL_completion_ids"] != row["completion_ids"] for row in answer["ours"])


def test_falling_rewards_stop_a_run_and_the_best_is_kept(ran: Ran) -> None:
    answer = of(ran, "grpo-early")
    rewards = [line["eval_reward"] for line in answer["history"] if "eval_reward" in line]
    assert answer["steps"] == 3 < 6, "two evaluations without improvement"
    assert rewards[:3] == sorted(rewards[:3], reverse=True) and answer["best"] == pytest.approx(rewards[0])
    assert answer["best_from"].endswith("checkpoint-1")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("raises", "ZeroDivisionError('division by zero')"),
        ("text", "must be real number, not str"),
        ("nan", "gave nan"),
        ("none", "must be real number, not NoneType"),
    ],
)
def test_a_reward_that_does_not_work_is_one_sentence(name: str, words: str, ran: Ran) -> None:
    said = sentence(1, ran[f"reward-{name}"]["log"].encode())
    assert said.startswith("RuntimeError: the reward `score` ") and words in said and "\n" not in said
