"""`tuneform data FILE...`: the report."""

from __future__ import annotations

from pathlib import Path

import click

from ...console import WRONG, guarded, json_option, out_json
from ..common import options
from .common import columns_option, format_option, known_method, one_of, refuse_inputs, sources


@click.command(name="report")
@options(
    click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path)),
    click.option(
        "--eval", "held", multiple=True, metavar="FILE", type=click.Path(path_type=Path), help="Rows held out."
    ),
    click.option("--tokenizer", metavar="MODEL", help="Count with this model's tokenizer: a folder, or a hub id."),
    click.option("--max-length", type=click.IntRange(min=1), metavar="N", help="Tell which rows are longer."),
    click.option("--method", metavar="METHOD", help="What the rows are for: sft, dpo, ... (else any)."),
    click.option("--target", metavar="TARGET", help="Hold the rows against what a trainer or service takes."),
    format_option,
    columns_option,
    click.option(
        "--problems", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write all as JSON lines."
    ),
    json_option,
)
@guarded
def command(
    files: tuple[Path, ...],
    held: tuple[Path, ...],
    tokenizer: str | None,
    max_length: int | None,
    method: str | None,
    target: str | None,
    form: str,
    columns: tuple[str, ...],
    problems: Path | None,
    as_json: bool,
) -> None:
    """Tell what FILE... holds: rows, turns, tokens, what of them is trained, and every problem.

    Exit code 1 where there is an error or a warning.
    """
    from ....spec.wire.convert import WIRES
    from ...datareport.gather import Wanted, gather
    from ...jsonfiles import write_parts
    from ...reading_bar import phases_bar
    from ...spool import Spool

    wanted = Wanted(
        train=sources(files, form, columns),
        eval=sources(held, form, columns),
        target=one_of(target, WIRES, "--target"),
        tokenizer=tokenizer,
        max_length=max_length,
        method=known_method(method),
    )
    if problems:
        refuse_inputs(problems, [*wanted.train, *wanted.eval], "--problems")
    listed = Spool()
    with phases_bar() as phases:
        report = gather(wanted, listed.add if problems else None, phases=phases)
    if problems:
        problems.parent.mkdir(parents=True, exist_ok=True)
        write_parts(problems, listed.blocks(0, listed.size))
    if as_json:
        from ...datareport.document import document

        out_json(document(report))
    else:
        from ...datareport.shown import show

        show(report, str(problems) if problems else None)
    raise SystemExit(WRONG if report.problems else 0)
