"""Files as git has them at a revision: found by `git` itself, and written where they can be read."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from ..spec.diagnostics import TuneformError

# Git sets these for a hook, relative to the top of the repository, and would look for them in `folder`.
_OF_A_HOOK = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")


class RevisionError(TuneformError):
    """Git cannot give what was asked for; the text is one sentence."""


def split(text: str) -> tuple[str, str] | None:
    """`REV:FILE` as (revision, file), as git reads it; None for the name of a file."""
    if os.path.exists(text):
        return None
    depth = 0
    for index, char in enumerate(text):
        depth += (char == "{") - (char == "}")
        if char == ":" and not depth:
            return text[:index], text[index + 1 :]
    return None


class Revision:
    """One commit of the repository around a folder. Files are exported to `scratch` when they are asked for."""

    def __init__(self, name: str, folder: Path, scratch: Path) -> None:
        self.name, self.scratch = name, scratch
        self.folder = Path(os.path.realpath(folder))
        up = self._git("rev-parse", "--show-cdup").decode().rstrip("\n")
        self.root = Path(os.path.normpath(self.folder / up))
        self.commit = self._commit()
        self.shown: dict[str, str] = {}  # where an exported file is -> REV:FILE
        self.from_worktree: list[str] = []  # files that git does not track, read as they are now
        self._known: dict[str, str] = {}

    def file(self, path: str) -> Path:
        """The place in the working tree of FILE in `REV:FILE`: from the top, or from here with `./` and `../`."""
        here = path.startswith(("./", "../"))
        found = Path(os.path.normpath((self.folder if here else self.root) / path))
        if self._blob(self._inside(str(found))) is None:
            near = self._inside(str(self.folder / path))
            hint = f"; did you mean `{self.name}:./{path}`?" if not here and self._blob(near) is not None else ""
            raise RevisionError(f"there is no file `{path.removeprefix('./')}` in `{self.name}`{hint}")
        return found

    def at(self, path: str) -> str:
        """Where the bytes of a file of the working tree are as they were at this revision.

        A file that git does not track is the one in the working tree; one that came later is nowhere.
        """
        path = os.path.abspath(path)
        if path not in self._known:
            self._known[path] = self._find(path)
        return self._known[path]

    def _find(self, path: str) -> str:
        inside = self._inside(path)
        if inside.startswith(".."):
            self._note(path)
            return path
        blob = self._blob(inside)
        if blob is not None:
            return self._export(blob, inside)
        came_later = self._tracked(inside) and not os.path.islink(path)  # a link may lead out of the repository
        if came_later or not os.path.exists(path):
            return str(self.scratch / "absent" / os.path.basename(path))
        self._note(path)
        return path

    def _note(self, path: str) -> None:
        if os.path.isfile(path):
            self.from_worktree.append(os.path.relpath(path))

    def _inside(self, path: str) -> str:
        """A path as seen from the top of the repository."""
        folder, name = os.path.split(path)
        return os.path.relpath(os.path.join(os.path.realpath(folder), name), self.root).replace(os.sep, "/")

    def _commit(self) -> str:
        asked = f"{self.name}^{{commit}}"
        if not self.name or "\n" in self.name:
            raise RevisionError("a revision is missing before `:`")
        done = self._run("rev-parse", "--verify", "--quiet", "--end-of-options", asked)
        if done.returncode:
            raise RevisionError(f"git knows no revision `{self.name}`")
        return done.stdout.decode().strip()

    def _blob(self, inside: str) -> str | None:
        """The object of a file, links followed; None where there is no file."""
        if "\n" in inside or inside.startswith(".."):
            return None
        asked = f"{self.commit}:{inside}\n".encode("utf-8", "surrogateescape")
        answer = self._git("cat-file", "--batch-check", "--follow-symlinks", given=asked)
        found = re.match(rb"([0-9a-f]{40,}) blob \d+\n", answer)
        return found[1].decode() if found else None

    def _export(self, blob: str, inside: str) -> str:
        """Write a file as a checkout would (`--filters`: line ends, large-file storage)."""
        place = self.scratch / blob / os.path.basename(inside)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(self._git("cat-file", "--filters", f"--path={inside}", blob))
        self.shown[str(place)] = f"{self.name}:{inside}"
        return str(place)

    def _tracked(self, inside: str) -> bool:
        return not self._run("ls-files", "--error-unmatch", "--", f":(top,literal){inside}").returncode

    def _git(self, *words: str, given: bytes = b"") -> bytes:
        done = self._run(*words, given=given)
        if done.returncode:
            reason = done.stderr.decode("utf-8", "replace").strip().splitlines()
            if reason and "not a git repository" in reason[0]:
                raise RevisionError(f"{self.folder} is in no git repository; two files can be compared without one")
            raise RevisionError(f"git: {reason[0].removeprefix('fatal: ') if reason else words[0] + ' failed'}")
        return done.stdout

    def _run(self, *words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        env = {name: value for name, value in os.environ.items() if name not in _OF_A_HOOK}
        env |= {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
        line = ["git", "-C", str(self.folder), *words]
        try:
            return subprocess.run(line, input=given, capture_output=True, env=env, check=False)
        except FileNotFoundError:
            raise RevisionError("a revision is read by git, which is not installed") from None
