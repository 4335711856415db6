"""Values as Python source, laid out as `ruff format` would. The only door from a plan into code."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ..spec.fields import parts, unescape

WIDTH = 119


class Code(str):
    """Source text that a compiler wrote itself; it is never made from a value of the spec."""

    __slots__ = ()


def literal(value: Any) -> str:
    """A value as a Python literal on one line."""
    if isinstance(value, Code):
        return str(value)
    if isinstance(value, bool) or value is None:
        return repr(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, int):
        return repr(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(literal(v) for v in value) + "]"
    raise TypeError(f"{type(value).__name__} has no literal")


def filled(text: str) -> Code:
    """Text with `${NAME}` places as an expression that reads the environment."""
    found = [f'os.environ["{part}"]' if i % 2 else _text(unescape(part)) for i, part in enumerate(parts(text)) if part]
    return Code(" + ".join(found) or '""')


def keyword(key: str, value: Any, indent: int, comment: str = "") -> str:
    """One `key=value,` of a call, over several lines where it would be too long."""
    pad, code = " " * indent, literal(value)
    line = f"{pad}{key}={code},"
    if len(line) > WIDTH and isinstance(value, dict | list | tuple) and value:
        line = f"{pad}{key}={_spread(value, indent)},"
    if not comment:
        return line
    one = f"{line}  # {comment}"
    return one if "\n" not in line and len(one) <= WIDTH else f"{pad}# {comment}\n{line}"


def call(function: str, positional: list[str], keywords: Iterable[Any], indent: int) -> str:
    """A statement that calls a function, on one line where it fits."""
    pad, named = " " * indent, [s for s in keywords if s.value is not None]
    line = f"{pad}{function}({', '.join([*positional, *[f'{s.key}={literal(s.value)}' for s in named]])})"
    if len(line) <= WIDTH:
        return line
    items = [f"{pad}    {p}," for p in positional] + [keyword(s.key, s.value, indent + 4) for s in named]
    return "\n".join([f"{pad}{function}(", *items, f"{pad})"])


def _spread(value: Any, indent: int) -> str:
    pad = " " * (indent + 4)
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    items = (
        [f"{literal(k)}: {literal(v)}" for k, v in value.items()]
        if isinstance(value, dict)
        else [literal(v) for v in value]
    )
    return opening + "\n" + "".join(f"{pad}{item},\n" for item in items) + " " * indent + closing


def _number(value: float) -> str:
    """Small numbers as people write learning rates: 2e-4."""
    if value.is_integer() and abs(value) < 1e6:
        return f"{value:.1f}"
    text = repr(value)
    if 0 < abs(value) < 1e-3:
        mantissa, _, exponent = f"{value:.17e}".partition("e")
        for digits in range(17):
            short = f"{value:.{digits}e}"
            if float(short) == value:
                mantissa, _, exponent = short.partition("e")
                return f"{mantissa}e{int(exponent)}"
    return text


_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _text(text: str) -> str:
    """A string literal. Whatever is not plain printable text is escaped, so no character can end the line."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    out = []
    for char in text:
        if char in _ESCAPES:
            out.append(_ESCAPES[char])
        elif char == quote:
            out.append("\\" + char)
        elif char.isprintable():
            out.append(char)
        elif ord(char) < 0x100:
            out.append(f"\\x{ord(char):02x}")
        else:
            out.append(f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}")
    return quote + "".join(out) + quote


_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _./:@+-]*")


def prose(text: str, instead: str) -> str:
    """Text for a docstring or comment if it is plain, else other words."""
    return text if _SAFE.fullmatch(text) else instead
