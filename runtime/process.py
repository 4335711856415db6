"""A trainer as a process that outlives Tuneform, and whose exit code does too."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..spec.diagnostics import RunError

# The shell stays alive through a signal to its group (a trap, unlike an ignored signal, is not inherited),
# waits for the trainer, and writes its exit code. Every word of the user comes as a positional parameter.
_WRAPPER = r"""
trap : HUP INT QUIT TERM
pid_file=$1 exit_file=$2
shift 2
/bin/sh -c 'printf "%s\n" "$$" > "$0"; exec "$@"' "$pid_file" "$@"
code=$?
printf "%s\n" "$code" > "$exit_file.new" && mv -f "$exit_file.new" "$exit_file"
exit "$code"
"""


@dataclass(frozen=True, slots=True)
class Ident:
    """A process, told apart from a later one with the same number by when it started."""

    pid: int
    started: str

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

    def signal(self, number: signal.Signals) -> bool:
        """Send a signal to the whole process group; False if it is gone."""
        if not self.alive():
            return False
        try:
            os.killpg(self.leader.pid, number)
        except ProcessLookupError:
            return False
        return True

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


def start(argv: Sequence[str], cwd: Path, env: Mapping[str, str], files: Files) -> tuple[Trainer, subprocess.Popen[bytes]]:
    """Start a trainer in a session of its own, with its output going straight to the log file."""
    if os.name != "posix":
        raise RunError("a run on this machine needs Linux or macOS")
    command = ["/bin/sh", "-c", _WRAPPER, "sh", str(files.pid.absolute()), str(files.exit.absolute()), *argv]
    with files.log.open("ab") as log:
        shell = subprocess.Popen(
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


def find(files: Files) -> Trainer | None:
    """The trainer of an attempt whose starter died before it could note the process ids."""
    pid = read_int(files.pid)
    started = start_time(pid) if pid else None
    if pid is None or started is None or not _began_with(files.pid, pid):
        return None
    group = os.getpgid(pid)
    return Trainer(Ident(group, start_time(group) or ""), Ident(pid, started))


def exit_code(files: Files) -> int | None:
    """The exit code the wrapper wrote: 128 + n for signal n, None if it wrote none."""
    return read_int(files.exit)


def start_time(pid: int) -> str | None:
    """When a process started, as a text to compare; None if there is no such process or only its remains."""
    if sys.platform == "linux":
        return _linux_start(pid)
    shown = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True).stdout
    state, _, began = shown.strip().partition(" ")
    return None if not state or state.startswith("Z") else began.strip()


def read_int(path: Path) -> int | None:
    """The number in a file; None if there is none."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _linux_start(pid: int) -> str | None:
    fields = _stat(pid)
    return None if not fields or fields[0] in "ZX" else f"{_boot()}:{fields[19]}"


def _stat(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    return text.rpartition(")")[2].split()  # the command's name before it may hold anything


@cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _wait_for_pid(path: Path, shell: subprocess.Popen[bytes]) -> Ident | None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        pid = read_int(path)
        if pid is not None:
            started = start_time(pid)
            return Ident(pid, started) if started else None
        if shell.poll() is not None:
            return None
        time.sleep(0.005)
    return None


def _began_with(path: Path, pid: int) -> bool:
    """A process writes its pid file as its first act: another that got the number later began after that."""
    began = _began_at(pid)
    return began is not None and abs(path.stat().st_mtime - began) < 5


def _began_at(pid: int) -> float | None:
    if sys.platform == "linux":
        fields = _stat(pid)
        if not fields:
            return None
        up = float(Path("/proc/uptime").read_text().split()[0])
        return time.time() - up + int(fields[19]) / os.sysconf("SC_CLK_TCK")
    shown = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return time.mktime(time.strptime(shown)) if shown else None
