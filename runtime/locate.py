"""Where in a JSON text a value stands. Used for messages alone, so it is simple rather than fast."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ..spec.rows.rowcheck import Where
from .raw import skip_space

_value_end = json.JSONDecoder().raw_decode


def locate(text: str, start: int, where: Where) -> tuple[int, int]:
    """Offsets of the value at `where` in the object at `start`; of the nearest one around it if there is none."""
    at, found = skip_space(text, start), 0
    for part in where:
        child = next((child for name, child in _children(text, at) if name == part), None)
        if child is None:
            break
        at, found = child, found + 1
    return (at, _value_end(text, at)[1]) if found else (at, at + 1)


def _children(text: str, at: int) -> Iterator[tuple[str | int, int]]:
    """The name or index of each member of an object or list, and where its value starts."""
    if text[at] not in "{[":
        return
    is_object, index = text[at] == "{", 0
    at = skip_space(text, at + 1)
    while text[at] not in "]}":
        name: str | int = index
        if is_object:
            name, at = _value_end(text, at)
            at = skip_space(text, skip_space(text, at) + 1)
        yield name, at
        index += 1
        at = skip_space(text, _value_end(text, at)[1])
        at = skip_space(text, at + 1) if text[at] == "," else at
