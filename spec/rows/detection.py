"""Telling what a row is from its keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .converse import has_candidates, is_converse
from .rowcheck import Row, RowError, listed, near, quoted

_KEYS = {
    "chat": ("messages",),
    "sharegpt": ("conversations",),
    "instruction": ("instruction", "output"),
    "prompt_completion": ("prompt", "completion"),
    "preference": ("chosen", "rejected"),
    "text": ("text",),
}
_PREFERENCE_FORMS = {
    ("input", "preferred_output", "non_preferred_output"): "OpenAI's preference form",
    ("prompt", "chosen", "rejected"): "an explicit prompt",
    ("conversations", "chosen", "rejected"): "ShareGPT with an answer pair",
    ("messages", "chosen", "rejected"): "messages with an answer pair",
    ("instruction", "chosen", "rejected"): "an instruction with an answer pair",
    ("chosen", "rejected"): "a prompt that both conversations open with",
}
_UNPAIRED = ("chat", "sharegpt", "prompt_completion")
_PROMPTS = ("question", "query", "input", "user", "problem", "instruction", "prompt", "context")
_ANSWERS = ("answer", "response", "output", "assistant", "solution", "target", "completion", "reply")
_TEXTS = ("content", "body", "document", "raw_text", "passage")


@dataclass(frozen=True, slots=True)
class Detected:
    """What a row is, and by which keys it was recognised."""

    format: str
    evidence: str


def detect(row: Row) -> Detected:
    """The format of a row; a RowError if it has none, or several at once."""
    keys = {k for k, v in row.items() if v is not None} or set(row)
    for form, evidence in _PREFERENCE_FORMS.items():
        if keys.issuperset(form):
            return Detected("preference", f"{listed(form)}: {evidence}")
    if served := _of_a_service(row, keys):
        return served
    found = [name for name, need in _KEYS.items() if keys.issuperset(need)]
    if len(found) > 1 and "text" in found:
        found.remove("text")  # the same row once more, as its template renders it
    if len(found) > 1:
        several = " and ".join(f"{name} ({listed(_KEYS[name])})" for name in found)
        hint = (
            f"say which with `format: {'chat' if found[0] == 'sharegpt' else found[0]}`, or remove the other columns"
        )
        raise RowError("TF313", (), f"could be {several}", hint)
    if not found:
        raise RowError("TF313", (), f"is in no known format; its keys: {listed(row) or 'none'}", _hint(row, keys))
    if isinstance(row.get("label"), bool) and found[0] in _UNPAIRED:
        return Detected("unpaired_preference", f"{listed([*_KEYS[found[0]], 'label'])}, a label of true or false")
    return _by_values(row, found[0])


def _of_a_service(row: Row, keys: set[str]) -> Detected | None:
    """Forms that only one service has. Keys of another format beside them are a conflict, told by its own reader."""
    if isinstance(row.get("contents"), list) and "messages" not in keys:
        if "completions" in keys:
            return Detected("gemini_preference", "`contents`, `completions`: Gemini's preference form")
        if "references" in keys:
            return Detected("gemini_prompt", "`contents`, `references`: Gemini's form of prompts")
        return Detected("gemini", "`contents` of `parts`: Gemini's form")
    if has_candidates(row):
        return Detected("converse_preference", "`messages` that end with `candidates`: Amazon Nova's preference form")
    if is_converse(row):
        key = "schemaVersion" if "schemaVersion" in row else "system"
        return Detected("converse", f"`messages` and {quoted(key)}: Bedrock's Converse form")
    return None


def _by_values(row: Row, name: str) -> Detected:
    evidence = listed(_KEYS[name])
    if name == "prompt_completion" and isinstance(row["prompt"], list) and isinstance(row["completion"], list):
        return Detected("chat", f"{evidence}, which hold messages")
    if name in ("chat", "sharegpt"):
        style = _style(row[_KEYS[name][0]])
        if style:
            return Detected("sharegpt" if style == "from" else "chat", f"{evidence} with `{style}`")
    return Detected(name, evidence)


def _style(turns: Any) -> str | None:
    first = turns[0] if isinstance(turns, list) and turns else None
    return next((key for key in ("role", "from") if isinstance(first, dict) and key in first), None)


def _hint(row: Row, keys: set[str]) -> str:
    near_keys = [f"`{want}` for {quoted(have)}" for have, want in _near_keys(keys)]
    if near_keys:
        return f"did you mean {' and '.join(near_keys)}?"
    lower = {k.lower(): k for k in keys}
    prompt = next((lower[k] for k in _PROMPTS if k in lower), None)
    answer = next((lower[k] for k in _ANSWERS if k in lower), None)
    text = next((lower[k] for k in _TEXTS if k in lower), None)
    if prompt and answer:
        return f"say which column is which: `columns: {{prompt: {prompt}, completion: {answer}}}`"
    if text:
        return f"say which column holds the text: `columns: {{text: {text}}}`"
    nested = next((k for k, v in row.items() if isinstance(v, list) and v and isinstance(v[0], dict)), None)
    if nested and len(row) == 1:
        return f"{quoted(nested)} may hold the rows themselves: the file must be that list, or one row a line"
    groups = " | ".join(" + ".join(need) for need in _KEYS.values())
    return f"a row is recognised by its keys: {groups}; `columns` maps other names to these"


def _near_keys(keys: set[str]) -> list[tuple[str, str]]:
    out = []
    for need in [*_KEYS.values(), *_PREFERENCE_FORMS]:
        missing = [k for k in need if k not in keys]
        pairs = [(have, want) for want in missing if (have := near(want, sorted(keys - set(need))))]
        if pairs and len(pairs) == len(missing):
            out.append(pairs)
    return max(out, key=len, default=[])
