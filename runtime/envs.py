"""Environments for trainers: one for each list of requirements, built once and kept."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from ..spec.diagnostics import RunError
from .failures import install_sentence, tail
from .jsonfiles import read_json, write_json

Say = Callable[[str], None]
ALONE = "requirements-no-deps.txt"
"""A list beside the requirements: packages that are installed after them, without what they themselves ask for."""
_MARKER = "complete.json"  # written last: an environment without it was cut off while it was built


@dataclass(frozen=True, slots=True)
class Environment:
    """A Python with a trainer installed."""

    python: Path
    resolved: Path  # every package with its version


def ensure(requirements: Path, say: Say) -> Environment:
    """The environment for a requirements file and the list `ALONE` beside it; builds it if there is none yet."""
    alone = _alone(requirements)
    folder = _folder(requirements.read_text(encoding="utf-8"), alone.read_text(encoding="utf-8") if alone else "")
    folder.parent.mkdir(parents=True, exist_ok=True)
    if _usable(folder):
        return _environment(folder)
    with _only_builder(folder.with_suffix(".lock"), say):
        if _usable(folder):
            return _environment(folder)
        _build(folder, requirements, say)
    return _environment(folder)


def find(text: str, alone: str = "") -> Environment | None:
    """The environment for the text of a requirements file and of the list `ALONE`, where it is built."""
    folder = _folder(text, alone)
    return _environment(folder) if _usable(folder) else None


def built() -> dict[Path, list[str]]:
    """The packages of each environment that is built, pinned."""
    folders = sorted((cache_folder() / "envs").glob("*/"))
    return {folder: (folder / "resolved.txt").read_text().split() for folder in folders if _usable(folder)}


def _folder(text: str, alone: str) -> Path:
    return cache_folder() / "envs" / _key(f"{text}\n{alone}" if alone else text)


def _alone(requirements: Path) -> Path | None:
    beside = requirements.with_name(ALONE)
    return beside if beside.is_file() else None


def cache_folder() -> Path:
    """$TUNEFORM_CACHE, else the user's cache folder."""
    own = os.environ.get("TUNEFORM_CACHE")
    if own:
        return Path(own).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "tuneform"


def uv_path() -> str | None:
    """uv, if it is on the PATH or installed beside the running Python."""
    beside = Path(sys.executable).parent / "uv"
    if found := shutil.which("uv"):
        return found
    if beside.is_file():
        return str(beside)
    if importlib.util.find_spec("uv") is None:
        return None
    from uv import find_uv_bin

    return str(find_uv_bin())


@contextmanager
def _only_builder(path: Path, say: Say) -> Iterator[None]:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say("another run is building this environment; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _key(text: str) -> str:
    parts = (text, platform.python_implementation(), platform.python_version(), sysconfig.get_platform())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _environment(folder: Path) -> Environment:
    return Environment(_python(folder), folder / "resolved.txt")


def _python(folder: Path) -> Path:
    return folder / "bin" / "python"


def _usable(folder: Path) -> bool:
    if read_json(folder / _MARKER) is None:
        return False
    try:  # the Python it was made with may be gone
        return subprocess.run([_python(folder), "-c", ""], capture_output=True).returncode == 0
    except OSError:
        return False


def _build(folder: Path, requirements: Path, say: Say) -> None:
    uv = uv_path()
    log = folder.with_suffix(".log")
    shutil.rmtree(folder, ignore_errors=True)
    log.write_bytes(b"")
    say(f"building an environment with {'uv' if uv else 'pip'} (once for these requirements; log: {log})")
    began = time.monotonic()
    python = str(_python(folder))
    if uv:
        _install([uv, "venv", "--python", sys.executable, str(folder)], log, say)
        install = [uv, "pip", "install", "--python", python]
        listing = [uv, "pip", "freeze", "--python", python]
    else:
        _install([sys.executable, "-m", "venv", str(folder)], log, say)
        install = [python, "-m", "pip", "install"]
        listing = [python, "-m", "pip", "freeze"]
    _install([*install, "-r", str(requirements)], log, say)
    if alone := _alone(requirements):
        _install([*install, "--no-deps", "-r", str(alone)], log, say)
    frozen = subprocess.run(listing, capture_output=True, text=True, env=_settings())
    if frozen.returncode:
        raise RunError("the installed packages could not be listed", log_tail=tail(frozen.stderr.encode()))
    (folder / "resolved.txt").write_text(frozen.stdout, encoding="utf-8")
    write_json(folder / _MARKER, {"python": platform.python_version(), "with": "uv" if uv else "pip"})
    say(f"environment ready after {time.monotonic() - began:.0f} s")


def _install(command: Sequence[str], log: Path, say: Say) -> None:
    """Run one command of the installer with its output in the log; say now and then that it goes on."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=_settings(),
            start_new_session=True,  # a terminal that is closed does not end it
        )
    began = time.monotonic()
    try:
        while True:
            try:
                code = process.wait(timeout=30)
                break
            except subprocess.TimeoutExpired:
                say(f"still installing, {time.monotonic() - began:.0f} s")
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()
        raise
    if code:
        text = log.read_bytes()
        raise RunError(f"{install_sentence(text)} (whole log: {log})", log_tail=tail(text))


def _settings(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The installer's environment: uv looks for files where pip would."""
    env = dict(os.environ if environment is None else environment)
    for name in ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH"):
        env.pop(name, None)
    if env.get("PIP_FIND_LINKS") and not env.get("UV_FIND_LINKS"):
        env["UV_FIND_LINKS"] = ",".join(env["PIP_FIND_LINKS"].split())  # pip: spaces, uv: commas
    return env
