"""What a run needs of its rows beyond their format: weights that can be heeded, columns that rewards compare with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .rowcheck import Row, RowError, listed, near


@dataclass(frozen=True, slots=True)
class Needs:
    """loss_on: what is trained of a chat; native_labels: the trainer makes the labels; columns: of each prompt."""

    loss_on: str = "assistant"
    native_labels: bool = False
    columns: tuple[str, ...] = ()


NO_NEEDS = Needs()


def check_of(shape: str, needs: Needs) -> Callable[[Row], None] | None:
    """What checks a canonical row of a shape; None where any will do."""
    if shape == "chat" and (needs.native_labels or needs.loss_on in ("last_assistant", "all")):
        return lambda row: _weights(row["messages"], needs)
    if shape == "prompt" and needs.columns:
        return lambda row: _columns(row["item"], needs.columns)
    return None


def _weights(messages: list[Row], needs: Needs) -> None:
    """What is trained of a conversation has weight, and what has none can be left out."""
    if needs.native_labels and any(m.get("weight") == 0 for m in messages):
        message = "has a turn that is not to be trained, by its weight or because it stands in the prompt"
        hint = "with `data.masks: native` the trainer makes the labels, and heeds no weight; `masks: auto` does"
        raise RowError("TF322", (), message, hint)
    if needs.loss_on == "last_assistant" and messages[-1].get("weight") == 0:
        raise RowError(
            "TF322", (), "gives its last turn weight 0", "with `loss_on: last_assistant` nothing is trained"
        )
    if needs.loss_on == "all" and any(m.get("weight") == 0 for m in messages if m["role"] != "assistant"):
        hint = "with `loss_on: all` only turns of the assistant can be left out"
        raise RowError("TF322", (), "gives weight 0 to a turn that is not the assistant's", hint)


def _columns(item: Row, columns: tuple[str, ...]) -> None:
    """Each prompt has what a reward compares answers with."""
    told = "the reward `exact_match` compares answers with it"
    for column in columns:
        if column not in item:
            close = near(column, item)
            has = f"the columns beside the prompt: {listed(item)}" if item else "there is no column beside the prompt"
            hint = f"did you mean `rewards: [{{exact_match: {close}}}]`?" if close else has
            raise RowError("TF354", (column,), f"is missing; {told}", hint)
        if item[column] is None:
            hint = "complete the row, or leave such rows out with `data.on_bad_row: skip`"
            raise RowError("TF354", (column,), f"holds no value; {told}", hint)
