"""Rules about models and data: what is a hub id, and what a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import get_args

from ..data import Format, Source
from ..fields import is_local
from ..spec import Spec
from .base import Problem, rule

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")


def _sources(spec: Spec) -> list[tuple[str, Source]]:
    """Every source with the field that names it."""
    held = spec.data.eval.sources if spec.data.eval else None
    fields = (("data.train", spec.data.train), ("data.eval", held), ("data.test", spec.data.test))
    return [(path, source) for path, found in fields for source in found or ()]


@rule("TF118", "a hub dataset without a format")
def hub_rows_are_named(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """What rows are is told from the first of them, but a hub dataset is not read while compiling.

    Fix: say it: `data.format: chat`, or another of its words.

    Example:

        data: {train: {id: acme/rows}}

    Instead:

        data: {train: {id: acme/rows, format: chat}}
    """
    for path, source in _sources(spec):
        if source.id and (source.format or spec.data.format) == "auto":
            hint = f"add `data.format`: {', '.join(get_args(Format)[1:])}"
            yield path, f"the format of the hub dataset `{source.id}` is not known before it is read", hint
    for path, source in _sources(spec):
        odd = [k for k in ("subset", "split", "revision") if source.path and getattr(source, k)]
        if odd:
            yield path, f"`{odd[0]}` belongs to a hub dataset; `{source.path}` is a file", "remove it"


@rule("TF120", "neither a hub id nor a path")
def ids_are_ids(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """A model or tokenizer is a hub id (`owner/name`) or a folder. Which of the two is told from the text alone, never
    from what lies on the disk: a folder begins with `./`, `../` or `/`.

    Fix: put `./` before a folder's name.

    Example:

        model: ~/models/tiny

    Instead:

        model: ./models/tiny
    """
    for path, text in (("model.id", spec.model.id), ("model.tokenizer", spec.model.tokenizer)):
        if text and not is_local(text) and not _HUB_ID.fullmatch(text):
            hint = "write the path from this file or from /" if text.startswith("~") else f"a folder is `./{text}`"
            yield path, f"`{text}` is neither a hub id (`owner/name`) nor a folder", hint
    for path, source in _sources(spec):
        if source.id and not _HUB_ID.fullmatch(source.id):
            yield path, f"`{source.id}` is no hub dataset id (`owner/name`)", "a file is `path: ...`"


@rule("TF121", "a remote revision of a local folder")
def revision_is_remote(spec: Spec, paths: set[str]) -> Iterator[Problem]:
    """A revision is a branch, tag or commit of a hub repository; a folder has none.

    Fix: remove `model.revision`.

    Example:

        model: {id: ./models/tiny, revision: main}

    Instead:

        model: ./models/tiny
    """
    if spec.model.revision and is_local(spec.model.id):
        yield "model.revision", "a local folder has no revision", "remove it"
