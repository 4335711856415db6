"""A checked spec to a bundle, for one target of it. Pure: facts and dates come in as values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from pydantic import ValidationError

from ..spec.advice.base import Seen
from ..spec.advice.check import advise, is_code, refused
from ..spec.data import TRAINABLE
from ..spec.diagnostics import Diagnostic, Level, Span
from ..spec.errors import translate
from ..spec.language import section_of
from ..spec.load import Document, Sources, for_target, literal
from ..spec.lower import Context, lower
from ..spec.places import key_span, locate, steps
from ..spec.plan import DataFacts, Plan
from ..spec.rows.shapes import METHODS
from ..spec.rules.base import written
from ..spec.rules.check import check as check_rules
from ..spec.spec import Spec, Target
from ..spec.stages import names
from ..spec.words import suggest
from ..spec.yaml_reader import Node
from . import registry
from .base import Bundle, Trainer
from .native import check_extra
from .settings import Fate, owners


@dataclass(frozen=True, slots=True)
class Compiled:
    """What one target of a spec gives. `bundle` is None where `diagnostics` has an error."""

    label: str
    target: str
    facts: DataFacts
    plan: Plan | None
    fates: tuple[Fate, ...]
    bundle: Bundle | None
    diagnostics: tuple[Diagnostic, ...]


def for_label(document: Document, label: str, stage: str | None = None) -> tuple[Document, list[Diagnostic]]:
    """The spec as one target and stage see it, with every problem that it has as such. Problems include every rule."""
    own = for_target(document, label, stage)
    return own, [*own.diagnostics, *check_rules(own)]


def compile_target(
    document: Document,
    label: str,
    facts: DataFacts,
    today: date,
    up: str,
    emit: bool = True,
    after: str | None = None,
) -> Compiled:
    """Everything about one target. `document` is what `for_label` gave, without errors. `emit` makes the bundle.

    `after` is the stage before, whose bundle lies beside this one.
    """
    assert document.spec is not None
    block = document.spec.targets[label]
    name = block.target or label
    found = [*_check_block(document, label, block), *_check_rows(document.spec, facts.shape)]
    if any(d.level is Level.ERROR for d in found):
        return Compiled(label, name, facts, None, (), None, tuple(_placed(document, label, found)))
    target = registry.get(name)
    shape = facts if facts.shape else replace(facts, shape=METHODS[document.spec.method.name][0])
    start = f"../{after}/{target.output}" if after else None
    plan = lower(document, Context(label, name, shape, today, target.versions[0], up, start))
    fates = tuple(target.fates(plan))
    told = [_agreed(d, block.accept) for d in (*_losses(plan, target, fates), *target.check(plan))]
    found += [*told, *_extra(plan, target)]
    stages = names(document.raw)
    goes_on = bool(stages) and after != (None, *stages)[-2]
    found += advise(Seen(document.spec, written(document.spec), facts, plan, goes_on), block.accept)
    placed = tuple(_placed(document, label, found))
    failed = any(d.level is Level.ERROR for d in placed)
    return Compiled(label, name, shape, plan, fates, target.emit(plan) if emit and not failed else None, placed)


def _check_block(document: Document, label: str, block: Target) -> Iterator[Diagnostic]:
    """The target's name, method, options and `accept:`."""
    assert document.spec is not None
    name, at = block.target or label, f"targets.{label}"
    if name not in registry.names():
        known = ", ".join(f"`{n}`" for n in registry.names())
        near = suggest(name, registry.names())
        hint = f"did you mean `{near}`?" if near else f"known: {known}; another label needs `target:`"
        yield Diagnostic("TF203", Level.ERROR, f"{at}.target" if block.target else at, f"no target `{name}`", hint)
        return
    target = registry.get(name)
    method = document.spec.method.name
    if method not in target.methods:
        hint = target.refused.get(method) or f"{name} does {', '.join(target.methods)}"
        if method == "rft" and "grpo" in target.methods:
            hint = "grpo is what trainers call it; rft is for managed services"
        yield Diagnostic("TF204", Level.ERROR, "method", f"{name} does not do {method}", hint)
    if block.version is not None and block.version not in target.versions:
        message = f"no bundle is written for {name} {block.version}"
        yield Diagnostic("TF212", Level.ERROR, f"{at}.version", message, _version_hint(block.version, target))
    yield from _check_options(document, label, target)
    for path in block.accept:
        if is_code(path):
            if (problem := refused(path, f"{at}.accept")) is not None:
                yield problem
        elif not _is_path(path):
            yield Diagnostic("TF209", Level.ERROR, f"{at}.accept", f"`{path}` in `accept` is no field of the spec")


