"""A group of commands that are imported when they are used."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class Table(click.Group):
    """Commands as a table of what each does, in a line; the module of that name in `package` holds it.

    What begins with no command is for the `default` one, and an error where there is none.
    """

    def __init__(self, *args: Any, table: Mapping[str, str], package: str, default: str | None = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._table, self._package, self._default = table, package, default

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._table)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self._table:
            return None
        command = import_module(f"{self._package}.{name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self._table.items()))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Where there is a default, the group has no options but its help: others are the default's, too."""
        if self._default and args and args[0] not in (*self._table, *ctx.help_option_names):
            args = [self._default, *args]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self._table and not args[0].startswith("-"):
            from ...spec.words import suggest

            near = suggest(args[0], self._table)
            ctx.fail(f"no command `{args[0]}`" + (f"; did you mean `{near}`?" if near else ""))
        return super().resolve_command(ctx, args)
