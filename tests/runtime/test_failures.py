"""From what a trainer left behind to one sentence. The messages are the libraries' own."""

from __future__ import annotations

import pytest

from tuneform.runtime import failures
from tuneform.runtime.redact import redact

_FRAME = '  File "train.py", line 7, in main\n    trainer = SFTTrainer(\n              ^^^^^^^^^^^\n'


def traceback(*lines: str) -> str:
    return "Traceback (most recent call last):\n" + _FRAME + "\n".join(lines) + "\n"


CASES = {
    "no such folder": (
        1,
        traceback(
            "OSError: Repo id must use alphanumeric chars, '-', '_' or '.'. The name cannot start or end with"
            " '-' or '.' and the maximum length is 96: './nope'."
        ),
        "the model `./nope` is not a folder here, and cannot be the name of a repository on the Hub",
    ),
    "no such repository": (
        1,
        traceback(
            "huggingface_hub.errors.RepositoryNotFoundError: 401 Client Error. (Request ID: Root=1-2;3)",
            "",
            "The above exception was the direct cause of the following exception:",
            "",
        )
        + traceback(
            "OSError: nobody/nothing is not a local folder and is not a valid model identifier listed on "
            "'https://huggingface.co/models'",
            "If this is a private repository, make sure to pass a token having permission to this repo",
        ),
        "the model `nobody/nothing` is neither a folder here nor a repository on the Hub that this token may read",
    ),
    "gated": (
        1,
        traceback(
            "OSError: You are trying to access a gated repo.",
            "Make sure to have access to it at https://huggingface.co/meta-llama/Llama-2-7b-hf.",
            "401 Client Error.",
        ),
        "the model `meta-llama/Llama-2-7b-hf` is gated: accept its terms on its page and log in with `hf auth login`",
    ),
    "no connection": (
        1,
        traceback(
            "OSError: We couldn't connect to 'https://huggingface.co' to load the files, and couldn't find them in the"
            " cached files.",
            "Check your internet connection or see how to run the library in offline mode at",
        ),
        "the Hub could not be reached, and a file it was asked for is not in the local cache",
    ),
    "wrong token": (
        1,
        traceback("huggingface_hub.errors.HfHubHTTPError: 401 Client Error: Unauthorized for url: https://x"),
        "the Hub refused the token (401)",
    ),
    "disk": (1, traceback("OSError: [Errno 28] No space left on device: 'output/x'"), "the disk is full"),
    "gpu memory": (
        1,
        traceback("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB."),
        "the GPU ran out of memory: lower `training.micro_batch_size` or `training.max_length`, "
        "or turn on gradient checkpointing",
    ),
    "memory": (
        1,
        traceback("RuntimeError: [enforce fail at alloc_cpu.cpp:1] . DefaultCPUAllocator: can't allocate memory: you"),
        "this machine ran out of memory",
    ),
    "nan": (
        1,
        traceback("RuntimeError: probability tensor contains either `inf`, `nan` or element < 0"),
        "the training produced NaN: lower the learning rate, or train in bf16 or fp32 instead of fp16",
    ),
    "killed": (
        137,
        "\r 10%|#  | 1/10 [00:01<00:02,  2.87it/s]",
        "the trainer was killed (SIGKILL), most likely because this machine ran out of memory",
    ),
    "signal": (143, "", "the trainer was ended from outside by SIGTERM"),
    "own words": (
        1,
        "\r  0%|          | 0/10 [00:00<?, ?it/s]\nThis plan is for 2 processes, and 1 was started.\n"
        "\r  0%|          | 0/10 [00:00<?, ?it/s]\n",
        "This plan is for 2 processes, and 1 was started.",
    ),
    "own words under torchrun": (
        1,
        "This plan is for 2 processes, and 3 were started.\n"
        + traceback("torch.distributed.elastic.multiprocessing.errors.ChildFailedError: ", "train.py FAILED", "-----"),
        "This plan is for 2 processes, and 3 were started.",
    ),
    "exception": (
        1,
        traceback("ValueError: the first line", "and a second one") + "wandb: run finished\n",
        "ValueError: the first line",
    ),
    "exception of a package": (
        1,
        traceback("jinja2.exceptions.TemplateError: no"),
        "jinja2.exceptions.TemplateError: no",
    ),
    "glued to a bar": (
        1,
        "\r 50%|#####     | 5/10 [00:01<00:02,  2.87it/s]The data has 3 rows, and 4 are needed.\n",
        "The data has 3 rows, and 4 are needed.",
    ),
    "nothing": (9, "", "the trainer ended with exit code 9 and no message"),
}


