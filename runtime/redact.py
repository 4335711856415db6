"""Keeps secrets out of what is stored or printed."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

_NAMES = re.compile(r"TOKEN|KEY|SECRET|PASSWORD|PASSWD|CREDENTIAL|PASS$|_PWD$", re.IGNORECASE)
_SHAPES = re.compile(
    r"\bhf_[A-Za-z0-9]{20,}|\bsk-[A-Za-z0-9_-]{20,}|\bgh[opsu]_[A-Za-z0-9]{30,}|\bgithub_pat_[A-Za-z0-9_]{20,}"
    r"|\bAKIA[0-9A-Z]{16}\b|(?i:(?<=\bbearer )[A-Za-z0-9._~+/=-]{16,})|(?<=://)[^/\s]+(?=@)"
)
_SHORTEST = 6  # a shorter value ("1", "true") would blank ordinary words
_COVER = "[redacted]"


def redact(text: str, environment: Mapping[str, str] | None = None) -> str:
    """Cover the values of environment variables with secret-looking names, and well-known token shapes."""
    for value in _secrets(os.environ if environment is None else environment):
        text = text.replace(value, _COVER)
    return _SHAPES.sub(_COVER, text)


def _secrets(environment: Mapping[str, str]) -> list[str]:
    found = {v for name, v in environment.items() if _NAMES.search(name) and len(v) >= _SHORTEST}
    return sorted(found, key=len, reverse=True)
