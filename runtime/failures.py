"""Why a run failed, in one sentence, from the exit code and the end of the log."""

from __future__ import annotations

import re
import signal

from .redact import redact

_TAIL_LINES = 15
_TAIL_BYTES = 64 * 1024
_CHAIN_GAP = 120  # characters between two chained tracebacks, at most

# The first pattern that is found decides; groups go into the sentence.
_TRAINING: tuple[tuple[str, str], ...] = (
    (
        r"(\S+) is not a local folder and is not a valid model identifier",
        "the model `{0}` is neither a folder here nor a repository on the Hub that this token may read",
    ),
    (
        r"(?s)gated repo.{0,200}?huggingface\.co/([\w.-]+/[\w.-]+?)[\s.]",
        "the model `{0}` is gated: accept its terms on its page and log in with `hf auth login`",
    ),
    (r"GatedRepoError|is a gated repository", "the model is gated: accept its terms on its page and log in"),
    (
        r"(?:Repo id must|HFValidationError).*?: '([^']+)'",
        "the model `{0}` is not a folder here, and cannot be the name of a repository on the Hub",
    ),
    (
        r"RepositoryNotFoundError|Repository Not Found for url: (\S+)",
        "a repository was not found on the Hub, or this token may not read it",
    ),
    (r"DatasetNotFoundError: (.+)", "a dataset was not found: {0}"),
    (r"401 Client Error|Invalid user ?name or password|Invalid credentials", "the Hub refused the token (401)"),
    (
        r"We couldn't connect to '([^']+)'|LocalEntryNotFoundError|OfflineModeIsEnabled|Cannot reach https://huggingface",
        "the Hub could not be reached, and a file it was asked for is not in the local cache",
    ),
    (r"No space left on device|Disk quota exceeded", "the disk is full"),
    (
        r"CUDA out of memory|torch\.(?:cuda\.)?OutOfMemoryError|CUDA error: out of memory",
        "the GPU ran out of memory: lower `training.micro_batch_size` or `training.max_length`, "
        "or turn on gradient checkpointing",
    ),
    (r"DefaultCPUAllocator: can't allocate memory|^MemoryError", "this machine ran out of memory"),
    (
        r"contains either `inf`, `nan`|(?i:loss is nan|nan loss|input contains nan)",
        "the training produced NaN: lower the learning rate, or train in bf16 or fp32 instead of fp16",
    ),
    (
        r"Torch not compiled with CUDA enabled|Found no NVIDIA driver|No CUDA GPUs are available",
        "the spec asks for a GPU, and the trainer sees none here",
    ),
    (
        r"Your setup doesn't support bf16|bf16.{0,40}not supported",
        "no GPU that computes in bf16 is seen here: set `hardware.device: cpu`, or another `training.precision`",
    ),
    (r"ModuleNotFoundError: No module named '([^']+)'", "the environment lacks the package `{0}`"),
)

_INSTALL: tuple[tuple[str, str], ...] = (
    (
        r"No space left on device|os error 28",
        "the disk is full: the trainer's environment could not be installed",
    ),
    (
        r"(?i:dns error|failed to lookup address|Temporary failure in name resolution|Network is unreachable"
        r"|Connection refused|NewConnectionError|error sending request|Could not connect)",
        "the package index could not be reached, so the trainer's environment could not be installed",
    ),
    (
        r"No matching distribution found for (\S+)",
        "no version of `{0}` for this Python and platform was found",
    ),
    (
        r"(?s)Because (.{1,400}?), we can conclude",
        "the requirements cannot be met: {0}",
    ),
    (r"No solution found when resolving dependencies", "the requirements exclude each other or do not exist"),
)