def _version_hint(version: str, target: Trainer) -> str:
    if why := target.refused_versions.get(version):
        return why
    if near := suggest(version, target.versions):
        return f"did you mean `{near}`?"
    return f"known: {', '.join(f'`{known}`' for known in target.versions)}"


def _check_rows(spec: Spec, shape: str | None) -> Iterator[Diagnostic]:
    """Whether the method takes rows of this shape, and they have the tokens that are to be trained."""
    method, loss_on = spec.method.name, spec.data.loss_on
    if shape is None:
        return
    if shape not in METHODS[method]:
        path = "data.train" if spec.data.train[0].format else "data.format"
        hint = f"it takes {' or '.join(METHODS[method])} rows"
        yield Diagnostic("TF323", Level.ERROR, path, f"{method} does not take {shape} rows", hint)
    elif method == "sft" and loss_on is not None and loss_on not in TRAINABLE[shape]:
        has = ", ".join(f"`{word}`" for word in TRAINABLE[shape])
        message = f"{shape} rows have no `{loss_on}` to train"
        yield Diagnostic("TF116", Level.ERROR, "data.loss_on", message, f"remove it; these rows take {has}")


def _check_options(document: Document, label: str, target: Trainer) -> Iterator[Diagnostic]:
    node, path = locate(document.root, ["targets", label])
    entries = node.value if isinstance(node.value, dict) else {}
    own = {key: child for key, child in entries.items() if key not in Target.model_fields}
    sources = Sources()
    for key, child in entries.items():
        for text, below in _texts(child, f"{path}.{key}") if key != "set" else ():  # `set:` is checked where it goes
            literal(text, below, False, sources)
    yield from sources.found
    try:
        target.options.model_validate({key: child.plain() for key, child in own.items()})
    except ValidationError as error:
        yield from translate(error, Node(own, node.span, node.key_span), target.options, path)


def _texts(node: Node, path: str) -> Iterator[tuple[Node, str]]:
    if isinstance(node.value, dict):
        for key, child in node.value.items():
            yield from _texts(child, f"{path}.{key}")
    elif isinstance(node.value, list):
        for child in node.value:
            yield from _texts(child, path)
    elif isinstance(node.value, str) and "${" in node.value:
        yield node, path


def _is_path(path: str) -> bool:
    model: object = Spec
    for step in path.split("."):
        fields = getattr(model, "model_fields", {})
        if step not in fields:
            return False
        model = section_of(fields[step].annotation)[0]
    return True


_VERBS = {
    "unsupported": "has no",
    "approximated": "only approximates",
    "chosen by the target": "chooses its own",
}


def _losses(plan: Plan, target: Trainer, fates: Sequence[Fate]) -> Iterator[Diagnostic]:
    """A warning for what the user set and the target cannot carry."""
    for fate in fates:
        if fate.fidelity not in _VERBS or not plan.explicit(fate.path):
            continue
        code = "TF201" if fate.fidelity == "unsupported" else "TF202"
        message = f"{target.name} {_VERBS[fate.fidelity]} `{fate.path}`: {fate.reason}"
        hint = f"remove it, or agree with `accept: [{fate.path}]`"
        yield Diagnostic(code, Level.WARNING, fate.path, message, hint)


def _agreed(found: Diagnostic, accepted: Sequence[str]) -> Diagnostic:
    """A warning whose path, or a section above it, is accepted is a note."""
    agreed = any(found.path == path or found.path.startswith(f"{path}.") for path in accepted)
    return replace(found, level=Level.NOTE, hint=None) if agreed and found.level is Level.WARNING else found


def _extra(plan: Plan, target: Trainer) -> Iterator[Diagnostic]:
    if not plan.extra:
        return
    groups, owned = target.groups(plan), dict(target.owned)
    schema: dict[str, Mapping[str, Any]] = {}
    for call, keys in target.native(plan).items():
        schema |= keys
        owned |= owners(groups, call)
    yield from check_extra(plan.extra, schema, owned, plan.label, target.written_for(plan))


def _placed(document: Document, label: str, found: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Give each problem its place in the file."""
    return document.sources.with_lines(
        [d if d.span else replace(d, span=_place(document, d.path, label)) for d in found]
    )


def _place(document: Document, path: str, label: str) -> Span:
    """Where a path stands; a default of the language stands nowhere, and then the target's label is the place."""
    node, found = locate(document.root, steps(path))
    return key_span(node) if found else document.place(f"targets.{label}")
