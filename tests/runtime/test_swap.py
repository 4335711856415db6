"""Folders written anew: nothing that a user or a run keeps in them is ever lost."""

from __future__ import annotations

import fcntl
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tuneform.runtime import swap
from tuneform.runtime.swap import replacing


def ours(folder: Path) -> list[str]:
    """What `write` below lists in a folder."""
    return ["list", *(folder / "list").read_text().splitlines()] if (folder / "list").exists() else []


def write(parent: Path, *names: str, version: str = "1", files: tuple[str, ...] = ("a", "data/rows")) -> None:
    with replacing(ours) as found:
        for name in names:
            new = found.stage(parent / name)
            for file in files:
                (new / file).parent.mkdir(exist_ok=True)
                (new / file).write_text(version)
            (new / "list").write_text("\n".join(files))


def content(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    """Two folders, with things in them that are not ours."""
    parent = tmp_path / "compiled"
    write(parent, "x", "y")
    for file in ("x/output/checkpoint-5/model", "x/data/own.txt", "x/notes", "y/output/model"):
        (parent / file).parent.mkdir(parents=True, exist_ok=True)
        (parent / file).write_text("precious")
    (parent / "x" / "output" / "empty").mkdir()
    return parent


def test_what_is_not_ours_moves_along_and_what_is_ours_goes(parent: Path) -> None:
    write(parent, "x", version="2", files=("b", "data/rows"))
    assert content(parent / "x") == {
        "b": "2",
        "data/own.txt": "precious",
        "data/rows": "2",
        "list": "b\ndata/rows",
        "notes": "precious",
        "output/checkpoint-5/model": "precious",
    }
    assert (parent / "x/output/empty").is_dir() and not list(parent.glob(".*"))


def test_a_file_that_is_listed_and_not_written_again_stays(parent: Path) -> None:
    with replacing(ours) as found:
        (found.stage(parent / "x") / "list").write_text("data/rows")
    kept = content(parent / "x")
    assert kept["data/rows"] == "1" and "a" not in kept


@pytest.mark.parametrize("at", range(1, 5))
def test_a_swap_that_fails_leaves_every_folder_as_it_was(
    parent: Path, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, count, rename = content(parent), [0], Path.rename

    def failing(self: Path, target: Path) -> Path:
        count[0] += 1
        if count[0] == at:
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="Input/output"):
        write(parent, "x", "y", version="2")
    assert content(parent) == before


def test_an_error_while_writing_leaves_every_folder_as_it_was(parent: Path) -> None:
    before = content(parent)
    with pytest.raises(ZeroDivisionError), replacing(ours) as found:
        (found.stage(parent / "x") / "a").write_text("2")
        raise ZeroDivisionError
    assert content(parent) == before


@pytest.mark.parametrize("placed", [False, True])
def test_a_writing_that_was_killed_is_put_right_by_the_next(parent: Path, placed: bool) -> None:
    beside = parent / ".x.writing-dead"
    (beside / "new").mkdir(parents=True)
    (beside / "new" / "list").write_text("")
    (parent / "x").rename(beside / "old")
    if placed:
        (beside / "new").rename(parent / "x")
    write(parent, "x", version="2")
    found = content(parent / "x")
    assert found["output/checkpoint-5/model"] == found["data/own.txt"] == "precious" and found["a"] == "2"
    assert not list(parent.glob(".*"))


def test_what_cannot_be_carried_over_waits_for_the_next_writing(parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*args: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(swap, "_carry", failing)
        with pytest.raises(PermissionError):
            write(parent, "x", version="2")
    write(parent, "x", version="3")
    assert content(parent / "x")["output/checkpoint-5/model"] == "precious" and not list(parent.glob(".*"))


def test_writers_at_once_lose_nothing(parent: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: write(parent, "x", "y", version=str(n)), range(24)))
    assert content(parent / "x")["output/checkpoint-5/model"] == "precious"
    assert content(parent / "y")["output/model"] == "precious" and not list(parent.glob(".*"))


def test_a_file_in_the_way_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("precious")
    with pytest.raises(NotADirectoryError):
        write(tmp_path, "x")
    assert content(tmp_path) == {"x": "precious"}


def test_a_lock_that_its_holder_has_removed_lets_nobody_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flock, opened, go, entered = fcntl.flock, threading.Event(), threading.Event(), threading.Event()

    def late(file: int, operation: int) -> None:
        if threading.current_thread() is waiter and operation & fcntl.LOCK_EX and not go.is_set():
            opened.set()
            go.wait(20)
        flock(file, operation)

    def wait() -> None:
        with replacing(ours) as replacement:
            replacement.stage(tmp_path / "waiter")
            entered.set()

    monkeypatch.setattr(fcntl, "flock", late)
    waiter = threading.Thread(target=wait)
    with replacing(ours) as first:
        first.stage(tmp_path / "first")
        waiter.start()
        assert opened.wait(20)
    with replacing(ours) as second:
        second.stage(tmp_path / "second")
        go.set()
        assert not entered.wait(0.5)
    waiter.join()
    assert entered.is_set() and sorted(path.name for path in tmp_path.iterdir()) == ["first", "second", "waiter"]
