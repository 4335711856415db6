"""`python -m tests.pages.write`: write the pages of docs/ that are made from the code."""

from __future__ import annotations

from collections.abc import Callable

from . import ROOT, codes, language, native_keys, wire

PAGES: dict[str, Callable[[], str]] = {
    "language.md": language.render,
    "codes.md": codes.render,
    "native-keys.md": native_keys.render,
    "data.md": wire.render,
}


def main() -> None:
    for name, render in PAGES.items():
        (ROOT / "docs" / name).write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
