"""The run folder: what was run, what became of it, and everything it measured.

runs/<id>/
    run.json        what was run and how it stands
    events.jsonl    one object a change of state
    metrics.jsonl   see records.py
    bundle/         the compiled bundle; the trainer runs here
    logs/           attempt-N.log: the trainer's own output, untouched; tuneform.log: Tuneform's, without a terminal
    stop.json       only once `tuneform cancel` was called: what it asked for
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ..spec.diagnostics import RunError
from .digests import digest
from .hf_trainer import Attempt
from .jsonfiles import append_lines, read_json, read_lines, write_json
from .process import Files, this_process
from .redact import redact

ACTIVE = ("pending", "provisioning", "running", "stopping")
RESUMABLE = ("stopped", "failed", "cancelled", "lost", "waiting")
"""`waiting` is a stage whose turn has not come."""

LOCK = ".lock"
_RECORD: Mapping[str, type] = {
    **dict.fromkeys(("name", "label", "created", "spec", "state", "message"), str),
    **dict.fromkeys(("spec_digest", "spec_text_digest", "exit_code"), object),
    "target": dict,
    "attempts": list,
}
_MANIFEST: Mapping[str, type] = {"name": str, "label": str, "target": dict, "run": dict}


class Busy(Exception):
    """Another Tuneform is looking after this run."""


@dataclass(frozen=True, slots=True)
class RunDir:
    """One run folder. Its files may be read at any moment, also while the run goes on or after a crash."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def bundle(self) -> Path:
        return self.path / "bundle"

    @property
    def events(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def stop_request(self) -> Path:
        """See stop_request.py."""
        return self.path / "stop.json"

    @property
    def own_log(self) -> Path:
        """What Tuneform itself says of a run that has no terminal."""
        return self.path / "logs" / "tuneform.log"

    def files(self, attempt: int) -> Files:
        """The log of an attempt, and the two small files that its wrapper writes beside it."""
        logs = self.path / "logs"
        name = f"attempt-{attempt}"
        return Files(logs / f"{name}.log", logs / f"{name}.pid", logs / f"{name}.exit")

    def state_file(self, attempt: int) -> Path:
        """Where the state that an attempt left is kept once a later attempt begins."""
        return self.path / "logs" / f"attempt-{attempt}.state.json"

    def record(self) -> dict[str, Any]:
        """The content of run.json."""
        return _object(self.path / "run.json", self.id, _RECORD)

    def manifest(self) -> dict[str, Any]:
        """The bundle's manifest."""
        return _object(self.bundle / "manifest.json", self.id, _MANIFEST)

    def update(self, **changes: Any) -> dict[str, Any]:
        """Change run.json in one step."""
        record = self.record() | {key: _clean(value) for key, value in changes.items()}
        write_json(self.path / "run.json", record)
        return record

    def set_state(self, state: str, message: str, **changes: Any) -> dict[str, Any]:
        """Change the state, and note when and why in events.jsonl."""
        record = self.update(state=state, message=message, **changes)
        append_lines(self.events, [{"time": now(), "state": state, "message": record["message"]}])
        return record

    def history(self) -> list[dict[str, Any]]:
        """The events, oldest first."""
        return list(read_lines(self.events))

    def attempts(self) -> list[Attempt]:
        """What the metrics are collected from."""
        found = []
        for entry in self.record().get("attempts", []):
            number = entry["number"]
            state = self.state_file(number)
            found.append(Attempt(self.files(number).log, entry.get("resumed_from"), state if state.exists() else None))
        return found

    @contextmanager
    def supervise(self, timeout: float = 0) -> Iterator[None]:
        """Be the one Tuneform that looks after this run. The operating system frees the lock of a dead one."""
        try:
            with FileLock(self.path / LOCK, timeout=timeout):
                yield
        except Timeout:
            raise Busy(self.id) from None

    def hand_over(self, message: str, **changes: Any) -> None:
        """Make the run pending. That this process lives keeps others from calling it lost until it is taken."""
        self.set_state("pending", message, supervisor=this_process().as_dict(), **changes)


def now() -> str:
    """The time as it is written everywhere: UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def create(runs: Path, bundles: Sequence[Path], manifests: Sequence[Mapping[str, Any]], spec: Path) -> RunDir:
    """Turn staged folders into runs, one for each stage; gives the first, which is pending. The others wait.

    The first appears last, so that whoever sees it sees them all.
    """
    ids = [_free_id(runs, manifest) for manifest in manifests]
    for index, (bundle, manifest) in enumerate(zip(bundles, manifests, strict=True)):
        _make_run(bundle.parent, ids, index, manifest, spec)
    for index in reversed(range(len(ids))):
        bundles[index].parent.rename(runs / ids[index])
    return RunDir(runs / ids[0])


def _make_run(folder: Path, ids: Sequence[str], index: int, manifest: Mapping[str, Any], spec: Path) -> None:
    (folder / "logs").mkdir()
    state, message = ("waiting", f"waits for {ids[index - 1]}") if index else ("pending", "compiled")
    record = {
        "id": ids[index],
        "name": manifest["name"],
        "label": manifest["label"],
        "stage": manifest.get("stage"),
        "stages": list(ids) if len(ids) > 1 else [],
        "target": manifest["target"],
        "created": now(),
        "spec": str(spec.absolute()),
        "spec_digest": manifest.get("spec_digest"),
        "spec_text_digest": digest(spec.read_bytes()),
        "files": manifest.get("files", {}),
        "tuneform": manifest.get("tuneform"),
        "environment": None,
        "state": state,
        "message": message,
        "attempts": [],
        "exit_code": None,
        "supervisor": this_process().as_dict(),
    }
    write_json(folder / "run.json", record)
    append_lines(folder / "events.jsonl", [{"time": record["created"], "state": state, "message": message}])
    if index:  # the bundle names the result of the stage before as if both bundles lay in one folder
        before = Path(str(manifest["run"]["inputs"][0])).parts[1]
        (folder / before).symlink_to(Path("..") / ids[index - 1] / "bundle", target_is_directory=True)


def new_id(*names: str) -> str:
    """`<name>-<label>-<stage>-<yyyymmdd-hhmmss>-<4 hex>`, safe as a folder's name."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", "-".join(names)).strip("-.") or "run"
    return f"{stem[:80]}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def _free_id(runs: Path, manifest: Mapping[str, Any]) -> str:
    names = [manifest[key] for key in ("name", "label", "stage") if manifest.get(key)]
    while (runs / (found := new_id(*names))).exists():
        continue
    return found


def all_runs(runs: Path) -> list[RunDir]:
    """The runs in a folder, newest first."""
    try:
        found = [RunDir(p) for p in runs.iterdir() if not p.name.startswith(".") and (p / "run.json").is_file()]
    except OSError:
        return []
    return sorted(found, key=_created, reverse=True)


def matching(runs: Path, wanted: str) -> list[RunDir]:
    """The run with this id, or those whose id begins so; "last" is the newest that has begun."""
    if wanted == "last":
        return [run for run, record in records(runs) if record["state"] != "waiting"][:1]
    found = all_runs(runs)
    exact = [run for run in found if run.id == wanted]
    return exact or [run for run in found if run.id.startswith(wanted)]


def records(runs: Path, say: Callable[[str], None] = lambda text: None) -> Iterator[tuple[RunDir, dict[str, Any]]]:
    """The runs in a folder with their run.json, newest first; a damaged one is named and left out."""
    for run in all_runs(runs):
        try:
            record = run.record()
        except RunError as error:
            say(f"note: run {run.id} is left out: {error.sentence}")
        else:
            yield run, record


def _created(run: RunDir) -> str:
    try:
        return str(run.record().get("created", ""))
    except RunError:
        return ""


def _object(path: Path, run_id: str, needed: Mapping[str, type]) -> dict[str, Any]:
    found = read_json(path)
    if not isinstance(found, dict):
        raise RunError(f"the run folder is damaged: {path} is missing or unreadable", run_id)
    for key, kind in needed.items():
        if key not in found or not isinstance(found[key], kind):
            raise RunError(f"the run folder is damaged: {path} has no usable `{key}`", run_id)
    return found


def _clean(value: Any) -> Any:
    """Nothing secret gets into run.json, wherever a text came from."""
    return redact(value) if isinstance(value, str) else value
