"""Where a model's tokenizer is on this machine, and its files as they stand there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOKENIZER, CONFIG, TEMPLATE = "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"
_FILES = (TOKENIZER, CONFIG, TEMPLATE, "special_tokens_map.json")
_NAMES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


class NoTokenizer(Exception):
    """There is no tokenizer to count with; the message says why, in one sentence."""


@dataclass(frozen=True)
class Files:
    """What belongs to a tokenizer: its own file, the names of its tokens, and its chat template."""

    tokenizer: Path
    named: dict[str, str]  # bos_token: <s>
    template: str | None
    tool_template: str | None = None  # which some models have apart, for rows with tools


def find(model: str, *, online: bool) -> Path:
    """The folder of a model's tokenizer: a local one, or the hub's cache, which is filled where `online`."""
    path = Path(model)
    if path.is_file() and path.name == TOKENIZER:
        return path.parent
    if path.is_dir() or model.startswith((".", "/", "~")) or model.count("/") != 1:
        if not (path / TOKENIZER).is_file():
            raise NoTokenizer(f"{model} has no {TOKENIZER}" if path.is_dir() else f"there is no folder {model}")
        return path
    return _from_hub(model, online)


def read(folder: Path, template: str | None = None) -> Files:
    """The files of a tokenizer's folder; `template` is a chat template to take instead of the folder's own."""
    config = _json(folder / CONFIG)
    named = {**_texts(_json(folder / "special_tokens_map.json")), **_texts(config)}
    own, tools = _templates(folder, config)
    return Files(folder / TOKENIZER, named, template or own, None if template else tools)


def _from_hub(model: str, online: bool) -> Path:
    try:
        import huggingface_hub as hub
    except ImportError:
        raise NoTokenizer(f"{model} is no folder here, and huggingface_hub is not installed") from None
    cached = hub.try_to_load_from_cache(model, TOKENIZER)
    if isinstance(cached, str):
        return Path(cached).parent
    if not online:
        raise NoTokenizer(f"the tokenizer of {model} is not in the hub's cache")
    found = {}
    try:
        for name in _FILES:
            try:
                found[name] = hub.hf_hub_download(model, name, etag_timeout=5)
            except hub.errors.EntryNotFoundError as error:
                if isinstance(error, hub.errors.LocalEntryNotFoundError):
                    raise
    except Exception as error:  # whatever its client raises: no network, no such model, no right to it
        why = {"LocalEntryNotFoundError": "the hub cannot be reached"}.get(type(error).__name__, type(error).__name__)
        raise NoTokenizer(f"the tokenizer of {model} cannot be had: {why}") from error
    if TOKENIZER not in found:
        raise NoTokenizer(f"{model} has no {TOKENIZER} on the hub")
    return Path(found[TOKENIZER]).parent


def _templates(folder: Path, config: dict[str, Any]) -> tuple[str | None, str | None]:
    file, named = folder / TEMPLATE, config.get("chat_template")
    if file.is_file():
        try:
            return file.read_text(encoding="utf-8"), None
        except (OSError, ValueError) as error:
            raise NoTokenizer(f"{file} cannot be read: {error}") from error
    if isinstance(named, list):
        both = {str(entry.get("name")): entry.get("template") for entry in named if isinstance(entry, dict)}
        return both.get("default"), both.get("tool_use")
    return (named if isinstance(named, str) else None), None


def _texts(config: dict[str, Any]) -> dict[str, str]:
    """Tokens are a text, or an object with the text as its content."""
    found = {name: config.get(name) for name in _NAMES}
    plain = {name: token.get("content") if isinstance(token, dict) else token for name, token in found.items()}
    return {name: token for name, token in plain.items() if isinstance(token, str)}


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise NoTokenizer(f"{path} cannot be read: {error}") from error
    return found if isinstance(found, dict) else {}
