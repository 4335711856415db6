"""A comparison for programs; docs/diff.md tells the keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..compilers.changes import Change, FateChange
from ..compilers.filechanges import FileChange
from ..spec.diagnostics import Diagnostic
from .comparison import Pair, Report, Side
from .difftext import summary
from .redact import redact


def as_json(report: Report, artifacts: bool) -> dict[str, Any]:
    """The whole report. `artifacts` adds the diff of the bundles' files."""
    found = [pair.difference for pair in report.pairs]
    same = not report.other_stages
    document = {
        "before": _side(report.before),
        "after": _side(report.after),
        "different": report.different,
        "same_objective": same and not any(d.touches("objective") for d in found) if found else None,
        "same_optimization": same and not any(d.touches("optimization") for d in found) if found else None,
        "summary": summary(report),
        "targets": [_pair(pair, artifacts) for pair in report.pairs],
        "targets_added": report.added,
        "targets_removed": report.removed,
        "warnings_raised": [_diagnostic(d) for d in report.raised],
        "warnings_gone": [_diagnostic(d) for d in report.gone],
        "notes": report.notes,
    }
    clean = _clean(document)
    assert isinstance(clean, dict)
    return clean


def _side(side: Side) -> dict[str, Any]:
    commit = side.revision.commit if side.revision else None
    return {"spec": side.shown, "commit": commit, "target": side.label}


def _pair(pair: Pair, artifacts: bool) -> dict[str, Any]:
    return {
        "labels": pair.labels,
        "different": pair.different,
        "changes": [_change(c) for c in pair.difference.changes],
        "fidelity": [_fate(f) for f in pair.difference.fates],
        "origins_only": pair.difference.origins_only,
        "artifacts": [_file(f, artifacts) for f in pair.files],
    }


def _change(change: Change) -> dict[str, Any]:
    before, after = (origin and origin.as_dict() for origin in change.origins)
    found = {
        "path": change.path,
        "title": change.title,
        "group": change.group,
        "before": change.before,
        "after": change.after,
        "applies": change.applies,
        "means": change.means or None,
        "origins": {"before": before, "after": after},
    }
    if change.causes:
        return found | {"causes": change.causes}
    return found | {"consequences": [_change(below) for below in change.consequences]}


def _fate(change: FateChange) -> dict[str, Any]:
    return {
        "path": change.path,
        "group": change.group,
        "before": change.before,
        "after": change.after,
        "reason": change.reason or None,
    }


def _file(change: FileChange, artifacts: bool) -> dict[str, Any]:
    found = {"path": change.path, "added": change.added, "removed": change.removed}
    return found | ({"diff": change.diff} if artifacts else {})


def _diagnostic(found: Diagnostic) -> dict[str, Any]:
    return {"code": found.code, "path": found.path, "message": found.message, "hint": found.hint}


def _clean(value: Any) -> Any:
    """Plain JSON types, without secrets."""
    if isinstance(value, Mapping):
        return {str(key): _clean(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(v) for v in value]
    return redact(value, {}) if isinstance(value, str) else value
