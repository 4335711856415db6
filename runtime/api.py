"""What `import tuneform` offers to programs: the same as the command line, without exiting. `run` writes to stderr."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..spec.load import Document, load
from ..spec.lower import Context, lower
from ..spec.plan import DataFacts
from . import bundles
from .project import open_project

__all__ = ["Context", "DataFacts", "Document", "compile", "load", "lower", "run"]


def compile(
    spec: Path | str, labels: Sequence[str] = (), out: Path | None = None, sets: Sequence[str] = ()
) -> dict[str, Path]:
    """Write the bundles of a spec's targets; gives the folder of each. SpecError where there is a problem."""
    project = open_project(Path(spec), labels, sets, folder_root=out).require()
    bundles.write(project, project.targets)
    return {target.key: target.folder for target in project.targets}


def run(spec: Path | str, label: str, sets: Sequence[str] = (), runs: Path = Path("runs")) -> dict[str, Any]:
    """Compile one target and run it here; gives run.json of the last stage that was begun.

    Warnings, ids and progress go to stderr. SpecError where there is a problem.
    """
    from .commands.run import make
    from .progress import on
    from .supervise import supervise_stages

    return supervise_stages(make(Path(spec), label, sets, runs), lambda: on(sys.stderr))[1]