_TRACEBACK = "Traceback (most recent call last):"
_CHAINED = ("The above exception was the direct cause of", "During handling of the above exception, another")
_LAUNCHERS = ("torch.distributed.elastic.multiprocessing.errors.ChildFailedError", "subprocess.CalledProcessError")
_EXCEPTION = re.compile(
    r"^(?:[A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|Warning)|[a-z_][\w.]*\.[A-Z]\w+)(?::.*)?$"
)
_NOISE = re.compile(r"^\s*(?:\S.*: +)?\d+%\||^\{'|^\s*$|it/s\]|examples/s\]")
_BAR = re.compile(r"^\s*(?:[^|{]*: +)?\d+%\|[^|]*\|[^\[]*\[[^\]]*\]")
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def sentence(code: int | None, log: bytes) -> str:
    """One sentence on a trainer that ended with an exit code other than 0."""
    text = _without_launcher(_clean(log))
    relevant = _last_traceback(text) or tail(log)
    for pattern, words in _TRAINING:
        if found := re.search(pattern, relevant, re.MULTILINE):
            return _filled(words, found)
    if code == 128 + signal.SIGKILL:
        return "the trainer was killed (SIGKILL), most likely because this machine ran out of memory"
    if code is not None and code > 128 and (name := _signal(code - 128)):
        return f"the trainer was ended from outside by {name}"
    said = _exception(text) or _last_words(text)
    return redact(said) if said else f"the trainer ended with exit code {code} and no message"


def install_sentence(log: bytes) -> str:
    """One sentence on an environment that could not be installed."""
    text = _clean(log)
    for pattern, words in _INSTALL:
        if found := re.search(pattern, text):
            return _filled(words, found)
    return "the trainer's environment could not be installed"


def tail(log: bytes, lines: int = _TAIL_LINES) -> str:
    """The last lines of a log as a terminal would show them: progress bars overwritten, secrets covered."""
    return "\n".join(_clean(log).splitlines()[-lines:])


def _clean(log: bytes) -> str:
    text = log[-_TAIL_BYTES:].decode("utf-8", "replace")
    lines = (_shown(line) for line in text.split("\n"))
    return redact("\n".join(line for line in lines if line.strip()))


def _shown(line: str) -> str:
    """What stays of a line after its carriage returns; a message loses the progress bar that it was glued to."""
    pieces = [_ESCAPES.sub("", piece).rstrip() for piece in line.split("\r")]
    last = next((piece for piece in reversed(pieces) if piece), "")
    return _BAR.sub("", last) or last


def _filled(words: str, found: re.Match[str]) -> str:
    groups = (" ".join(group.split())[:300] if group else "" for group in found.groups())
    return redact(words.format(*groups))


def _without_launcher(text: str) -> str:
    """Cut off what torchrun and accelerate add when a process of theirs has failed."""
    at = min((text.find(name) for name in _LAUNCHERS if name in text), default=-1)
    if at < 0:
        return text
    start = text.rfind(_TRACEBACK, 0, at)
    return text[:start] if start > 0 else text


def _last_traceback(text: str) -> str:
    """The text from the last traceback on, with those that led to it; of several processes, from the first one on."""
    at = text.find(_TRACEBACK) if "[rank" in text else text.rfind(_TRACEBACK)
    while (before := text.rfind(_TRACEBACK, 0, max(at, 0))) >= 0 and any(
        words in text[max(before, at - _CHAIN_GAP) : at] for words in _CHAINED
    ):
        at = before
    return text[at:] if at >= 0 else ""


def _exception(text: str) -> str | None:
    """The message of the last traceback: its first line that is not indented."""
    _, mark, after = text.rpartition(_TRACEBACK)
    lines = [line for line in after.splitlines() if line and not line.startswith(" ")] if mark else []
    return next((line for line in lines if _EXCEPTION.match(line)), lines[0] if lines else None)


def _last_words(text: str) -> str | None:
    """What `sys.exit("...")` left: the last line that is neither progress nor metrics."""
    return next((line.strip() for line in reversed(text.splitlines()) if not _NOISE.search(line)), None)


def _signal(number: int) -> str | None:
    try:
        return signal.Signals(number).name
    except ValueError:
        return None
