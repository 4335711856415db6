"""What the golden specs compile to: `python -m tests.golden.bundles` writes it anew."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from tuneform.runtime import bundles
from tuneform.runtime.project import open_project

HERE = Path(__file__).parent
EXAMPLES = HERE.parent.parent / "examples"


def cases() -> list[str]:
    """The examples, whose rows are read, and the specs beside this file, which have none."""
    return sorted(path.parent.name for folder in (EXAMPLES, HERE) for path in folder.glob("*/tuneform.yaml"))


def spec_of(case: str) -> Path:
    return next(folder / case / "tuneform.yaml" for folder in (EXAMPLES, HERE) if (folder / case).is_dir())


def compile_case(case: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Label, and stage if there are some -> the text files of a bundle."""
    file = spec_of(case)
    project = open_project(file, reading="all" if file.is_relative_to(EXAMPLES) else "none").require()
    for target in project.targets:
        yield target.key, bundles.texts(project, target)


def golden(case: str, label: str) -> Path:
    """Where the golden files of a bundle lie."""
    own = spec_of(case).parent
    return (own if own.is_relative_to(HERE) else HERE / "examples" / case) / label


def main() -> None:
    for case in cases():
        for label, files in compile_case(case):
            folder = golden(case, label)
            shutil.rmtree(folder, ignore_errors=True)
            for name, text in files.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
