"""Rules about what a method takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..method import REWARDED
from ..spec import Spec
from .base import Problem, rule


@rule("TF115", "the method does not pack")
def packing_fits(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """Packing puts several rows into one sequence. Preference methods compare answers as wholes, and grpo samples
    them: they cannot pack.

    Fix: remove `training.packing`.

    Example:

        method: dpo
        data: {train: pairs.jsonl, format: preference}
        training: {packing: true}

    Instead:

        method: dpo
        data: {train: pairs.jsonl, format: preference}
    """
    name = spec.method.name
    if spec.training.packing and name not in ("sft", "pretrain"):
        does = "samples answers" if name in REWARDED else "compares whole answers"
        yield "training.packing", f"{name} {does} and cannot pack rows", "remove `packing`"


@rule("TF116", "the tokens to train do not fit the method or the rows")
def loss_fits(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """Pretraining trains every token of a text. With sft it depends on the rows: of chats `assistant`,
    `last_assistant` or `all` are trained, of prompts with completions `completion` or `all`, of texts `all`.

    Fix: remove `data.loss_on`, which then follows the rows; or use `method: sft`.

    Example:

        method: pretrain
        data: {train: texts.jsonl, format: text, loss_on: assistant}

    Instead:

        method: pretrain
        data: {train: texts.jsonl, format: text}
    """
    if spec.method.pretrain and spec.data.loss_on not in (None, "all"):
        yield "data.loss_on", f"pretrain trains every token, not `{spec.data.loss_on}`", "remove it, or use sft"


@rule("TF122", "rewards are missing or wrong")
def rewards_fit(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """grpo and rft learn from a number for each answer: at least one reward. A regular expression must be one that
    Python's `re` takes, and a JSON Schema one that JSON Schema itself allows.

    Fix: add `rewards`, for example `rewards: [{exact_match: answer}]`.

    Example:

        method: grpo
        data: {train: questions.jsonl, format: prompt}

    Instead:

        method: grpo
        data: {train: questions.jsonl, format: prompt}
        rewards: [{exact_match: answer}]
    """
    name = spec.method.name
    if name in REWARDED and not spec.rewards:
        yield "method", f"{name} needs `rewards`", "for example `rewards: [{exact_match: answer}]`"
    for index, reward in enumerate(spec.rewards):
        if reward.regex and (wrong := _wrong_regex(reward.regex.pattern)):
            yield f"rewards[{index}].regex", f"no regular expression: {wrong}", None
        if reward.length and reward.length.max is not None and reward.length.max < reward.length.min:
            yield f"rewards[{index}].length", "`max` is below `min`, so that no answer would fit", "exchange them"
        if reward.file is None and "function" in reward.model_fields_set:
            yield f"rewards[{index}].function", "`function` belongs to a `file`", "add `file: rewards.py`"
        if reward.json_schema is not None and (wrong := _wrong_schema(reward.json_schema)):
            yield f"rewards[{index}].json_schema", f"no JSON Schema: {wrong}", None


def _wrong_regex(pattern: str) -> str:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return str(error)
    return ""


def _wrong_schema(schema: Mapping[str, Any]) -> str:
    from jsonschema import Draft202012Validator, SchemaError  # 0.2 s, for the few specs that have one

    try:
        written = json.dumps(schema, allow_nan=False)
        Draft202012Validator.check_schema(json.loads(written))  # JSON's arrays are lists, ours tuples
    except SchemaError as error:
        return f"{error.message} (at {error.json_path})"
    except ValueError:
        return "it holds a number that is not finite"
    return ""


@rule("TF123", "a row cannot be cut or is too short for the answers")
def lengths_fit(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """With grpo, `training.max_length` holds a prompt and the answer that is sampled for it. A prompt is never cut,
    since a cut one asks something else.

    Fix: a larger `training.max_length`, or a smaller `max_completion_length`; `on_too_long: drop` or `error`.

    Example:

        method: {grpo: {max_completion_length: 4096}}
        data: {train: questions.jsonl, format: prompt}
        rewards: [{exact_match: answer}]

    Instead:

        method: {grpo: {max_completion_length: 4096}}
        data: {train: questions.jsonl, format: prompt}
        rewards: [{exact_match: answer}]
        training: {max_length: 8192}
    """
    if spec.method.grpo is None:
        return
    answer, whole = spec.method.grpo.max_completion_length, spec.training.max_length
    if answer >= whole:
        path = "method.grpo.max_completion_length"
        message = f"answers of {answer} tokens leave no room for a prompt in max_length {whole}"
        yield path if path in paths else "training.max_length", message, f"a max_length above {answer}"
    if spec.training.on_too_long == "truncate":
        yield "training.on_too_long", "a prompt that is cut asks something else", "`drop` or `error`"


@rule("TF126", "kto has an order of its own")
def kto_order(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """Neighbours in a KTO batch give its KL term, so its rows have one order; batches of similar length would be
    another.

    Fix: remove `group_by_length`, or use `loss_type: apo_zero_unpaired`.

    Example:

        method: kto
        data: {train: judged.jsonl, format: unpaired_preference}
        training: {group_by_length: true}

    Instead:

        method: {kto: {loss_type: apo_zero_unpaired}}
        data: {train: judged.jsonl, format: unpaired_preference}
        training: {group_by_length: true}
    """
    if spec.training.group_by_length and spec.method.kto and spec.method.kto.loss_type == "kto":
        hint = "remove it, or use `loss_type: apo_zero_unpaired`"
        yield "training.group_by_length", "kto pairs rows that stand beside each other", hint
