"""Bundles on disk: staged whole, swapped in, and compared with what a spec gives now."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .. import __version__
from ..compilers import registry
from ..compilers.base import Bundle
from ..spec.plan import DataFacts
from .data import write_data
from .jsonfiles import read_json
from .project import Project, Target

MANIFEST, ORIGINS, IGNORE = "manifest.json", "origins.json", ".gitignore"


def texts(project: Project, target: Target) -> dict[str, str]:
    """Every text file of a bundle but the manifest."""
    bundle = target.compiled.bundle
    assert bundle is not None
    found = {file.path: file.text for file in bundle.files}
    found[ORIGINS] = _json({key: origin.as_dict() for key, origin in bundle.origins.items()})
    found[IGNORE] = "/data/\n/output/\n"
    for source, out in bundle.copies:
        found[out] = _copied(project, target, source)
    return found


def _copied(project: Project, target: Target, source: str) -> str:
    path = Path(os.path.normpath(target.folder.absolute() / source))
    return path.read_text(encoding="utf-8")


def write(project: Project, targets: Sequence[Target]) -> None:
    """Write bundles: all are staged before the first is swapped in, so that a failure writes none."""
    staged: list[tuple[Target, Path]] = []
    try:
        for target in targets:
            staged.append((target, _stage(project, target)))
        for target, stage in staged:
            _swap(stage, target.folder)
    finally:
        for _, stage in staged:
            shutil.rmtree(stage, ignore_errors=True)


def _stage(project: Project, target: Target) -> Path:
    target.folder.parent.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(prefix=f".{target.label}.", dir=target.folder.parent))
    try:
        stage.chmod(0o755)
        for name, text in texts(project, target).items():
            path = stage / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        bundle = target.compiled.bundle
        assert bundle is not None
        data = write_data(target.data, bundle.data, stage) if target.data else {}
        (stage / MANIFEST).write_text(_json(manifest(project, target, data)), encoding="utf-8", newline="\n")
    except BaseException:
        shutil.rmtree(stage, ignore_errors=True)
        raise
    return stage


def _swap(stage: Path, folder: Path) -> None:
    """Put a staged bundle in its place. What else lies in the old one (`output/`) moves along."""
    aside = folder.with_name(f".{folder.name}.old")
    if aside.exists() and not folder.exists():
        aside.rename(folder)  # an earlier swap was cut short
    shutil.rmtree(aside, ignore_errors=True)
    if folder.exists():
        old = read_json(folder / MANIFEST)
        ours = {*(old or {}).get("files", {}), *(old or {}).get("data", {}), MANIFEST}
        for entry in folder.iterdir():
            if entry.name not in {Path(name).parts[0] for name in ours} and not (stage / entry.name).exists():
                entry.rename(stage / entry.name)
        folder.rename(aside)
    stage.rename(folder)
    shutil.rmtree(aside, ignore_errors=True)


def manifest(project: Project, target: Target, data: Mapping[str, Any]) -> dict[str, Any]:
    """What a bundle is, what it was made from, and how it runs."""
    compiled, bundle = target.compiled, target.compiled.bundle
    assert bundle is not None and target.document.spec is not None
    return {
        "manifest_version": 1,
        "tuneform": __version__,
        "name": target.document.spec.name,
        "label": target.label,
        "target": {"name": compiled.target, "kind": "trainer", "written_for": registry.get(compiled.target).target},
        "spec": project.file.name,
        "spec_digest": spec_digest(target),
        "facts": compiled.facts.as_dict(),
        "files": {name: _digest(text) for name, text in sorted(texts(project, target).items())},
        "data": dict(data),
        "pending": list(target.pending),
        "run": _run(bundle),
    }


def spec_digest(target: Target) -> str:
    """Digest of the spec's meaning as this target sees it: other words for the same make no difference."""
    spec = target.document.spec
    assert spec is not None
    canonical = spec.model_dump(mode="json", exclude={"extends", "targets"})
    canonical["target"] = spec.targets[target.label].model_dump(mode="json", exclude={"set"})
    return _digest(json.dumps(canonical, sort_keys=True, ensure_ascii=False))


def recorded_facts(folder: Path) -> DataFacts | None:
    """The facts of the rows that a written bundle was compiled with."""
    found = (read_json(folder / MANIFEST) or {}).get("facts")
    return DataFacts(**found) if isinstance(found, dict) else None


def _run(bundle: Bundle) -> dict[str, Any]:
    run = asdict(bundle.run) | {"kind": "local", "argv": list(bundle.run.argv), "needs": list(bundle.run.needs)}
    return dict(sorted(run.items()))


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode("utf-8")).hexdigest()
