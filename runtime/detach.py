"""Handing a run to a Tuneform in the background, which outlives the terminal it was started from."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..spec.diagnostics import RunError, TuneformError
from . import stop_request
from .failures import tail
from .rundir import Busy, RunDir
from .verdict import log_end

_READY = b"ready\n"
# The other process finds the modules that this one has: -P keeps files that lie in the current folder out.
_MAIN = f"import sys; sys.path[:] = sys.argv[2:]; from {__name__} import main; main(sys.argv[1])"


def detach(run: RunDir) -> dict[str, Any]:
    """Let another process look after a pending run; gives run.json once that one has taken it.

    What can be known beforehand to fail, fails here: the run is then `failed`.
    """
    from .local import check_start

    try:
        check_start(run.manifest(), run.bundle)
        _hand_over(run)
    except RunError as error:
        return _not_started(run, error)
    except KeyboardInterrupt:
        stop_request.write(run, kill=False)
        raise
    return run.record()


def _not_started(run: RunDir, error: RunError) -> dict[str, Any]:
    try:
        with run.supervise(timeout=2):
            record = run.record()
            pending = record["state"] == "pending"
            return run.set_state("failed", error.sentence, log_tail=error.log_tail) if pending else record
    except Busy:
        raise error from None


def _hand_over(run: RunDir) -> None:
    command = [sys.executable, "-P", "-c", _MAIN, str(run.path.absolute()), *sys.path]
    with (
        run.own_log.open("ab") as log,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True
        ) as process,
    ):
        assert process.stdout is not None
        said = process.stdout.read(len(_READY))  # nothing, if it ended before it had the run
    if said != _READY:
        raise RunError("no Tuneform could be started in the background", run.id, tail(log_end(run.own_log)))


def main(folder: str) -> None:
    """The process in the background. It forks once more, so that whoever started it has no child to wait for."""
    if os.fork():
        os._exit(0)
    from .progress import Plain
    from .supervise import supervise_stages

    try:
        _, record = supervise_stages(RunDir(Path(folder)), lambda: Plain(sys.stderr), begun=_tell_the_starter)
        print(f"{record['state']}: {record['message']}", file=sys.stderr)
    except TuneformError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("interrupted")


def _tell_the_starter() -> None:
    with suppress(BrokenPipeError):  # it is gone already
        os.write(1, _READY)
    os.dup2(2, 1)
