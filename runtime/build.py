"""One bundle, for a run: compiled into a folder of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..spec.diagnostics import Diagnostic, Level, SpecError
from . import bundles
from .jsonfiles import read_json
from .project import open_project


@dataclass(frozen=True, slots=True)
class Built:
    """A bundle that was written, and what is worth knowing about it."""

    manifest: dict[str, Any]
    diagnostics: list[Diagnostic]


def build_bundle(spec: Path, label: str | None, out: Path, sets: Sequence[str] = ()) -> Built:
    """Compile one target of a spec into `out`. SpecError where there is a problem; then nothing is written."""
    project = open_project(spec, [label] if label else [], sets, folder=out).require()
    if len(project.targets) != 1:
        labels = ", ".join(f"`{target.label}`" for target in project.targets)
        span = project.document.place("targets")
        message = f"the spec has {len(project.targets)} targets: {labels}"
        raise SpecError([Diagnostic("TF210", Level.ERROR, "targets", message, "name one with -t", span)])
    bundles.write(project, project.targets)
    return Built(read_json(out / bundles.MANIFEST), project.diagnostics)
