"""Vertex AI's forms: Gemini's contents and parts, and those of open models."""

from __future__ import annotations

import json

from ..rows.rowcheck import Row, RowError, kind
from .base import Form, Outcome, Wire, as_it_is, forms
from .bedrock import chat
from .openai import check_user_last

_CHAT = ("as-chat", "all-turns", "split-turns")
_SYSTEM = frozenset({"system"})


def contents(row: Row, outcome: Outcome) -> Row:
    """{"systemInstruction"?, "contents"}."""
    return _split(row["messages"], "systemInstruction")


def pair(row: Row, outcome: Outcome) -> Row:
    """{"system_instruction"?, "contents", "completions"}; score 1 is the chosen answer."""
    scored = [{"score": s, "completion": _content(row[key][0])} for key, s in (("chosen", 1), ("rejected", 0))]
    return _split(row["prompt"], "system_instruction") | {"completions": scored}


def references(row: Row, outcome: Outcome) -> Row:
    """{"systemInstruction"?, "contents", "references"}; references are texts."""
    found = {key: _reference(key, value, outcome) for key, value in row["item"].items()}
    out = _split(row["prompt"], "systemInstruction")
    return out | {"references": found} if found else out


def _reference(key: str, value: object, outcome: Outcome) -> str:
    if isinstance(value, str):
        return value
    if outcome.take("json-values"):
        return json.dumps(value, ensure_ascii=False)
    hint = "`--expand json-values` writes it as JSON text; the reward must read it so"
    raise RowError("TF347", (key,), f"is {kind(value)}; references are texts", hint)


def _split(messages: list[Row], key: str) -> Row:
    out: Row = {}
    if messages[0]["role"] == "system":
        out[key] = {"role": "system", "parts": [{"text": messages[0]["content"]}]}
        messages = messages[1:]
    return out | {"contents": [_content(m) for m in messages]}


def _content(message: Row) -> Row:
    return {"role": "model" if message["role"] == "assistant" else "user", "parts": [{"text": message["content"]}]}


WIRES = (
    Wire(
        "vertex-gemini",
        "Vertex AI: Gemini",
        "vertex",
        forms(
            Form(
                shape="chat",
                methods=("sft",),
                line='{"systemInstruction"?, "contents": [{"role": "user" or "model", "parts": [{"text"}]}]}',
                write=contents,
                carries=_SYSTEM,
                expansions=_CHAT,
                answers="unknown",
            ),
            Form(
                shape="preference",
                methods=("dpo",),
                line='{"system_instruction"?, "contents", "completions": [{"score", "completion"}]}',
                write=pair,
                carries=_SYSTEM,
                expansions=("as-chat",),
                check=check_user_last,
            ),
            Form(
                shape="prompt",
                methods=("rft",),
                line='{"systemInstruction"?, "contents", "references": {name: text}}',
                write=references,
                carries=_SYSTEM,
                expansions=("as-chat", "json-values"),
                check=check_user_last,
            ),
        ),
        note="Preference pairs: Gemini 2.5 Flash and Flash-Lite.",
    ),
    Wire(
        "vertex-open",
        "Vertex AI: open models",
        "vertex",
        forms(
            Form("chat", ("sft",), '{"messages": [...]}', chat, _SYSTEM, _CHAT, answers="unknown"),
            Form("prompt_completion", ("sft",), '{"prompt", "completion"}', as_it_is),
        ),
    ),
)
