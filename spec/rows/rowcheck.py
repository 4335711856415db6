"""What all checks of rows share: the error with its place in the row, and the words to say it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

Where = tuple[str | int, ...]
Row = dict[str, Any]


class RowError(Exception):
    """A row cannot be used. `where` is the place inside the row; `message` says what is wrong with it."""

    def __init__(self, code: str, where: Where, message: str, hint: str | None = None) -> None:
        self.code, self.where, self.message, self.hint = code, where, message, hint
        super().__init__(self.text)

    @property
    def text(self) -> str:
        """Place and message as one sentence."""
        return f"`{place(self.where)}` {self.message}" if self.where else f"the row {self.message}"


def place(where: Where) -> str:
    """`messages[2].role`."""
    out = ""
    for part in where:
        out += f"[{part}]" if isinstance(part, int) else f".{_clean(part)}" if out else _clean(part)
    return out


def pattern(where: Where) -> str:
    """The place in any row: `messages[].role`."""
    return re.sub(r"\[\d+]", "[]", place(where))


def quoted(text: str) -> str:
    """A user's text in backticks, cut, with what a terminal would act on made visible."""
    return f"`{_clean(text)}`"


def listed(names: Iterable[str]) -> str:
    """Names in backticks with commas; a long list is cut."""
    all_names = list(names)
    more = f" and {len(all_names) - 12} more" if len(all_names) > 12 else ""
    return ", ".join(quoted(n) for n in all_names[:12]) + more


def near(word: str, words: Iterable[str]) -> str | None:
    """The word that was probably meant."""
    found = difflib.get_close_matches(word.lower()[:80], list(words), 1, 0.75)
    return found[0] if found else None


def kind(value: Any) -> str:
    """What a JSON value is, in words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    names: list[tuple[type, str]] = [(str, "a text"), (int, "a number"), (float, "a number"), (list, "a list")]
    return next((name for type_, name in names if isinstance(value, type_)), "an object")


def required(row: Mapping[str, Any], key: str, where: Where = ()) -> Any:
    """The value of a key that must be there."""
    if key in row:
        return row[key]
    close = near(key, [k for k in row if isinstance(k, str)])
    has = f"the keys here: {listed(row)}" if row else "it has no keys at all"
    hint = f"did you mean `{key}` for {quoted(close)}?" if close else has
    raise RowError("TF315", (*where, key), "is missing", hint)


def text_of(value: Any, where: Where, *, empty: bool = False) -> str:
    """A text, not empty unless `empty` allows it."""
    if not isinstance(value, str):
        raise RowError("TF316", where, f"must be a text, not {kind(value)}")
    if not empty and (not value or value.isspace()):
        raise RowError("TF319", where, "is empty", "correct or remove the row, or set `data.on_bad_row: skip`")
    return value


def list_of(value: Any, where: Where, what: str) -> list[Any]:
    """A list."""
    if not isinstance(value, list):
        raise RowError("TF316", where, f"must be a list of {what}, not {kind(value)}")
    return value


def note_rest(row: Mapping[str, Any], used: Collection[str], prefix: str, ignored: set[str] | None) -> None:
    """Keep the names of keys that are not carried, so that they can be told."""
    if ignored is not None:
        ignored.update(f"{prefix}{key}" for key, value in row.items() if key not in used and value is not None)


def _clean(text: str) -> str:
    cut = text if len(text) <= 48 else f"{text[:45]}..."
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut)
