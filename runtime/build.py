"""One bundle, for a run: compiled into a folder of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..spec.diagnostics import Diagnostic, Level, SpecError
from ..spec.places import key_span, locate
from . import bundles, envs, hub
from .data import DataResult, read_data
from .jsonfiles import read_json
from .project import Project, Target, data_request, hub_key, open_project, with_rows


@dataclass(frozen=True, slots=True)
class Built:
    """The bundles that were written, one for each stage, and what is worth knowing about them."""

    manifests: list[dict[str, Any]]
    folders: list[Path]
    diagnostics: list[Diagnostic]


def build_bundles(
    spec: Path,
    label: str | None,
    out: Callable[[str | None], Path],
    sets: Sequence[str] = (),
    say: envs.Say = lambda text: None,
) -> Built:
    """Compile one target of a spec, with its rows, into the folder that `out` gives for each stage (None: the whole).

    SpecError where there is a problem.
    """
    project = open_project(spec, [label] if label else [], sets, folder=out).require()
    _check_asked(project)
    bundles.write(project, project.targets)
    for target in project.targets:
        if target.pending:
            target = with_rows(project, target, _fetched(target, say))
            bundles.write(project.require(), [target])
    folders = [target.folder for target in project.targets]
    return Built([read_json(folder / bundles.MANIFEST) or {} for folder in folders], folders, project.diagnostics)


def _check_asked(project: Project) -> None:
    """SpecError unless a run can begin with what was asked for."""
    labels = list(dict.fromkeys(target.label for target in project.targets))
    first = project.targets[0]
    if len(labels) != 1:
        place = ["targets"]
        message = f"the spec has {len(labels)} targets: {', '.join(f'`{name}`' for name in labels)}"
        hint = "name one with -t"
    elif first.stage and first.after:
        place = ["stages", first.stage]
        message = f"stage `{first.stage}` starts from the result of `{first.after}`, and alone has none"
        hint = f"run all stages with `-t {first.label}`"
    else:
        return
    node, path = locate(project.document.raw, place)
    found = Diagnostic("TF210", Level.ERROR, path, message, hint, key_span(node))
    raise SpecError(project.document.sources.with_lines([found]))


def _fetched(target: Target, say: envs.Say) -> DataResult:
    """The rows of a target with hub datasets, which are fetched in its environment."""
    assert target.compiled.bundle is not None
    environment = envs.ensure(target.folder / target.compiled.bundle.run.requirements, say)
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for index, source in enumerate(target.pending):
            say(f"fetching {source.id}")
            files[hub_key(source)] = Path(folder) / f"{index}.jsonl"
            hub.fetch(environment.python, source, files[hub_key(source)])
        return read_data(data_request(target.document, files))
