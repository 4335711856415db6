"""JSON as the standard has it: no NaN, no key twice, no lone surrogate, no bottomless nesting. Each with its place."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any

DEPTH_LIMIT = 100

_STRING = r'"(?:[^"\\]|\\.)*"'
_TOKEN = re.compile(rf"({_STRING})\s*(:?)|([{{}}\[\]])|([^\s\"{{}}\[\],:]+)", re.DOTALL)
_HIGH, _LOW = r"\\u[dD][89abAB][0-9a-fA-F]{2}", r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPE = re.compile(rf"{_HIGH}{_LOW}|({_HIGH}|{_LOW})|\\.", re.DOTALL)
UNCLOSED = "this text has no closing quote"
_WORDS = {
    "Expecting value": "a value is expected here",
    "Expecting property name enclosed in double quotes": "a key in double quotes is expected here",
    "Expecting ',' delimiter": "a comma is expected here",
    "Expecting ':' delimiter": "a colon is expected here",
    "Unterminated string starting at": UNCLOSED,
    "Extra data": "there is more after the end of the value",
}


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a JSON text, and where in it: `start` and `end` are offsets."""

    code: str
    start: int
    end: int
    message: str
    hint: str | None = None


class Decoder:
    """Decodes one value after another out of texts."""

    def __init__(self) -> None:
        self._odd: list[tuple[str, str]] = []
        self._raw = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_constant=self._constant,
            parse_float=self._float,
            parse_int=self._int,
        ).raw_decode

    def decode(self, text: str, start: int = 0) -> tuple[Any, int | None]:
        """The value at `start` and the offset after it, or a Flaw; then the offset is None if no end was found."""
        self._odd.clear()
        try:
            value, end = self._raw(text, start)
        except json.JSONDecodeError as error:
            return broken(error), None
        except RecursionError:
            return Flaw("TF311", start, start + 1, "values are nested too deep", _FLATTER), None
        return self._flaw(text, start, end, value) or value, end

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            self._odd.append(("key", ""))
        return found

    def _constant(self, token: str) -> float:
        self._odd.append(("number", token))
        return 0.0

    def _float(self, token: str) -> float:
        value = float(token)
        if not math.isfinite(value):
            self._odd.append(("number", token))
        return value

    def _int(self, token: str) -> int:
        if len(token) > 400:
            self._odd.append(("number", token))
            return 0
        return int(token)

    def _flaw(self, text: str, start: int, end: int, value: Any) -> Flaw | None:
        for kind, token in self._odd:
            return _double_key(text, start, end) if kind == "key" else _odd_number(text, start, end, token)
        if text.find("\\ud", start, end) >= 0 or text.find("\\uD", start, end) >= 0:
            for match in _ESCAPE.finditer(text, start, end):
                if match[1]:
                    message = f"`{match[1]}` is half of a character: a surrogate without its partner"
                    return Flaw("TF309", match.start(), match.end(), message, _HALF)
        if text.count("[", start, end) + text.count("{", start, end) > DEPTH_LIMIT and too_deep(value):
            message = f"values are nested deeper than {DEPTH_LIMIT} levels"
            return Flaw("TF311", start, start + 1, message, _FLATTER)
        return None


def loads(text: str) -> Any:
    """The value of a whole JSON text, or a Flaw."""
    start = len(text) - len(text.lstrip(" \t\r\n"))
    value, end = Decoder().decode(text, start)
    if not isinstance(value, Flaw) and end is not None and (rest := text[end:].lstrip(" \t\r\n")):
        return Flaw("TF306", len(text) - len(rest), len(text), "there is more after the end of the value")
    return value


def too_deep(value: Any) -> bool:
    """Whether lists and objects are nested deeper than the limit."""
    level = [value]
    for _ in range(DEPTH_LIMIT):
        level = [
            child
            for item in level
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def broken(error: json.JSONDecodeError) -> Flaw:
    """The flaw for a syntax error."""
    text, at = error.doc, error.pos
    what = _WORDS.get(error.msg, error.msg[:1].lower() + error.msg[1:].removesuffix(" at"))
    hint = "JSON takes double quotes" if text[at : at + 1] == "'" else None
    return Flaw("TF306", at, min(at + 1, len(text)), f"broken JSON: {what}", hint)


def _odd_number(text: str, start: int, end: int, token: str) -> Flaw:
    shown = token if len(token) < 24 else f"{token[:20]}..."
    message = f"`{shown}` is not a number that JSON can hold"
    for match in _TOKEN.finditer(text, start, end):
        if match[4] == token:
            return Flaw("TF308", match.start(), match.end(), message, _NUMBER)
    return Flaw("TF308", start, start + 1, message, _NUMBER)


def _double_key(text: str, start: int, end: int) -> Flaw:
    open_objects: list[set[str]] = []
    for match in _TOKEN.finditer(text, start, end):
        if match[3] and match[3] in "{[":
            open_objects.append(set())
        elif match[3]:
            open_objects.pop()
        elif match[2]:
            key = json.loads(match[1])
            if key in open_objects[-1]:
                message = f"the key {ascii(key)[:60]} stands twice in one object"
                return Flaw("TF310", match.start(1), match.end(1), message, _TWICE)
            open_objects[-1].add(key)
    return Flaw("TF310", start, start + 1, "a key stands twice in one object", _TWICE)


_FLATTER = "no chat or tool call needs this depth: look for a broken export"
_HALF = "the text was cut inside an emoji or another rare character, or exported with errors ignored"
_NUMBER = "write null or a finite number"
_TWICE = "readers disagree on which value counts: keep one"
