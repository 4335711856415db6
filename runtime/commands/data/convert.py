"""`tuneform data convert`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...console import WRONG, err, guarded, json_option, out_json, print_diagnostics
from ..common import options
from .common import columns_option, format_option, known_method, refuse_inputs, sources

if TYPE_CHECKING:
    from ....spec.wire.base import Wire


@click.command(name="convert")
@options(
    click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path)),
    click.option("--to", "wire", required=True, metavar="WIRE", help="The wire form; docs/data.md has the table."),
    click.option(
        "-o", "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Where to write."
    ),
    format_option,
    columns_option,
    click.option("--method", metavar="METHOD", help="What the rows are for: sft, dpo, rft, ..."),
    click.option(
        "--on-bad-row", type=click.Choice(["error", "skip"]), default="error", help="Skip such rows, or not."
    ),
    click.option("--expand", multiple=True, metavar="NAME", help="Allow an expansion; each one taken is told."),
    json_option,
)
@guarded
def command(
    files: tuple[Path, ...],
    wire: str,
    out: Path,
    form: str,
    columns: tuple[str, ...],
    method: str | None,
    on_bad_row: str,
    expand: tuple[str, ...],
    as_json: bool,
) -> None:
    """Write the rows of FILE... in the form that WIRE takes.

    What the form cannot say is an error, or an expansion that you allow by its name. Exit code 1 where there is an
    error; then nothing is written.
    """
    from ...reading_bar import phases_bar
    from ...wireout import Asked, convert_files

    asked = Asked(
        sources=sources(files, form, columns),
        wire=_wire(wire),
        out=out,
        method=known_method(method),
        skip=on_bad_row == "skip",
        expand=_expansions(expand),
    )
    refuse_inputs(out, asked.sources, "-o")
    with phases_bar() as phases:
        done = convert_files(asked, phases)
    print_diagnostics(done.diagnostics)
    if as_json:
        out_json(done.as_dict())
    elif done.ok:
        click.echo(f"{out}: {done.rows:,} rows for {done.form.methods[0]} on {asked.wire.title}, {done.size:,} bytes")
    else:
        err("nothing was written")
    raise SystemExit(0 if done.ok else WRONG)


def _wire(name: str) -> Wire:
    from ....spec.wire.convert import WIRES
    from ....spec.words import suggest

    if name not in WIRES:
        near = suggest(name, WIRES)
        raise click.BadParameter(
            f"no wire form `{name}`; " + (f"did you mean `{near}`?" if near else f"there are {', '.join(WIRES)}"),
            param_hint="--to",
        )
    return WIRES[name]


def _expansions(names: tuple[str, ...]) -> frozenset[str]:
    from ....spec.wire.base import EXPANSIONS

    for name in names:
        if name not in EXPANSIONS:
            raise click.BadParameter(f"`{name}` is none of {', '.join(EXPANSIONS)}", param_hint="--expand")
    if {"all-turns", "split-turns"} <= set(names):
        raise click.BadParameter("all-turns and split-turns count on opposite things", param_hint="--expand")
    return frozenset(names)
