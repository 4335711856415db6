"""`tuneform diff`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..console import USAGE, WRONG, err, guarded, out_json
from .common import options

if TYPE_CHECKING:
    from ..comparison import Report, Side

FORMATS = ("text", "markdown", "json")


@click.command(name="diff")
@options(
    click.argument("first", metavar="SPEC"),
    click.argument("second", metavar="[SPEC]", required=False),
    click.option(
        "-t", "--target", "labels", multiple=True, metavar="LABEL", help="Only this target; or two of one spec."
    ),
    click.option(
        "--set", "sets", multiple=True, metavar="PATH=VALUE", help="Override a value of the right-hand side."
    ),
    click.option(
        "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="How to print."
    ),
    click.option("--json", "form", flag_value="json", help="The same as --format json."),
    click.option("--artifacts", is_flag=True, help="Show what changes in the bundles' files, too."),
    click.option("--exit-code", is_flag=True, help="Exit with 1 where there is a difference."),
)
def command(
    first: str,
    second: str | None,
    labels: tuple[str, ...],
    sets: tuple[str, ...],
    form: str,
    artifacts: bool,
    exit_code: bool,
) -> None:
    """Tell what changed, in terms of training.

    SPEC is a file, or REV:FILE as git writes it. With two, the first is compared with the second; with one, the file
    as it is in HEAD with the file as it is now. With one SPEC and two targets, these are compared with each other.
    """
    _guarded(first, second, labels, sets, form, artifacts, exit_code, as_json=form == "json")


@guarded
def _guarded(
    first: str,
    second: str | None,
    labels: tuple[str, ...],
    sets: tuple[str, ...],
    form: str,
    artifacts: bool,
    exit_code: bool,
    *,
    as_json: bool,
) -> None:
    from ..comparison import compare_sides
    from ..revisions import RevisionError

    with tempfile.TemporaryDirectory(prefix="tuneform-diff-") as folder:
        try:
            before, after = _sides(first, second, labels, Path(folder))
            after.sets = sets
            report = compare_sides(before, after, () if before.label else labels)
        except RevisionError as error:
            err(f"error: {error}")
            if as_json:
                out_json({"error": str(error), "diagnostics": []})
            raise SystemExit(USAGE) from None
    _print(report, form, artifacts)
    raise SystemExit(WRONG if exit_code and report.different else 0)


def _sides(first: str, second: str | None, labels: tuple[str, ...], scratch: Path) -> tuple[Side, Side]:
    from ..comparison import Side
    from ..revisions import Revision, split

    if second is not None:
        return _side(first, scratch / "before"), _side(second, scratch / "after")
    if len(labels) > 2:
        raise click.UsageError("two targets of a spec can be compared, not more")
    only = _side(first, scratch / "only")
    if len(labels) == 2:
        sides = [Side(only.shown, only.file, only.revision, label=label) for label in labels]
        return sides[0], sides[1]
    if only.revision:
        return only, Side(os.path.relpath(only.file), only.file)
    assert split(first) is None
    head = Revision("HEAD", only.file.parent, scratch / "head")
    inside = head.file(f"./{only.file.name}")
    return Side(f"HEAD:{os.path.relpath(inside, head.root)}", only.file, head), only


def _side(text: str, scratch: Path) -> Side:
    from ..comparison import Side
    from ..revisions import Revision, split

    asked = split(text)
    if asked is None:
        return Side(text, Path(text))
    name, path = asked
    revision = Revision(name, Path.cwd(), scratch)
    return Side(text, Path(os.path.relpath(revision.file(path))), revision)


def _print(report: Report, form: str, artifacts: bool) -> None:
    if form == "json":
        from ..diffjson import as_json

        out_json(as_json(report, artifacts))
    elif form == "markdown":
        from ..diffmarkdown import as_markdown

        click.echo(as_markdown(report, artifacts))
    else:
        from ..difftext import as_text

        click.echo(as_text(report, artifacts))
