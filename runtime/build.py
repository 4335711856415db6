"""One bundle, for a run: compiled into a folder of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..spec.diagnostics import Diagnostic, Level, SpecError
from . import bundles, envs, hub
from .data import read_data
from .jsonfiles import read_json
from .project import Project, Target, data_request, hub_key, open_project


@dataclass(frozen=True, slots=True)
class Built:
    """A bundle that was written, and what is worth knowing about it."""

    manifest: dict[str, Any]
    diagnostics: list[Diagnostic]


def build_bundle(
    spec: Path, label: str | None, out: Path, sets: Sequence[str] = (), say: envs.Say = lambda text: None
) -> Built:
    """Compile one target of a spec into `out`, with its rows. SpecError where there is a problem."""
    project = open_project(spec, [label] if label else [], sets, folder=out).require()
    if len(project.targets) != 1:
        labels = ", ".join(f"`{target.label}`" for target in project.targets)
        span = project.document.place("targets")
        message = f"the spec has {len(project.targets)} targets: {labels}"
        raise SpecError([Diagnostic("TF210", Level.ERROR, "targets", message, "name one with -t", span)])
    (target,) = project.targets
    bundles.write(project, project.targets)
    if target.pending:
        project.diagnostics += _fetch_rows(project, target, say)
    return Built(read_json(out / bundles.MANIFEST) or {}, project.diagnostics)


def _fetch_rows(project: Project, target: Target, say: envs.Say) -> list[Diagnostic]:
    """Get the rows of hub datasets, and complete the bundle with them."""
    assert target.compiled.bundle is not None
    environment = envs.ensure(target.folder / target.compiled.bundle.run.requirements, say)
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for index, source in enumerate(target.pending):
            say(f"fetching {source.id}")
            files[hub_key(source)] = Path(folder) / f"{index}.jsonl"
            hub.fetch(environment.python, source, files[hub_key(source)])
        data = read_data(data_request(target.document, files))
    if not data.ok:
        raise SpecError(data.diagnostics)
    compiled = replace(target.compiled, facts=data.facts)
    bundles.write(project, [replace(target, data=data, compiled=compiled)])
    return data.diagnostics
