"""`tuneform run`: compile a spec, train, and collect the metrics."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..console import (
    FAILED,
    INTERRUPTED,
    REFUSED,
    Refused,
    err,
    guarded,
    indented,
    json_option,
    out_json,
    print_diagnostics,
    runs_option,
)

if TYPE_CHECKING:
    from ..progress import Progress
    from ..rundir import RunDir


@click.command("run")
@click.argument("spec", type=click.Path(path_type=Path), required=False)
@click.option("-t", "--target", "label", metavar="LABEL", help="The target to run, a key under `targets:`.")
@click.option("--set", "sets", metavar="PATH=VALUE", multiple=True, help="Override a value of the spec.")
@runs_option
@click.option(
    "--resume", metavar="[ID]", is_flag=False, flag_value="last", help="Go on with a run; without ID, the newest."
)
@click.option("--yes", is_flag=True, help="Start beside a run that goes on, or grant `max_hours` again.")
@json_option
@guarded
def command(
    spec: Path | None,
    label: str | None,
    sets: tuple[str, ...],
    runs_dir: Path,
    resume: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Compile SPEC for one target and run it on this machine.

    The run folder keeps the bundle, the raw log, the state and the metrics. Ctrl-C lets the trainer save a
    checkpoint first; --resume goes on from there.
    """
    from .. import describe
    from ..reconcile import Standing

    if resume is not None:
        run, record = _resume(spec, label, sets, runs_dir, resume, yes)
    else:
        run, record = _new(spec, label, sets, runs_dir, yes)
    described = describe.full(run, Standing(record, supervised=False))
    if record["state"] != "succeeded":
        _explain(run, described)
    if as_json:
        out_json(described)
    else:
        click.echo(describe.as_text(described))
    sys.exit(_exit_code(record))


def _new(
    spec: Path | None, label: str | None, sets: tuple[str, ...], runs_dir: Path, yes: bool
) -> tuple[RunDir, dict[str, Any]]:
    from ..progress import on

    if spec is None:
        raise click.UsageError("name a spec to run, or use --resume")
    if not yes:
        _refuse_twice(spec, label, runs_dir)
    return start(spec, label, sets, runs_dir, on(sys.stderr))


def start(
    spec: Path, label: str | None, sets: Sequence[str], runs_dir: Path, progress: Progress
) -> tuple[RunDir, dict[str, Any]]:
    """Compile into a new run folder and train to the end."""
    from ..build import build_bundle
    from ..local import run_local
    from ..rundir import create, staging

    with staging(runs_dir) as folder:
        built = build_bundle(spec, label, folder / "bundle", sets, err)
        print_diagnostics(built.diagnostics)
        run = create(runs_dir, folder, built.manifest, spec)
    err(f"run {run.id}")
    with run.supervise():
        return run, run_local(run, built.manifest, progress)


def _resume(
    spec: Path | None, label: str | None, sets: tuple[str, ...], runs_dir: Path, resume: str, yes: bool
) -> tuple[RunDir, dict[str, Any]]:
    from ..reconcile import settle, trainer_of
    from ..rundir import Busy

    if spec is None and Path(resume).is_file():
        spec, resume = Path(resume), "last"  # `--resume spec.yaml`
    if sets:
        raise click.UsageError("--set changes nothing in a run that is resumed: its bundle stays as it is")
    run = _wanted(spec, label, runs_dir, resume)
    try:
        with run.supervise(timeout=2):
            record = settle(run)
            if trainer := trainer_of(run):
                raise Refused(f"run {run.id} still goes on as process {trainer.leader.pid} (see `tuneform status`)")
            if record["state"] == "succeeded":
                raise Refused(f"run {run.id} has succeeded; there is nothing to resume")
            manifest = run.manifest()
            _check_budget(run, manifest, yes)
            _mention_changes(record)
            err(f"resuming run {run.id}")
            return run, _train(run, manifest)
    except Busy:
        raise Refused(f"run {run.id} goes on under another Tuneform") from None


def _wanted(spec: Path | None, label: str | None, runs_dir: Path, resume: str) -> RunDir:
    """The run to resume. "last" is the newest, of this spec and target if they are given."""
    from ..rundir import all_runs
    from .status import existing

    if resume != "last" or (spec is None and label is None):
        return existing(runs_dir, resume)
    for run in all_runs(runs_dir):
        record = run.record()
        if label in (None, record["label"]) and (spec is None or str(spec.absolute()) == record["spec"]):
            return run
    raise click.UsageError(f"no run in {runs_dir} fits {spec or ''} {label or ''}".rstrip())


def _refuse_twice(spec: Path, label: str | None, runs_dir: Path) -> None:
    """A second run of the same spec and target, while the first goes on, is more likely a slip."""
    from ..reconcile import standing
    from ..rundir import ACTIVE, all_runs

    for run in all_runs(runs_dir):
        record = run.record()
        same = record["spec"] == str(spec.absolute()) and label in (None, record["label"])
        if same and record["state"] in ACTIVE and standing(run).active:
            raise Refused(f"run {run.id} of this spec still goes on (--yes starts another beside it)")


def _check_budget(run: RunDir, manifest: Mapping[str, Any], yes: bool) -> None:
    from ..local import hours_used

    hours, used = manifest["run"].get("max_hours"), hours_used(run)
    if hours is None or used < run.record().get("hours_granted", hours):
        return
    if not yes:
        raise Refused(f"the {hours} hours of `max_hours` are used up (--yes grants as many again)")
    run.update(hours_granted=used + hours)


def _mention_changes(record: Mapping[str, Any]) -> None:
    from ..rundir import digest

    spec = Path(record["spec"])
    if spec.is_file() and digest(spec.read_bytes()) != record["spec_text_digest"]:
        err(f"note: {spec} has changed since; the run goes on as it was compiled")


def _train(run: RunDir, manifest: Mapping[str, Any]) -> dict[str, Any]:
    from ..local import run_local
    from ..progress import on

    return run_local(run, manifest, on(sys.stderr))


def _explain(run: RunDir, described: Mapping[str, Any]) -> None:
    from .. import describe
    from ..failures import tail
    from ..verdict import log_end

    if described["state"] in ("failed", "lost"):
        shown = described["log_tail"] or (tail(log_end(Path(described["log"]))) if described["log"] else "")
        err(indented(shown))
    err(f"{described['state']}: {described['message']}")
    err(f"resume: {describe.how_to_resume(run)}")


def _exit_code(record: Mapping[str, Any]) -> int:
    if record["state"] == "succeeded":
        return 0
    stop = record.get("stop")
    if stop and record["state"] in ("stopped", "cancelled"):
        return INTERRUPTED if stop["reason"] == "interrupt" else REFUSED
    return FAILED
