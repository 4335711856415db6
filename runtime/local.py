"""A run on this machine: environment, trainer, live metrics, and a state that is true at any moment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ..spec.diagnostics import RunError
from . import checkpoints, envs, metrics, stop_request
from .following import Following, stop_record
from .interrupts import Interrupts
from .process import require_posix, start
from .progress import Progress
from .rundir import RunDir, now
from .verdict import conclude, ended_at

_POLL = 0.25  # seconds between two looks at the log
_GRACE = 600.0  # seconds that a trainer has to save once `max_hours` are over

Ensure = Callable[[Path, envs.Say], envs.Environment]


@dataclass(frozen=True, slots=True)
class Options:
    """What a caller may change; tests make it quick."""

    ensure: Ensure = envs.ensure
    poll: float = _POLL
    grace: float = _GRACE


def run_local(
    run: RunDir, manifest: Mapping[str, Any], progress: Progress, options: Options | None = None
) -> dict[str, Any]:
    """Run a bundle, or go on with one that has been stopped; gives run.json as it stands at the end.

    The caller holds `run.supervise()`. Raises KeyboardInterrupt only while nothing has been started.
    """
    options = options or Options()
    require_posix()
    with Interrupts(lambda: stop_request.read(run) is not None) as interrupts:
        try:
            _end_if_asked(run)
            environment = _prepare(run, manifest, progress, options)
            interrupts.count_only()
            _end_if_asked(run)
            following = _start(run, manifest, environment, progress, options)
        except RunError as error:
            interrupts.count_only()
            return run.set_state("failed", error.sentence, log_tail=error.log_tail, exit_code=None)
        except OSError as error:
            interrupts.count_only()
            return run.set_state("failed", f"the run could not be started: {error}", log_tail="", exit_code=None)
        except KeyboardInterrupt:
            interrupts.count_only()
            asked = stop_request.read(run) is not None
            record = cancel_unstarted(run, "cancel" if asked else "interrupt")
            if asked:
                return record
            raise
        try:
            following.until_the_end(interrupts)
        finally:
            progress.close()
        record = conclude(run)
        return record if record.get("stop") else _with_late_stop(run, record, interrupts)


def check_start(manifest: Mapping[str, Any], bundle: Path) -> None:
    """RunError where it is plain before anything is done that this run cannot start here."""
    require_posix()
    missing = [name for name in manifest["run"].get("needs", ()) if not os.environ.get(name)]
    if missing:
        raise RunError(f"not set, and the spec asks for it: the environment variable {', '.join(missing)}")
    for needed in manifest["run"].get("inputs", ()):
        if not any((bundle / needed / name).is_file() for name in ("config.json", "adapter_config.json")):
            raise RunError(
                f"no model and no adapter is in {os.path.normpath(bundle / needed)}, which this run starts from"
            )


def cancel_unstarted(run: RunDir, reason: str) -> dict[str, Any]:
    """Cancel a run whose trainer has not been started; the caller holds `run.supervise()`."""
    return run.set_state("cancelled", "cancelled before the training had begun", stop=stop_record(reason))


def _with_late_stop(run: RunDir, record: dict[str, Any], interrupts: Interrupts) -> dict[str, Any]:
    """A trainer that ended first was not told of the stop; what would follow it has to know."""
    asked = stop_request.read(run) is not None
    if record["state"] != "succeeded" or not (interrupts.count or asked):
        return record
    return run.update(stop=stop_record("interrupt" if interrupts.count else "cancel"))


def hours_used(run: RunDir) -> float:
    """How long the trainer has run, all attempts together."""
    total = 0.0
    for attempt in run.record().get("attempts", []):
        ended = attempt.get("ended") or ended_at(run, attempt["number"])
        total += max(0.0, _seconds_between(attempt["started"], ended))
    return total / 3600


def _prepare(run: RunDir, manifest: Mapping[str, Any], progress: Progress, options: Options) -> envs.Environment:
    check_start(manifest, run.bundle)
    run.set_state("provisioning", "preparing the trainer's environment")

    def say(text: str) -> None:
        run.update(message=text)  # for `status` and `watch`
        progress.note(text)

    environment = options.ensure(run.bundle / manifest["run"]["requirements"], say)
    resolved = run.path / "resolved.txt"
    resolved.write_bytes(environment.resolved.read_bytes())
    run.update(environment={"python": str(environment.python), "resolved": resolved.name})
    return environment


def _start(
    run: RunDir, manifest: Mapping[str, Any], environment: envs.Environment, progress: Progress, options: Options
) -> Following:
    resumed_from = _tidy_output(run, manifest, progress)
    source = metrics.source_of(manifest)
    attempts = run.record()["attempts"]
    number = len(attempts) + 1
    files = run.files(number)
    attempt: dict[str, Any] = {"number": number, "started": now(), "resumed_from": resumed_from}
    # On disk before the process: if Tuneform dies in between, the attempt's own files tell.
    run.set_state("running", _beginning(resumed_from), attempts=[*attempts, attempt], stop=None, log_tail="")
    metrics.rebuild(run.metrics, source, run.bundle, run.attempts())
    trainer, shell = start(_argv(manifest, environment), run.bundle, _environ(manifest, environment), files)
    attempt |= trainer.as_dict()
    run.update(attempts=[*attempts, attempt])
    collector = metrics.Collector(run.metrics, files.log, source.follow(resumed_from))
    left = _seconds_left(run, manifest)
    return Following(run, trainer, shell, collector, progress, options.poll, options.grace, left)


def _end_if_asked(run: RunDir) -> None:
    if stop_request.read(run) is not None:
        raise KeyboardInterrupt


def _tidy_output(run: RunDir, manifest: Mapping[str, Any], progress: Progress) -> int | None:
    """Make what an earlier attempt left fit to go on from; gives the step of the checkpoint to go on from."""
    output = run.bundle / manifest["run"]["metrics"]["output"]
    for folder in checkpoints.set_aside_incomplete(output):
        progress.note(f"an incomplete checkpoint was set aside: {folder}")
    earlier = len(run.record()["attempts"])
    if earlier and (output / checkpoints.STATE).exists():
        (output / checkpoints.STATE).rename(run.state_file(earlier))
    return checkpoints.last_step(output)


def _beginning(resumed_from: int | None) -> str:
    return "training" if resumed_from is None else f"training, from the checkpoint of step {resumed_from}"


def _argv(manifest: Mapping[str, Any], environment: envs.Environment) -> list[str]:
    first, *rest = manifest["run"]["argv"]
    if first == "python":
        return [str(environment.python), *rest]
    beside = environment.python.parent / first
    return [str(beside) if beside.exists() else first, *rest]


def _environ(manifest: Mapping[str, Any], environment: envs.Environment) -> dict[str, str]:
    folder = environment.python.parent
    env = {"TQDM_MININTERVAL": "1"} | dict(os.environ)  # a redraw a second is enough for a log
    env.pop("PYTHONHOME", None)
    env |= {"VIRTUAL_ENV": str(folder.parent), "PATH": f"{folder}{os.pathsep}{env.get('PATH', os.defpath)}"}
    env.update(manifest["run"].get("env", {}))
    return env


def _seconds_left(run: RunDir, manifest: Mapping[str, Any]) -> float | None:
    hours = manifest["run"].get("max_hours")
    if hours is None:
        return None
    return float((run.record().get("hours_granted", hours) - hours_used(run)) * 3600)


def _seconds_between(began: str, ended: str) -> float:
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()
