"""`tuneform run`: compile a spec, train, and collect the metrics."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..console import Refused, err, guarded, json_option, out_json, print_diagnostics, runs_option
from .ending import end

if TYPE_CHECKING:
    from ..rundir import RunDir


@click.command("run")
@click.argument("spec", type=click.Path(path_type=Path), required=False)
@click.option("-t", "--target", "label", metavar="LABEL", help="The target to run, a key under `targets:`.")
@click.option("--set", "sets", metavar="PATH=VALUE", multiple=True, help="Override a value of the spec.")
@runs_option
@click.option(
    "--resume", metavar="[ID]", is_flag=False, flag_value="last", help="Go on with a run; without ID, the newest."
)
@click.option("--detach", is_flag=True, help="Go on in the background, whatever becomes of this terminal.")
@click.option("--yes", is_flag=True, help="Start beside a run that goes on, or grant `max_hours` again.")
@json_option
@guarded
def command(
    spec: Path | None,
    label: str | None,
    sets: tuple[str, ...],
    runs_dir: Path,
    resume: str | None,
    detach: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Compile SPEC for one target and run it on this machine.

    The run folder keeps the bundle, the raw log, the state and the metrics. Ctrl-C lets the trainer save a
    checkpoint first; --resume goes on from there. A run whose terminal is closed goes on.
    """
    if resume is not None:
        run = _resume(spec, label, sets, runs_dir, resume, yes)
    else:
        run = _new(spec, label, sets, runs_dir, yes)
    if detach:
        _detach(run, as_json)
    else:
        end(*_follow(run), as_json)


def _detach(run: RunDir, as_json: bool) -> None:
    from .. import describe
    from ..detach import detach
    from ..reconcile import standing
    from ..rundir import ACTIVE

    record = detach(run)
    if record["state"] not in ACTIVE:
        end(run, record, as_json)
    commands = {"watch": describe.how_to("watch", run), "cancel": describe.how_to("cancel", run)}
    if as_json:
        out_json(describe.full(run, standing(run)) | commands | {"supervisor_log": str(run.own_log)})
        return
    click.echo(run.id)
    click.echo(f"  {'state':<10} in the background, under process {record['supervisor']['pid']}")
    for name, value in (commands | {"log": str(run.own_log)}).items():
        click.echo(f"  {name:<10} {value}")


def _follow(run: RunDir) -> tuple[RunDir, dict[str, Any]]:
    from ..progress import on
    from ..supervise import supervise_stages

    return supervise_stages(run, lambda: on(sys.stderr))


def _new(spec: Path | None, label: str | None, sets: tuple[str, ...], runs_dir: Path, yes: bool) -> RunDir:
    if spec is None:
        raise click.UsageError("name a spec to run, or use --resume")
    if not yes:
        _refuse_twice(spec, label, runs_dir)
    return make(spec, label, sets, runs_dir)


def make(spec: Path, label: str | None, sets: Sequence[str], runs_dir: Path) -> RunDir:
    """Compile into new run folders, one for each stage; gives the first, which is pending."""
    from ..build import build_bundles
    from ..rundir import create
    from ..staging import staging

    with staging(runs_dir) as staged:
        built = build_bundles(spec, label, staged.bundle, sets, err)
        print_diagnostics(built.diagnostics)
        run = create(runs_dir, built.folders, built.manifests, spec)
    err(f"run {run.id}")
    for later in run.record()["stages"][1:]:
        err(f"then {later}")
    return run


def _resume(
    spec: Path | None, label: str | None, sets: tuple[str, ...], runs_dir: Path, resume: str, yes: bool
) -> RunDir:
    """A run that has ended, pending again."""
    from .. import stop_request
    from ..reconcile import settle, trainer_of
    from ..rundir import ACTIVE, Busy
    from ..supervise import first_unfinished

    if spec is None and Path(resume).is_file():
        spec, resume = Path(resume), "last"  # `--resume spec.yaml`
    if sets:
        raise click.UsageError("--set changes nothing in a run that is resumed: its bundle stays as it is")
    run = first_unfinished(_wanted(spec, label, runs_dir, resume))
    try:
        with run.supervise(timeout=2):
            record = settle(run)
            if trainer := trainer_of(run):
                raise Refused(f"run {run.id} still goes on as process {trainer.leader.pid} (see `tuneform status`)")
            if record["state"] in ACTIVE:
                raise Busy(run.id)
            if record["state"] == "succeeded":
                raise Refused(f"run {run.id} has succeeded; there is nothing to resume")
            _check_budget(run, run.manifest(), yes)
            _mention_changes(record)
            stop_request.clear(run)
            run.hand_over("resumed", log_tail="", exit_code=None)
    except Busy:
        raise Refused(f"run {run.id} goes on under another Tuneform") from None
    err(f"resuming run {run.id}")
    return run


def _wanted(spec: Path | None, label: str | None, runs_dir: Path, resume: str) -> RunDir:
    """The run to resume. "last" is the newest, of this spec and target if they are given."""
    from ..rundir import records
    from .status import existing

    what = " ".join(str(part) for part in (spec, label) if part)
    if resume != "last" or not what:
        run = existing(runs_dir, resume)
        if what and not _is_of(run.record(), spec, label):
            raise click.UsageError(f"run {run.id} is of {run.record()['spec']} {run.record()['label']}, not of {what}")
        return run
    for run, record in records(runs_dir, err):
        if _is_of(record, spec, label):
            return run
    raise click.UsageError(f"no run in {runs_dir} fits {what}")


def _is_of(record: Mapping[str, Any], spec: Path | None, label: str | None) -> bool:
    """Whether a run was made from this spec and for this target, as far as they are given."""
    labels = (None, record["label"], f"{record['label']}/{record.get('stage')}")
    return label in labels and (spec is None or spec.resolve() == Path(record["spec"]).resolve())


def _refuse_twice(spec: Path, label: str | None, runs_dir: Path) -> None:
    """A second run of the same spec and target, while the first goes on, is more likely a slip."""
    from ..reconcile import standing
    from ..rundir import ACTIVE, records

    for run, record in records(runs_dir, err):
        if _is_of(record, spec, label) and record["state"] in ACTIVE and standing(run).active:
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
    from ..digests import digest

    spec = Path(record["spec"])
    if spec.is_file() and digest(spec.read_bytes()) != record["spec_text_digest"]:
        err(f"note: {spec} has changed since; the run goes on as it was compiled")
