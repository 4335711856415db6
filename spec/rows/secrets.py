"""Text that looks like a secret: keys and tokens of well-known forms, and private keys.

Each form opens with a text that hardly stands anywhere else, so a block of rows is searched for that first, and by the
pattern only where it is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# Not inside a word; rows are JSON, where a line end before it reads \n.
_EDGE = rb"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrt]))"

_FORMS: tuple[tuple[str, tuple[bytes, ...], bytes], ...] = (
    (
        "a private key",
        (b"PRIVATE KEY-----",),
        rb"-----BEGIN (?:[A-Z0-9]+ ){0,2}PRIVATE KEY-----(?:\\[nr]|\s)*[A-Za-z0-9+/]{16}",
    ),
    ("an AWS access key id", (b"AKIA", b"ASIA"), rb"A(?:KIA|SIA)[A-Z2-7]{16}(?![A-Za-z0-9])"),
    ("an OpenAI or Anthropic API key", (b"sk-",), rb"sk-(?:proj-|svcacct-|ant-[a-z0-9]+-)?[A-Za-z0-9_-]{32,}"),
    ("a GitHub token", (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"), rb"gh[pousr]_[A-Za-z0-9]{36,}"),
    ("a GitHub token", (b"github_pat_",), rb"github_pat_[A-Za-z0-9_]{50,}"),
    ("a GitLab token", (b"glpat-",), rb"glpat-[A-Za-z0-9_-]{20,}"),
    ("a Hugging Face token", (b"hf_",), rb"hf_[A-Za-z0-9]{30,}"),
    ("a Google API key", (b"AIza",), rb"AIza[A-Za-z0-9_-]{35}"),
    ("a Slack token", (b"xoxb-", b"xoxp-", b"xoxa-", b"xoxr-"), rb"xox[abpr]-[A-Za-z0-9-]{20,}"),
    ("a Stripe key", (b"sk_live_", b"rk_live_"), rb"[sr]k_live_[A-Za-z0-9]{20,}"),
    ("an npm token", (b"npm_",), rb"npm_[A-Za-z0-9]{36}"),
    ("a PyPI token", (b"pypi-AgEI",), rb"pypi-AgEI[A-Za-z0-9_-]{50,}"),
    ("a JSON Web Token", (b"eyJ",), rb"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}"),
    (
        "a password in an address",
        (b"://",),
        rb"[a-z][a-z0-9+]{1,12}://[^\s/:@\"\\]{1,64}:[^\s/:@\"\\]{6,64}@[A-Za-z0-9]",
    ),
)
_PATTERNS = [(what, needles, re.compile(_EDGE + pattern)) for what, needles, pattern in _FORMS]
_MADE_UP = re.compile(
    rb"example|placeholder|your[_-]|x{5}|\*{3}|\.{3}|1234567|abcdef|password@|<|\$\{?[A-Z]", re.IGNORECASE
)
_VARIETY = 8  # different characters that a real one has at least


def find(block: bytes) -> Iterator[tuple[int, str]]:
    """Where in a block something looks like a secret, and what it looks like. What is plainly made up is left out."""
    for what, needles, pattern in _PATTERNS:
        if not any(needle in block for needle in needles):
            continue
        for match in pattern.finditer(block):
            if not _MADE_UP.search(match[0]) and len(set(match[0])) >= _VARIETY:
                yield match.start(), what
