"""Advice about the rows: how many there are, and how often each is trained on."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Level
from ..method import PREFERENCE
from .base import Problem, Seen, advice

EVALUATED = ("sft", "pretrain", *PREFERENCE)
FEW_ROWS, SMALL_SET, MANY_ROWS = 100, 1_000, 10_000
MANY_PASSES = 5
SHORT_CHAT = 64
CHATS = ("chat", "preference", "unpaired_preference")


@advice("TF130", "no evaluation rows")
def no_evaluation(seen: Seen) -> Iterator[Problem]:
    """Without rows that are held out, nothing tells a model that learns from one that memorizes: the training loss
    falls in both cases, and neither early stopping nor the best checkpoint can be had.

    Fix: hold out a share of the rows, or name a file.

    Source: https://platform.openai.com/docs/guides/supervised-fine-tuning ("good evals first").

    Example:

        data: {train: train.jsonl, format: chat}

    Instead:

        data: {train: train.jsonl, format: chat, eval: {split: 0.1}}
    """
    if seen.spec.data.eval is None and seen.plan["method"] in EVALUATED:
        yield "data.eval", "no evaluation rows: overfitting would go unseen", "add `data.eval`, as in `{split: 0.1}`"


@advice("TF131", "few training rows")
def few_rows(seen: Seen) -> Iterator[Problem]:
    """Under 100 rows, the same rows as examples in a prompt often serve as well, cost no training, and are changed
    in a minute. OpenAI saw tuning improve models from 50 to 100 rows on. Of pretraining and grpo this says nothing: a
    row there may be long, or be used many times.

    Fix: try the rows as examples in a prompt first, or gather more.

    Source: https://platform.openai.com/docs/guides/supervised-fine-tuning.

    Example, with 40 training rows:

        method: sft

    Instead, with 400 training rows:

        method: sft
    """
    rows = seen.facts.rows_train
    if rows is not None and rows < FEW_ROWS and seen.plan["method"] in ("sft", *PREFERENCE):
        message = f"{rows} training rows are few: as examples in a prompt they may serve as well"
        yield "data.train", message, f"compare with a prompt first, or gather {FEW_ROWS} rows and more"


@advice("TF132", "few rows, many times")
def many_passes(seen: Seen) -> Iterator[Problem]:
    """Up to 1,000 rows that are each trained on more than five times are mostly memorized. Unsloth's guide advises one
    to three epochs. LIMA did take 15 epochs over 1,000 rows, and then chose its checkpoint by hand from the 5th to
    the 10th epoch, on rows that were held out: that is what early stopping and `saving.best` are for, and with one
    of them this says nothing.

    Fix: fewer epochs, or keep the checkpoint that evaluates best.

    Source: https://unsloth.ai/docs/get-started/fine-tuning-llms-guide/lora-hyperparameters-guide;
    LIMA, https://arxiv.org/abs/2305.11206.

    Example, with 400 training rows:

        training: {epochs: 10}

    Instead, with 400 training rows:

        training: {epochs: 10}
        saving: {best: true}
    """
    rows, passes = seen.facts.rows_train, seen.passes
    watched = seen.spec.data.eval and (seen.spec.evaluation.early_stopping or seen.spec.saving.best)
    if rows is None or passes is None or watched:
        return
    if rows <= SMALL_SET and passes > MANY_PASSES:
        message = f"{rows:,} rows, each trained on {passes:.3g} times, are mostly memorized"
        hint = "1 to 3 epochs; or `evaluation.early_stopping`, or `saving: {best: true}`, with evaluation rows"
        yield seen.first_written("training.epochs", "training.max_steps", "data.train"), message, hint


@advice("TF133", "many rows in one stage", Level.NOTE)
def next_stage(seen: Seen) -> Iterator[Problem]:
    """Beyond some ten thousand rows of supervised tuning, more of the same rows tend to add little; published recipes
    go on with a second stage that compares answers (Tulu 3: supervised tuning, then DPO, then rewards). Nothing is
    wrong with one stage, so this is a note.

    Fix: none needed. `stages:` can hold one with `method: dpo` after this one, which starts from its result.

    Source: Tulu 3, https://arxiv.org/abs/2411.15124.

    Example, with 25,000 training rows:

        method: sft

    Instead, with 25,000 training rows:

        method: dpo
        data: {train: train.jsonl, format: preference, eval: {split: 0.1}}
    """
    rows = seen.facts.rows_train
    if rows is not None and rows > MANY_ROWS and seen.plan["method"] == "sft" and not seen.goes_on:
        message = f"with {rows:,} rows, what comes next is often a stage that compares answers"
        yield "method", message, "`stages:` can hold one that compares answers, with `method: dpo`"


@advice("TF143", "rows cannot be that short")
def short_chats(seen: Seen) -> Iterator[Problem]:
    """A chat template alone takes tens of tokens: the marks around each turn, and for many models a system prompt of
    their own. With `max_length` under 64, most rows are dropped or lose their answer.

    Fix: take the length of your longest rows; 512 to 2048 is usual.

    Example:

        training: {max_length: 32}

    Instead:

        training: {max_length: 512}
    """
    length = seen.spec.training.max_length
    if length < SHORT_CHAT and seen.facts.shape in CHATS:
        fate = {"truncate": "cut", "error": "refused"}.get(seen.spec.training.on_too_long, "dropped")
        message = f"a chat template alone takes most of {length} tokens: most rows would be {fate}"
        yield "training.max_length", message, "512 to 2048 is usual; take the length of your longest rows"
