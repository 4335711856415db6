"""What every command shares: messages on stderr, one JSON document on stdout, and the exit codes."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click

from ..spec.diagnostics import Diagnostic, RunError, SpecError, TuneformError, render
from .redact import redact

WRONG, USAGE, REFUSED, FAILED, INTERRUPTED = 1, 2, 3, 4, 130

P = ParamSpec("P")
T = TypeVar("T")


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
runs_option = click.option(
    "--runs-dir",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="TUNEFORM_RUNS",
    default="runs",
    show_default=True,
    help="Where run folders are kept.",
)


class Refused(TuneformError):
    """Tuneform will not do this unless it is told to: exit code 3."""


def err(text: str) -> None:
    """Write a line to stderr."""
    click.echo(text, err=True)


def count(number: int, noun: str) -> str:
    """`1 row`, `1,200 rows`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def out_json(value: Any) -> None:
    """Write the one JSON document of a command to stdout."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    click.echo(json.dumps(value, indent=2, ensure_ascii=not utf8, allow_nan=False))


def print_diagnostics(found: Sequence[Diagnostic]) -> None:
    """Write problems to stderr, as in a compiler."""
    for diagnostic in found:
        err(render(diagnostic))


def guarded(callback: Callable[P, T]) -> Callable[P, T]:
    """For callbacks of commands: what Tuneform raises on purpose becomes a message and an exit code."""

    @functools.wraps(callback)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        as_json = bool(kwargs.get("as_json"))
        try:
            return callback(*args, **kwargs)
        except SpecError as error:
            _tell(as_json, "", error.diagnostics)
            sys.exit(WRONG)
        except click.UsageError as error:
            if as_json:
                out_json({"error": redact(error.format_message()), "diagnostics": []})
            raise
        except Refused as error:
            _tell(as_json, f"refused: {error}")
            sys.exit(REFUSED)
        except RunError as error:
            _tell(as_json, f"error: {error.sentence}", run_id=error.run_id, log_tail=error.log_tail)
            sys.exit(FAILED)
        except KeyboardInterrupt:
            _tell(as_json, "interrupted")
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            raise  # click ends quietly
        except OSError as error:
            with suppress(OSError):  # a terminal that is gone
                _tell(as_json, f"error: {error}")
            sys.exit(FAILED)

    return wrapper


def _tell(
    as_json: bool, text: str, diagnostics: Sequence[Diagnostic] = (), run_id: str = "", log_tail: str = ""
) -> None:
    print_diagnostics(diagnostics)
    if log_tail:
        err(indented(redact(log_tail)))
    if text:
        err(redact(text))
    if as_json:
        document = {"error": redact(text) or None, "diagnostics": [d.as_dict() for d in diagnostics]}
        out_json(document | ({"run": run_id} if run_id else {}))


def indented(text: str) -> str:
    """Log lines, set apart from Tuneform's own words."""
    return "\n".join(f"  | {line}" for line in text.splitlines())
