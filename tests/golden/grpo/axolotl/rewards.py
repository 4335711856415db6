"""
Rewards for generated answers: each gives one answer a number, and the trainer adds them up by weight.

Generated from a spec by Tuneform.
"""

import json
import math
import re
from pathlib import Path

from jsonschema import Draft202012Validator

import reward_1


def score_exact_match(sample, item):
    answer, reference = sample["output_text"], str(item["answer"])
    answer, reference = answer.strip(), reference.strip()
    return answer == reference


def score_regex(sample, item):
    return re.search("####", sample["output_text"], re.DOTALL) is not None


def score_json_schema(sample, item):
    schema = json.loads(Path(__file__).with_name("json_schema.json").read_text(encoding="utf-8"))
    try:
        return Draft202012Validator(schema).is_valid(json.loads(sample["output_text"]))
    except (ValueError, RecursionError):
        return False


def score_length(sample, item):
    length = len(sample["output_text"].split())
    return 0 <= length <= 200


def sample_of(completion):
    """An answer in the form that graders of services get it in, too."""
    text = completion if isinstance(completion, str) else completion[-1]["content"]
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    return {"output_text": text, "output_json": data}


def scored(name, function):
    """A reward as the trainer calls it: for a batch of answers, each with the columns of its row as JSON."""

    def score(sample, item):
        answer = repr(sample["output_text"][:200])
        try:
            found = function(sample, item)
            finite = math.isfinite(found)
        except Exception as error:
            raise RuntimeError(f"the reward `{name}` failed on the answer {answer}: {error!r}") from error
        if not finite:
            raise RuntimeError(f"the reward `{name}` gave {found} for the answer {answer}, and no finite number")
        return float(found)

    def reward(completions, item, **kwargs):
        pairs = zip(completions, item, strict=True)
        return [score(sample_of(completion), json.loads(row)) for completion, row in pairs]

    reward.__name__ = name  # which metrics are named by
    return reward


REWARDS = [
    scored("exact_match", score_exact_match),
    scored("regex", score_regex),
    scored("json_schema", score_json_schema),
    scored("length", score_length),
    scored("polite", reward_1.polite),
]
