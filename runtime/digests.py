"""Digests of files, in the form that manifests and run folders keep them."""

from __future__ import annotations

import hashlib


def digest(content: bytes) -> str:
    """`sha256:` and the digest in hexadecimal."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