@pytest.mark.parametrize("case", CASES)
def test_sentences(case: str) -> None:
    code, log, expected = CASES[case]
    assert failures.sentence(code, log.encode()) == expected


def test_a_warning_long_before_the_failure_is_not_its_reason() -> None:
    log = "warning: 401 Client Error while looking for updates\n" + "training\n" * 50 + traceback("ValueError: no")
    assert failures.sentence(1, log.encode()) == "ValueError: no"


def test_a_traceback_that_was_only_logged_is_not_the_reason() -> None:
    logged = "could not look for updates:\n" + traceback("OSError: 401 Client Error") + "training\n" * 5
    assert failures.sentence(1, (logged + traceback("ValueError: no")).encode()) == "ValueError: no"


def test_of_several_processes_the_first_to_fail_says_why() -> None:
    first = traceback("torch.OutOfMemoryError: CUDA out of memory.").replace("Trace", "[rank1]: Trace")
    second = traceback("RuntimeError: Connection closed by peer").replace("Trace", "[rank0]: Trace")
    assert failures.sentence(1, (first + second).encode()).startswith("the GPU ran out of memory")


INSTALLS = {
    "uv, unknown": (
        "  x No solution found when resolving dependencies:\n  `-> Because nope-x was not found in the package "
        "registry and you require\n      nope-x==9, we can conclude that your requirements are unsatisfiable.\n",
        "the requirements cannot be met: nope-x was not found in the package registry and you require nope-x==9",
    ),
    "pip, unknown": (
        "ERROR: Could not find a version that satisfies the requirement nope==9 (from versions: none)\n"
        "ERROR: No matching distribution found for nope==9\n",
        "no version of `nope==9` for this Python and platform was found",
    ),
    "uv, offline": (
        "error: Failed to fetch: `https://packages.example.com/simple/nope/`\n  Caused by: dns error\n"
        "  Caused by: failed to lookup address information: Temporary failure in name resolution\n",
        "the package index could not be reached, so the trainer's environment could not be installed",
    ),
    "disk": (
        "error: Failed to install: x.whl\n  Caused by: No space left on device (os error 28)\n",
        "the disk is full: the trainer's environment could not be installed",
    ),
    "else": ("what?\n", "the trainer's environment could not be installed"),
}


@pytest.mark.parametrize("case", INSTALLS)
def test_sentences_on_installs(case: str) -> None:
    log, expected = INSTALLS[case]
    assert failures.install_sentence(log.encode()) == expected


def test_the_tail_is_what_a_terminal_would_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_API_KEY", "s3cret-value")
    log = "first\n\r 10%|#  | 1/10\r 20%|## | 2/10\r\x1b[A\nlogin with s3cret-value\n\n\x1b[31mred\x1b[0m\n"
    assert failures.tail(log.encode()) == "first\n 20%|## | 2/10\nlogin with [redacted]\nred"
    assert len(failures.tail(b"x\n" * 100).splitlines()) == 15
    assert "\ufffd" in failures.tail(b"caf\xe9\n")


def test_secrets_are_covered_by_name_and_by_shape() -> None:
    environment = {"HF_TOKEN": "abcdefgh", "KEY": "1", "HOME": "/root-home", "WANDB_API_KEY": "abcdefghij"}
    assert redact("abcdefghij abcdefgh 1 /root-home", environment) == "[redacted] [redacted] 1 /root-home"
    assert redact("https://user:pass@host/x hf_" + "a" * 30, {}) == "https://[redacted]@host/x [redacted]"


@pytest.mark.parametrize(
    ("text", "covered"),
    [
        ("github_pat_" + "a1_B" * 10, "[redacted]"),
        ("git clone https://abcdef123456@host/x", "git clone https://[redacted]@host/x"),
        ("https://user:p@ss@host/x", "https://[redacted]@host/x"),
        ("Authorization: Bearer abcdefghijklmnop.qrs", "Authorization: Bearer [redacted]"),
        ("the bearer of news", "the bearer of news"),
        ("http://host/x and mail@host", "http://host/x and mail@host"),
    ],
)
def test_secrets_are_covered_by_shape(text: str, covered: str) -> None:
    assert redact(text, {}) == covered


def test_passwords_are_covered_and_folders_are_not() -> None:
    environment = {"DB_PASS": "abcdefgh", "MYSQL_PWD": "ijklmnop", "PWD": "/home/me", "OLDPWD": "/home/you"}
    assert redact("abcdefgh ijklmnop /home/me /home/you", environment) == "[redacted] [redacted] /home/me /home/you"
