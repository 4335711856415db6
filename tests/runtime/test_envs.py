"""Environments: built once, kept, repaired, never by two at a time. Nothing here needs a network."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest
from filelock import FileLock

from tuneform.runtime import envs
from tuneform.spec.diagnostics import RunError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUNEFORM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.delenv("UV_FIND_LINKS", raising=False)
    (tmp_path / "wheels").mkdir()
    return tmp_path / "cache"


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.txt"
    path.write_text("")
    return path


def wheel(folder: Path, name: str = "tinything", needs: str = "") -> None:
    """A package of one line, and the package that it asks for."""
    info = f"{name}-1.0.dist-info"
    asks = f"Requires-Dist: {needs}\n" if needs else ""
    files = {
        f"{name}.py": "VALUE = 42\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{asks}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},sha256={_hash(text)},{len(text)}\n" for path, text in files.items())
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as out:
        for path, text in (files | {f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}).items():
            out.writestr(path, text)


def _hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def test_built_once_and_then_found(requirements: Path) -> None:
    said: list[str] = []
    first = envs.ensure(requirements, said.append)
    assert first.resolved.exists() and "building" in said[0]
    assert subprocess.run([first.python, "-c", "print(1)"], capture_output=True).stdout == b"1\n"
    said.clear()
    second = envs.ensure(requirements, said.append)
    assert (second, said) == (first, [])
    requirements.write_text("# other\n")
    assert envs.ensure(requirements, said.append).python != first.python


def test_find_links_of_pip_are_uvs_too(requirements: Path, tmp_path: Path) -> None:
    wheel(tmp_path / "wheels")
    requirements.write_text("tinything==1.0\n")
    found = envs.ensure(requirements, print)
    assert "tinything==1.0" in found.resolved.read_text()
    shown = subprocess.run([found.python, "-c", "import tinything; print(tinything.VALUE)"], capture_output=True)
    assert shown.stdout == b"42\n"


def test_pip_does_where_uv_is_not(requirements: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel(tmp_path / "wheels")
    requirements.write_text("tinything==1.0\n")
    monkeypatch.setattr(envs, "uv_path", lambda: None)
    said: list[str] = []
    assert "tinything==1.0" in envs.ensure(requirements, said.append).resolved.read_text()
    assert "with pip" in said[0]


@pytest.mark.parametrize("uv", [True, False])
def test_a_list_beside_the_requirements_is_installed_alone(
    uv: bool, requirements: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel(tmp_path / "wheels", needs="no-such-thing-anywhere")
    if not uv:
        monkeypatch.setattr(envs, "uv_path", lambda: None)
    without = envs.ensure(requirements, print)
    requirements.with_name(envs.ALONE).write_text("tinything==1.0\n")
    found = envs.ensure(requirements, print)
    assert found.python != without.python and "tinything==1.0" in found.resolved.read_text()
    again = envs.find("", "tinything==1.0\n")
    assert again is not None and again.python == found.python
    shown = subprocess.run([found.python, "-c", "import tinything; print(tinything.VALUE)"], capture_output=True)
    assert shown.stdout == b"42\n"


def test_a_half_built_environment_is_built_anew(requirements: Path) -> None:
    first = envs.ensure(requirements, print)
    folder = first.python.parent.parent
    (folder / "complete.json").unlink()
    (folder / "leftover").touch()
    assert envs.ensure(requirements, print) == first and (folder / "complete.json").exists()
    assert not (folder / "leftover").exists()


def test_an_environment_whose_python_is_gone_is_built_anew(requirements: Path) -> None:
    first = envs.ensure(requirements, print)
    first.python.unlink()
    first.python.symlink_to("/nowhere/python")
    assert envs.ensure(requirements, print) == first and first.python.resolve() != Path("/nowhere/python")


def test_a_failure_is_a_sentence_and_the_end_of_the_log(requirements: Path) -> None:
    requirements.write_text("no-such-thing-anywhere==9.9\n")
    with pytest.raises(RunError) as caught:
        envs.ensure(requirements, print)
    assert "no-such-thing-anywhere" in caught.value.sentence and "log:" in caught.value.sentence
    assert "\n" not in caught.value.sentence and caught.value.log_tail
    with pytest.raises(RunError):
        envs.ensure(requirements, print)


def test_two_runs_do_not_build_at_once(requirements: Path) -> None:
    envs.ensure(requirements, print)
    (folder,) = (path for path in (envs.cache_folder() / "envs").iterdir() if path.is_dir())
    (folder / "complete.json").rename(folder / "hidden")
    said: list[str] = []
    lock = FileLock(folder.with_suffix(".lock"))
    lock.acquire()
    thread = threading.Thread(target=lambda: results.append(envs.ensure(requirements, said.append)))
    results: list[envs.Environment] = []
    thread.start()
    while not said:
        time.sleep(0.01)
    assert "another run is building" in said[0]
    (folder / "hidden").rename(folder / "complete.json")  # the other one is done
    lock.release()
    thread.join()
    assert [env.python for env in results] == [folder / "bin" / "python"] and len(said) == 1


def test_the_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert envs.cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("TUNEFORM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert envs.cache_folder() == tmp_path / "xdg" / "tuneform"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert envs.cache_folder() == Path.home() / ".cache" / "tuneform"


def test_uv_beside_the_running_python_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    beside, first = tmp_path / "python" / "uv", tmp_path / "path" / "uv"
    for uv in (beside, first):
        uv.parent.mkdir()
        uv.touch(0o755)
    monkeypatch.setattr(sys, "executable", str(beside.with_name("python")))
    monkeypatch.setenv("PATH", "")
    assert envs.uv_path() == str(beside)
    monkeypatch.setenv("PATH", str(first.parent))
    assert envs.uv_path() == str(first)
