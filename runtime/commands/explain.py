"""`tuneform explain`."""

from __future__ import annotations

from pathlib import Path

import click

from ..console import guarded, json_option, out_json, print_diagnostics
from .common import set_option


@click.command(name="explain")
@click.argument("what", metavar="CODE|SPEC")
@click.argument("target", required=False)
@click.argument("key", required=False)
@set_option
@json_option
@guarded
def command(what: str, target: str | None, key: str | None, sets: tuple[str, ...], as_json: bool) -> None:
    """Tell what a code means, or where a value in an artifact comes from.

    \b
    tuneform explain TF104
    tuneform explain tuneform.yaml trl learning_rate
    tuneform explain tuneform.yaml trl training.micro_batch_size
    """
    if target is None:
        _code(what, as_json)
    elif key is None:
        raise click.UsageError("say which key: tuneform explain SPEC TARGET KEY")
    else:
        _key(Path(what), target, key, sets, as_json)


def _code(word: str, as_json: bool) -> None:
    from ...spec.codes import codes
    from ...spec.words import suggest

    found = codes().get(word.upper())
    if found is None and Path(word).is_file():
        raise click.UsageError("say which target and key: tuneform explain SPEC TARGET KEY")
    if found is None:
        near = suggest(word.upper(), codes())
        raise click.UsageError(f"no code `{word}`" + (f"; did you mean {near}?" if near else ""))
    if as_json:
        out_json({"code": word.upper(), "title": found.title, "explanation": found.explanation})
        return
    click.echo(f"{word.upper()}: {found.title}\n\n{found.explanation}")
    if found.example:
        click.echo("\nFor example:\n\n" + "\n".join(f"    {line}" for line in found.example.splitlines()))


def _key(spec: Path, label: str, key: str, sets: tuple[str, ...], as_json: bool) -> None:
    from ...compilers import registry
    from ...compilers.python_code import literal
    from ...spec.words import suggest
    from ..project import open_project

    project = open_project(spec, [label], sets, reading="peek").require()
    target = project.targets[0]
    bundle, plan = target.compiled.bundle, target.compiled.plan
    assert bundle is not None and plan is not None
    if key == "target.version":  # as `plan` calls it
        key = f"targets.{label}.version"
    matches = [k for k, o in bundle.origins.items() if key in (k, o.path) or k.endswith((f".{key}", f": {key}"))]
    if not matches:
        print_diagnostics(project.diagnostics)
        known = [*(k.rsplit(".", 1)[-1] for k in bundle.origins), *(o.path for o in bundle.origins.values())]
        near = suggest(key, known)
        raise click.UsageError(f"{label} has no `{key}`" + (f"; did you mean `{near}`?" if near else ""))
    groups = registry.get(target.compiled.target).groups(plan)
    values = {f"{call}.{setting.key}": setting.value for call, found in groups.items() for setting in found}
    told = []
    for match in matches:
        file, _, name = match.partition(": ")
        origin, value = bundle.origins[match], values[name if name in values else f"{file}.{name}"]
        place = str(target.document.place(origin.path)) if origin.kind == "spec" else None
        told.append({"key": match, "value": value, **origin.as_dict(), "place": place})
        if not as_json:
            click.echo(f"{match} = {literal(value)}")
            click.echo(f"  {origin}" + (f" ({place})" if place else ""))
    if as_json:
        out_json({"spec": str(spec), "target": label, "origins": told})
