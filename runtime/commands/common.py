"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

spec_argument = click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
targets_option = click.option("-t", "--target", "labels", multiple=True, metavar="LABEL", help="Only this target.")
set_option = click.option("--set", "sets", multiple=True, metavar="PATH=VALUE", help="Override a value of the spec.")
strict_option = click.option("--strict", is_flag=True, help="Refuse (exit code 3) where there is a warning.")
no_data_option = click.option("--no-data", is_flag=True, help="Leave the rows alone; `run` reads them.")
workers_option = click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes that convert the rows of large files. The result is the same.",
)


def options(*found: Callable[..., Any]) -> Callable[..., Any]:
    """Apply several click decorators, the first on top."""

    def apply(callback: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(found):
            callback = option(callback)
        return callback

    return apply
