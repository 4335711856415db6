"""`tuneform schema`."""

from __future__ import annotations

import click

from ..console import guarded, out_json


@click.command(name="schema")
@click.option("--json", "as_json", is_flag=True, hidden=True, help="The output is JSON anyway.")
@guarded
def command(as_json: bool) -> None:
    """Print the JSON Schema of the language.

    An editor completes and checks with it after a first line such as
    `# yaml-language-server: $schema=./tuneform.schema.json`.
    """
    from ...spec.schema import json_schema

    out_json(json_schema())
