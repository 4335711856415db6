"""How many tokens a row has, guessed from its characters where there is no tokenizer to count with.

Tokens a character, by kind. Fitted to SmolLM2's tokenizer (49,152 tokens) on English questions, chats, preference
pairs and tool calls: 1,500 + 999 + 300 + 300 + 300 rows, which it misses by at most 8% a file (benchmarks/tokens.py
prints each). Kinds outside ASCII stand between tokenizers made for English and those made for many languages, which
differ by a factor of two and more: there it may be off by as much.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

ENGLISH_ERROR, OTHER_ERROR = 10, 50  # percent

_KINDS: tuple[tuple[bytes, float], ...] = (
    (b" " + bytes(range(0x41, 0x5B)) + bytes(range(0x61, 0x7B)), 1 / 4.9),  # Latin letters, with the spaces
    (bytes(range(0x30, 0x3A)), 1.0),  # digits
    (bytes(range(0xC0, 0xE0)), 0.6),  # first bytes of two: accents, Greek, Cyrillic, Hebrew, Arabic
    (bytes(range(0xE0, 0xF0)), 1.0),  # of three: Chinese, Japanese, Korean, Indian scripts, symbols
    (bytes(range(0xF0, 0xF8)), 2.5),  # of four: emoji
    (bytes(range(0x80, 0xC0)), 0.0),  # the bytes after them
)
_REST = 1 / 1.5  # punctuation, line ends
_TURN = 5  # tokens that a chat template puts around each turn (ChatML); the end token is one of them


def text(value: str) -> float:
    """Tokens of a text."""
    data = value.encode("utf-8", "surrogatepass")
    rest, tokens = len(data), 0.0
    for kind, rate in _KINDS:
        left = len(data.translate(None, kind)) if kind[0] < 0x80 or not value.isascii() else len(data)
        tokens += (len(data) - left) * rate
        rest -= len(data) - left
    return tokens + rest * _REST


def row(value: dict[str, Any], shape: str, loss_on: str) -> tuple[int, int, int]:
    """Of a canonical row: the length that counts against a limit, tokens an epoch reads, and trained ones."""
    tools = text(str(value["tools"])) if value.get("tools") else 0.0
    if shape == "chat":
        length = _turns(value["messages"]) + tools
        trained = length if loss_on == "all" else _trained(value["messages"], loss_on)
        return round(length), round(length), round(trained)
    if shape == "text":
        length = text(value["text"]) + 1
        return round(length), round(length), round(length)
    prompt = _any(value["prompt"]) + tools
    if shape == "prompt":
        return round(prompt), round(prompt), 0
    names = ("chosen", "rejected") if shape == "preference" else ("completion",)
    answers = [_any(value[name]) + 1 for name in names]
    whole = shape == "prompt_completion" and loss_on == "all"
    trained = sum(answers) + (prompt if whole else 0)
    return round(prompt + max(answers)), round(prompt * len(answers) + sum(answers)), round(trained)


def _turns(messages: Iterable[dict[str, Any]]) -> float:
    return sum(_TURN + _content(message) for message in messages)


def _trained(messages: list[dict[str, Any]], loss_on: str) -> float:
    own = [message for message in messages if message["role"] == "assistant"]
    wanted = own[-1:] if loss_on == "last_assistant" else own
    return sum(_content(message) + 1 for message in wanted if message.get("weight") != 0)


def _content(message: dict[str, Any]) -> float:
    calls = text(str(message["tool_calls"])) if message.get("tool_calls") else 0.0
    return text(message.get("content") or "") + text(message.get("reasoning_content") or "") + calls


def _any(value: str | list[dict[str, Any]]) -> float:
    return text(value) if isinstance(value, str) else _turns(value)
