"""Bundles on disk: written whole, and compared with what a spec gives now."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from difflib import unified_diff
from pathlib import Path
from typing import Any

from .. import __version__
from ..compilers import registry
from ..compilers.base import Bundle
from ..spec.plan import DataFacts
from ..spec.rows.shapes import SHAPES
from .data import SKIPPED, write_data
from .digests import digest
from .jsonfiles import read_json
from .project import Project, Target
from .swap import replacing

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
    """Write bundles: all of them or none. What a run or a user keeps in their folders stays."""
    with replacing(_listed) as replacement:
        for target in targets:
            folder = target.folder.resolve()
            _fill(project, target, folder, replacement.stage(folder))


def _fill(project: Project, target: Target, folder: Path, stage: Path) -> None:
    for name, text in texts(project, target).items():
        path = stage / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    bundle = target.compiled.bundle
    assert bundle is not None
    data = write_data(target.data, bundle.data, stage) if target.data else _kept_data(target, folder)
    (stage / MANIFEST).write_text(_json(manifest(project, target, data)), encoding="utf-8", newline="\n")


def _kept_data(target: Target, folder: Path) -> dict[str, Any]:
    """Without rows, those of the bundle that is there stay in it, as long as they have the shape that it reads."""
    written, bundle = read_manifest(folder) or {}, target.compiled.bundle
    assert bundle is not None
    before = recorded_facts(folder)
    if before is None or before.shape != target.compiled.facts.shape:
        return {}
    wanted = {SKIPPED, *(step.out for step in bundle.data)}
    return {name: entry for name, entry in written["data"].items() if name in wanted and (folder / name).is_file()}


def _listed(folder: Path) -> set[str]:
    """The files that a bundle's manifest lists, and the manifest."""
    written = read_manifest(folder) or {"files": {}, "data": {}}
    return {*written["files"], *written["data"], MANIFEST}


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a written bundle; None if there is none that can be used."""
    found = read_json(folder / MANIFEST)
    if not isinstance(found, dict) or not all(isinstance(found.get(key), dict) for key in ("files", "data")):
        return None
    return found if all(isinstance(entry, dict) for entry in found["data"].values()) else None


def manifest(project: Project, target: Target, data: Mapping[str, Any]) -> dict[str, Any]:
    """What a bundle is, what it was made from, and how it runs."""
    compiled, bundle = target.compiled, target.compiled.bundle
    assert bundle is not None and compiled.plan is not None and target.document.spec is not None
    written_for = registry.get(compiled.target).written_for(compiled.plan)
    return {
        "manifest_version": 1,
        "tuneform": __version__,
        "name": target.document.spec.name,
        "label": target.label,
        "stage": target.stage,
        "target": {"name": compiled.target, "kind": "trainer", "written_for": written_for},
        "spec": project.file.name,
        "spec_digest": spec_digest(target),
        "facts": replace(compiled.facts, tokens=None).as_dict(),
        "files": {name: digest(text.encode()) for name, text in sorted(texts(project, target).items())},
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
    return digest(json.dumps(canonical, sort_keys=True, ensure_ascii=False).encode())


def recorded_facts(folder: Path) -> DataFacts | None:
    """The facts of the rows that a written bundle was compiled with."""
    found = (read_manifest(folder) or {}).get("facts")
    if not isinstance(found, dict) or found.get("shape") not in SHAPES.values():
        return None
    known = {field.name: found.get(field.name) for field in fields(DataFacts) if field.name != "tokens"}
    whole = all(value is None or type(value) is int for name, value in known.items() if name != "shape")
    return DataFacts(**known) if whole else None


def _run(bundle: Bundle) -> dict[str, Any]:
    run = asdict(bundle.run) | {"kind": "local", "argv": list(bundle.run.argv), "needs": list(bundle.run.needs)}
    return dict(sorted(run.items()))


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


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
    written = read_manifest(target.folder)
    if written is None:
        there = (target.folder / MANIFEST).exists()
        cause = f"its {MANIFEST} cannot be read" if there else f"there is no bundle in {target.folder}"
        return Drift(target.key, target.folder, (cause,), "")
    now, recorded = texts(project, target), written["files"]
    on_disk = {name: _read(target.folder / name) for name in {*recorded, *now}}
    edited = sorted(name for name, text in on_disk.items() if name in recorded and _changed(text, recorded[name]))
    edited += _edited_rows(target.folder, written)
    now[MANIFEST], on_disk[MANIFEST] = _runs(target, written)
    stale = sorted(name for name in on_disk if on_disk[name] != now.get(name))
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


def _runs(target: Target, written: Mapping[str, Any]) -> tuple[str, str]:
    """How the bundle is run, as the spec gives it now and as the manifest has it."""
    assert target.compiled.bundle is not None
    now, found = _run(target.compiled.bundle), written.get("run")
    if isinstance(found, dict) and (written.get("facts") or {}).get("rows_train") is None:
        now["total_steps"] = found.get("total_steps")  # written before the rows were counted
    return _json(now), _json(found)


def _edited_rows(folder: Path, written: Mapping[str, Any]) -> list[str]:
    """Data files of a bundle that are not as they were written. They need not be there: git ignores them."""
    found = []
    for name, entry in sorted(written["data"].items()):
        try:
            with (folder / name).open("rb") as file:
                now = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            continue
        if entry.get("sha256") != now:
            found.append(name)
    return found


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError:
        return None


def _changed(text: str | None, recorded: str) -> bool:
    return text is None or digest(text.encode()) != recorded


def _changed_rows(target: Target, written: Mapping[str, Any]) -> list[str]:
    """Splits whose rows are others than when the bundle was compiled. Without rows there is nothing to compare."""
    if target.data is None or target.compiled.bundle is None:
        return []
    recorded = written["data"]
    now = {step.out: target.data.digests.get(step.split) for step in target.compiled.bundle.data}
    return sorted(out for out, sha256 in now.items() if out in recorded and recorded[out].get("sha256") != sha256)


def _diff(name: str, before: str, after: str) -> str:
    lines = unified_diff(before.splitlines(True), after.splitlines(True), f"written/{name}", f"now/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
