"""Every rule, and checking them all."""

from __future__ import annotations

from ..diagnostics import Diagnostic
from ..load import Document
from ..places import locate, steps
from . import effect, method, run, sources
from .base import REGISTERED, Rule, written

TOPICS = (run, effect, method, sources)
RULES: tuple[Rule, ...] = tuple(sorted(REGISTERED, key=lambda rule: rule.code))


def check(document: Document) -> list[Diagnostic]:
    """Run every rule over a spec whose fields are each right."""
    if document.spec is None:
        return []
    paths = written(document.spec)
    found = []
    for r in RULES:
        for path, message, hint in r.check(document.spec, paths):
            node, _ = locate(document.root, steps(path))
            found.append(Diagnostic(r.code, r.level, path, message, hint, node.key_span or node.span))
    return document.sources.with_lines(found)
