"""Amazon's forms: Converse conversations, Claude 3 Haiku, prompts with a reference, and SageMaker's."""

from __future__ import annotations

from ..rows.rowcheck import Row, RowError
from .base import Form, Outcome, Wire, as_it_is, forms
from .openai import check_keys, check_user_last

SCHEMA = "bedrock-conversation-2024"
RESERVED = ("System:", "User:", "Bot:", "Assistant:", "[EOS]", "<image>", "<video>")
_CHAT = ("as-chat", "all-turns", "split-turns")
_CONVERSE = '{"schemaVersion", "system"?: [{"text"}], "messages": [{"role", "content": [{"text"}]}]}'


def converse(row: Row, outcome: Outcome) -> Row:
    """A Converse conversation."""
    return _head(row["messages"]) | {"messages": [_turn(m) for m in _spoken(row["messages"])]}


def candidates(row: Row, outcome: Outcome) -> Row:
    """A Converse conversation whose last turn has two candidates."""
    sides = (("chosen", "preferred"), ("rejected", "non-preferred"))
    pair = [{"content": _blocks(row[key][0]), "preferenceLabel": label} for key, label in sides]
    turns = [_turn(m) for m in _spoken(row["prompt"])]
    return _head(row["prompt"]) | {"messages": [*turns, {"role": "assistant", "candidates": pair}]}


def claude(row: Row, outcome: Outcome) -> Row:
    """{"system"?, "messages"} with plain texts."""
    messages = row["messages"]
    out: Row = {"system": messages[0]["content"]} if messages[0]["role"] == "system" else {}
    return out | {"messages": plain(_spoken(messages))}


def rft(row: Row, outcome: Outcome) -> Row:
    """{"messages", "reference_answer", and the item's other fields}."""
    item = row["item"]
    if "reference_answer" not in item:
        if not item or not outcome.take("whole-item"):
            hint = "name the column so, or `--expand whole-item` takes all other columns as the reference"
            raise RowError("TF347", ("reference_answer",), "is missing", hint)
        item = {"reference_answer": item}
    return {"messages": plain(row["prompt"]), **item}


def plain(messages: list[Row]) -> list[Row]:
    """Messages of a role and a text; a weight of 1 is what they have anyway."""
    return [{"role": m["role"], "content": m["content"]} for m in messages]


def chat(row: Row, outcome: Outcome) -> Row:
    """{"messages"} of roles and texts."""
    return {"messages": plain(row["messages"])}


def pair(row: Row, outcome: Outcome) -> Row:
    """{"prompt", "chosen", "rejected"} of plain texts."""
    return {key: row[key] for key in ("prompt", "chosen", "rejected")}


def _check_rft(row: Row) -> None:
    check_keys(row, ("messages", "conversations", "system", "tools", "chat_template_kwargs"))
    check_user_last(row)


def _head(messages: list[Row]) -> Row:
    head: Row = {"schemaVersion": SCHEMA}
    if messages[0]["role"] == "system":
        head["system"] = [{"text": messages[0]["content"]}]
    return head


def _spoken(messages: list[Row]) -> list[Row]:
    return messages[1:] if messages[0]["role"] == "system" else messages


def _turn(message: Row) -> Row:
    return {"role": message["role"], "content": _blocks(message)}


def _blocks(message: Row) -> list[Row]:
    thought = message.get("reasoning_content")
    blocks: list[Row] = [{"reasoningContent": {"reasoningText": {"text": thought}}}] if thought else []
    return [*blocks, {"text": message["content"]}]


_SYSTEM = frozenset({"system"})
_NOVA = Form(
    "chat", ("sft",), _CONVERSE, converse, _SYSTEM | {"reasoning"}, _CHAT, answers="unknown", reserved=RESERVED
)
_PLAIN = Form("prompt_completion", ("sft",), '{"prompt", "completion"}', as_it_is, expansions=("as-text",))
WIRES = (
    Wire(
        "bedrock-nova",
        "Bedrock: Amazon Nova",
        "bedrock",
        forms(
            _NOVA,
            Form(
                shape="prompt",
                methods=("rft",),
                line='{"messages": [...], "reference_answer": any, and other fields}',
                write=rft,
                carries=_SYSTEM,
                expansions=("as-chat", "whole-item"),
                check=_check_rft,
            ),
        ),
        note="Reasoning is for Nova 2 alone. gpt-oss-20b and qwen3-32b on Bedrock take the same prompts.",
    ),
    Wire(
        "bedrock-llama",
        "Bedrock: Llama 3.2 and 3.3",
        "bedrock",
        forms(Form("chat", ("sft",), _CONVERSE, converse, _SYSTEM, _CHAT, answers="unknown")),
    ),
    Wire(
        "bedrock-claude",
        "Bedrock: Claude 3 Haiku",
        "bedrock",
        forms(
            Form(
                shape="chat",
                methods=("sft",),
                line='{"system"?: text, "messages": [{"role", "content": text}]}',
                write=claude,
                carries=_SYSTEM,
                expansions=_CHAT,
                answers="unknown",
            )
        ),
    ),
    Wire("bedrock-text", "Bedrock: Llama 3.1, Titan, Cohere", "bedrock", forms(_PLAIN)),
    Wire(
        "sagemaker",
        "SageMaker serverless: open models",
        "sagemaker-serverless",
        forms(
            Form("chat", ("sft",), '{"messages": [...]}', chat, _SYSTEM, _CHAT, answers="unknown"),
            _PLAIN,
            Form(
                "preference", ("dpo",), '{"prompt", "chosen", "rejected"}', pair,
                expansions=("as-text",), plain=True, turns=False,
            ),
        ),
    ),
    Wire(
        "sagemaker-nova",
        "SageMaker: Amazon Nova",
        "sagemaker-serverless",
        forms(
            _NOVA,
            Form(
                shape="preference",
                methods=("dpo",),
                line='{..., "messages": [..., {"role": "assistant", "candidates": [{"content", "preferenceLabel"}]}]}',
                write=candidates,
                carries=_SYSTEM | {"reasoning"},
                expansions=("as-chat",),
                reserved=RESERVED,
            ),
        ),
    ),
)  # fmt: skip
