"""Bundles on disk: staged whole, swapped in, and compared with what a spec gives now."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import unified_diff
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
    found[IGNORE] = "".join(f"/{name}/\n" for name in ("data", "output", *bundle.made))
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
    stage = Path(tempfile.mkdtemp(prefix=f".{target.folder.name}.", dir=target.folder.parent))
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
        "stage": target.stage,
        "target": {"name": compiled.target, "kind": "trainer", "written_for": registry.get(compiled.target).target},
        "spec": project.file.name,
        "spec_digest": spec_digest(target),
        "facts": compiled.facts.as_dict(),
        "files": {name: _digest(text) for name, text in sorted(texts(project, target).items())},
        "data": dict(data),
        "pending": [source.id for source in target.pending],
        "run": _run(bundle),
    }


def spec_digest(target: Target) -> str:
    """Digest of the spec's meaning as this target sees it: other words for the same make no difference."""
    spec = target.document.spec
    assert spec is not None
    canonical = spec.model_dump(mode="json", exclude={"extends", "targets", "stages"})
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


@dataclass(frozen=True, slots=True)
class Drift:
    """How a written bundle differs from what the spec gives now. Empty lists: it does not."""

    label: str
    folder: Path
    causes: tuple[str, ...]  # what changed, in sentences
    diff: str  # unified, written -> now
    notes: tuple[str, ...] = ()

    @property
    def drifted(self) -> bool:
        """Whether there is a difference that counts."""
        return bool(self.causes)


def compare(project: Project, target: Target) -> Drift:
    """Compare a written bundle with what the spec gives now, and say which of the two changed."""
    written = read_json(target.folder / MANIFEST)
    if not isinstance(written, dict):
        return Drift(target.key, target.folder, (f"there is no bundle in {target.folder}",), "")
    now, recorded = texts(project, target), written.get("files", {})
    on_disk = {name: _read(target.folder / name) for name in {*recorded, *now}}
    edited = sorted(name for name, text in on_disk.items() if name in recorded and _changed(text, recorded[name]))
    stale = sorted(name for name in {*recorded, *now} if on_disk[name] != now.get(name))
    spec_changed = written.get("spec_digest") != spec_digest(target)
    causes: list[str] = []
    notes: list[str] = []
    if edited:
        causes.append(f"edited by hand since it was compiled: {', '.join(edited)}")
    if spec_changed:
        causes.append("the spec has changed since it was compiled")
    rows = _changed_rows(target, written)
    if rows:
        causes.append(f"the rows have changed: {', '.join(rows)}")
    if stale and not causes:
        if written.get("tuneform") == __version__:
            causes.append("the written files are not what this version writes")
        else:
            version = written.get("tuneform")
            notes.append(f"Tuneform {version} wrote this; {__version__} would write {', '.join(stale)} otherwise")
    diff = "".join(_diff(name, on_disk[name] or "", now.get(name, "")) for name in stale) if causes else ""
    return Drift(target.key, target.folder, tuple(causes), diff, tuple(notes))


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError:
        return None


def _changed(text: str | None, digest: str) -> bool:
    return text is None or _digest(text) != digest


def _changed_rows(target: Target, written: Mapping[str, Any]) -> list[str]:
    """Splits whose rows are others than when the bundle was compiled. Without rows there is nothing to compare."""
    if target.data is None or target.compiled.bundle is None:
        return []
    recorded = written.get("data", {})
    now = {step.out: target.data.digests.get(step.split) for step in target.compiled.bundle.data}
    return sorted(out for out, digest in now.items() if out in recorded and recorded[out]["sha256"] != digest)


def _diff(name: str, before: str, after: str) -> str:
    lines = unified_diff(before.splitlines(True), after.splitlines(True), f"written/{name}", f"now/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
