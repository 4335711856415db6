"""A trainer as a process that outlives Tuneform, and whose exit code does too."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from subprocess import Popen

from ..spec.diagnostics import RunError

# The shell stays alive through a signal to its group (a trap, unlike an ignored signal, is not inherited),
# waits for the trainer, and writes its exit code. Every word of the user comes as a positional parameter.
_WRAPPER = r"""
trap : HUP INT QUIT TERM
inner=$1 pid_file=$2 exit_file=$3
shift 3
/bin/sh -c "$inner" "$pid_file" "$@"
code=$?
printf "%s\n" "$code" > "$exit_file.new" && mv -f "$exit_file.new" "$exit_file"
exit "$code"
"""

# Becomes the trainer, after noting its process id and what tells it from a later process with the same id.
_INNER = r"""
if [ -r /proc/$$/stat ]; then
  read -r boot < /proc/sys/kernel/random/boot_id
  read -r line < /proc/$$/stat
else
  line=$(ps -o stat=,lstart= -p $$)
fi 2>/dev/null
printf "%s\n%s\n%s\n" "$$" "$boot" "$line" > "$0.new" && mv -f "$0.new" "$0"
exec "$@"
"""


@dataclass(frozen=True, slots=True)
class Ident:
    """A process, told apart from a later one with the same number by when it started."""

    pid: int
    started: str

    @staticmethod
    def from_dict(record: object) -> Ident | None:
        """Back from run.json; None if it holds none."""
        if not isinstance(record, dict):
            return None
        pid, started = record.get("pid"), record.get("started")
        return Ident(pid, started) if isinstance(pid, int) and isinstance(started, str) else None

    def as_dict(self) -> dict[str, object]:
        """For run.json."""
        return {"pid": self.pid, "started": self.started}

    def alive(self) -> bool:
        """True while this very process runs; a zombie is dead."""
        return start_time(self.pid) == self.started


@dataclass(frozen=True, slots=True)
class Trainer:
    """A started trainer: the shell that leads its process group, and the trainer itself."""

    leader: Ident
    process: Ident | None  # None if it had ended before it could be looked at

    def alive(self) -> bool:
        """True while the trainer, or the shell that is about to write its exit code, runs."""
        return self.leader.alive() or (self.process is not None and self.process.alive())

    def ask(self) -> None:
        """Ask the trainer alone to stop: its data workers would die of a SIGTERM, and take it along."""
        target = self.process or self.leader
        if target.alive():
            _send(os.kill, target.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End its whole process group, and descendants that have left it (torchrun's), at once."""
        if not self.alive():
            return
        family = _descendants(self.leader.pid)
        _send(os.killpg, self.leader.pid, signal.SIGKILL)
        for ident in family:
            if ident.alive():
                _send(os.kill, ident.pid, signal.SIGKILL)

    def as_dict(self) -> dict[str, object]:
        """For run.json."""
        process = self.process
        return {
            "group": self.leader.pid,
            "group_started": self.leader.started,
            "pid": process.pid if process else None,
            "pid_started": process.started if process else None,
        }

    @staticmethod
    def from_dict(record: Mapping[str, object]) -> Trainer | None:
        """Back from run.json; None if the attempt never got as far as a process."""
        group, began = record.get("group"), record.get("group_started")
        if not isinstance(group, int) or not isinstance(began, str):
            return None
        pid, started = record.get("pid"), record.get("pid_started")
        process = Ident(pid, started) if isinstance(pid, int) and isinstance(started, str) else None
        return Trainer(Ident(group, began), process)


@dataclass(frozen=True, slots=True)
class Files:
    """Where an attempt leaves its traces."""

    log: Path
    pid: Path
    exit: Path


def start(argv: Sequence[str], cwd: Path, env: Mapping[str, str], files: Files) -> tuple[Trainer, Popen[bytes]]:
    """Start a trainer in a session of its own, with its output going straight to the log file."""
    command = ["/bin/sh", "-c", _WRAPPER, "sh", _INNER, str(files.pid.absolute()), str(files.exit.absolute()), *argv]
    with files.log.open("ab") as log:
        shell = Popen(
            command,
            cwd=cwd,
            env={**env, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    leader = Ident(shell.pid, start_time(shell.pid) or "")
    return Trainer(leader, _wait_for_pid(files.pid, shell)), shell


def require_posix() -> None:
    """RunError on a system where none of this works."""
    if os.name != "posix":
        raise RunError("a run on this machine needs Linux or macOS")


def this_process() -> Ident:
    """The running Tuneform itself."""
    return Ident(os.getpid(), start_time(os.getpid()) or "")


def find(files: Files) -> Trainer | None:
    """The running trainer of an attempt whose starter died before it could note the process ids."""
    process = _noted(files.pid)
    if process is None or not process.alive():
        return None
    try:
        group = os.getpgid(process.pid)
    except ProcessLookupError:
        return None
    return Trainer(Ident(group, start_time(group) or ""), process)


def exit_code(files: Files) -> int | None:
    """The exit code the wrapper wrote: 128 + n for signal n, None if it wrote none."""
    try:
        return int(files.exit.read_text())
    except (OSError, ValueError):
        return None


def start_time(pid: int) -> str | None:
    """When a process started, as a text to compare; None if there is no such process or only its remains."""
    if sys.platform == "linux":
        return _linux_start(pid)
    return _ps_moment(
        subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True).stdout
    )


def _send(send: Callable[[int, int], None], to: int, number: signal.Signals) -> None:
    try:
        send(to, number)
    except ProcessLookupError:
        return  # it ended just now


def _descendants(pid: int) -> list[Ident]:
    parents = _linux_parents() if sys.platform == "linux" else _ps_parents()
    found, front = [], {pid}
    while front:
        front = {child for child, parent in parents.items() if parent in front}
        found += [Ident(child, started) for child in front if (started := start_time(child))]
    return found


def _linux_parents() -> dict[int, int]:
    """The parent of every process; small containers have no `ps`."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended just now
            parents[int(path.parent.name)] = int(path.read_text(errors="replace").rpartition(")")[2].split()[1])
    return parents


def _ps_parents() -> dict[int, int]:
    try:
        shown = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True).stdout
    except OSError:
        return {}  # the group is ended all the same
    return {int(child): int(parent) for child, parent in (line.split() for line in shown.splitlines())}


def _linux_start(pid: int) -> str | None:
    try:
        return _moment(_boot(), Path(f"/proc/{pid}/stat").read_text())
    except OSError:
        return None


def _moment(boot: str, stat: str) -> str | None:
    fields = stat.rpartition(")")[2].split()  # the command's name before it may hold anything
    return None if not fields or fields[0] in "ZX" else f"{boot}:{fields[19]}"


@cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _ps_moment(shown: str) -> str | None:
    state, _, began = shown.strip().partition(" ")
    return None if not state or state.startswith("Z") else began.strip()


def _noted(path: Path) -> Ident | None:
    """What the inner shell wrote about itself."""
    try:
        pid, boot, line = path.read_text().splitlines()
        started = _moment(boot, line) if sys.platform == "linux" else _ps_moment(line)
    except (OSError, ValueError):
        return None
    return Ident(int(pid), started) if started else None


def _wait_for_pid(path: Path, shell: Popen[bytes]) -> Ident | None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        noted = _noted(path)
        if noted is not None or shell.poll() is not None:
            return noted
        time.sleep(0.005)
    return None
