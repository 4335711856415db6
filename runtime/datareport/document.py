"""A report as one JSON document. Its keys are stable; docs/data.md has them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ...spec.tokens import estimate
from .gather import FileReport, Report


def document(report: Report) -> dict[str, Any]:
    """The document that `tuneform data --json` prints."""
    counted = {
        "exact": report.estimate is None,
        "tokenizer": report.tokenizer,
        "estimate": report.estimate
        and {
            "why": report.estimate,
            "error_percent": {"english": estimate.ENGLISH_ERROR, "other": estimate.OTHER_ERROR},
        },
    }
    return {
        "ok": not report.problems,
        "files": [_file(found) for found in report.files],
        "total": report.total and report.total.as_dict(),
        "counting": counted,
        "limits": [asdict(limit) for limit in dict.fromkeys(report.limits)],
        "problems": [
            {
                "code": code,
                "file": file,
                "level": str(kind.level),
                "count": kind.count,
                "first": [found.as_dict() for found in kind.first],
            }
            for (code, file), kind in report.findings.kinds.items()
        ],
    }


def _file(found: FileReport) -> dict[str, Any]:
    return {
        "file": found.file,
        "split": found.split,
        "bytes": found.bytes,
        "format": found.loaded.format,
        "evidence": found.loaded.evidence or None,
        "shape": found.loaded.shape,
        "rows": found.rows,
        "rows_unusable": found.bad,
        "turns": dict(sorted(found.roles.items())),
        "tokens": found.figures and found.figures.as_dict(),
    }
