"""JSON the fast way: orjson where it is certain that the strict decoder would give the same value.

orjson takes the last of two equal keys, makes large integers floats, and nests deeper. Everything else that the
strict decoder refuses, it refuses too. See tests/data/test_fast.py.
"""

from __future__ import annotations

from typing import Any

import orjson

_DEPTH = 90  # below the strict decoder's limit, which tells where the value is
_LARGE = 2.0**63  # an integer that orjson made a float is at least this
_DOUBTFUL = -(2**40)
_FLAT = {str}
_PLAIN = frozenset((str, int, bool, type(None)))


def loads_object(line: bytes) -> dict[str, Any] | None:
    """The object of a JSON text; None where the strict decoder must say what it is.

    Every key and every text of the value has two quotes in the line. A key that stands there twice has more.
    """
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if type(value) is not dict:
        return None
    flat = {*map(type, value.values())} == _FLAT
    quotes, needed = line.count(b'"'), 4 * len(value) if flat else 2 * _texts(value, 0)
    if quotes == needed or (quotes - line.count(b'\\"') == needed and b'\\\\"' not in line):
        return value
    return None


def _texts(value: dict[str, Any], depth: int) -> int:
    """The number of keys and texts in an object; negative where a number or the depth is in doubt."""
    count = len(value)
    for child in value.values():
        kind = type(child)
        if kind is str:
            count += 1
        elif kind is dict:
            count += _texts(child, depth + 1) if depth < _DEPTH else _DOUBTFUL
        elif kind is list:
            count += _texts_of_list(child, depth + 1) if depth < _DEPTH else _DOUBTFUL
        elif kind is float and not -_LARGE < child < _LARGE:
            return _DOUBTFUL
    return count


def _texts_of_list(value: list[Any], depth: int) -> int:
    count = 0
    for child in value:
        kind = type(child)
        if kind is dict:
            count += _texts(child, depth + 1) if depth < _DEPTH else _DOUBTFUL
        elif kind is str:
            count += 1
        elif kind is list:
            count += _texts_of_list(child, depth + 1) if depth < _DEPTH else _DOUBTFUL
        elif kind is float and not -_LARGE < child < _LARGE:
            return _DOUBTFUL
    return count


def is_plain(row: dict[str, Any]) -> bool:
    """Whether a row holds nothing but texts, truth values, small numbers and messages of these."""
    for value in row.values():
        if type(value) is list:
            for item in value:
                if type(item) is not dict or not _PLAIN.issuperset(map(type, item.values())):
                    return False
        elif type(value) not in _PLAIN:
            return False
    return True
