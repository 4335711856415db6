"""Markdown as code hosts show it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

NOTE = "<!-- Generated from the code by `make docs`; edits here are lost. -->"


def page(title: str, *parts: str) -> str:
    """A whole page: the note, the title, and its parts with an empty line between them."""
    return "\n\n".join([NOTE, f"# {title}", *[part.strip("\n") for part in parts if part]]) + "\n"


def anchor(heading: str) -> str:
    """The fragment of a heading's address, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def link(text: str, heading: str, file: str = "") -> str:
    return f"[{text}]({file}#{anchor(heading)})"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a `|` in a cell is escaped, and a line end becomes a space."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def code(text: object) -> str:
    return f"`{text}`"


def prose(text: str) -> str:
    """Text of ours in Markdown: what stands between backticks stays, a `<` elsewhere is no tag."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else _plain(part) for part in parts)


def _plain(text: str) -> str:
    return text.replace("<", "&lt;").replace("*", "\\*")
