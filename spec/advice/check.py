"""All advice, and giving it: once for each target, less what the target's `accept:` agrees to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..diagnostics import Diagnostic, Level
from ..words import suggest
from . import data, memory, model, run
from .base import REGISTERED, Advice, Seen

TOPICS = (data, model, run, memory)
ADVICE: tuple[Advice, ...] = tuple(sorted(REGISTERED, key=lambda piece: piece.code))

_CODE = re.compile(r"TF\w*", re.IGNORECASE)


def advise(seen: Seen, accepted: Sequence[str] = ()) -> Iterator[Diagnostic]:
    """What commonly goes wrong with such a spec. An accepted code says nothing; an accepted error is a note."""
    agreed = {word.upper() for word in accepted}
    for piece in ADVICE:
        if piece.code in agreed and piece.level is not Level.ERROR:
            continue
        for path, message, hint in piece.check(seen):
            level = Level.NOTE if piece.code in agreed else piece.level
            yield Diagnostic(piece.code, level, path, message, hint if piece.code in agreed else _offer(piece, hint))


def _offer(piece: Advice, hint: str) -> str:
    return hint if piece.level is Level.NOTE else f"{hint}\nor agree to it: `accept: [{piece.code}]` in the target"


def is_code(word: str) -> bool:
    """Whether an entry of `accept:` means a code, and not a path."""
    return _CODE.fullmatch(word) is not None


def refused(word: str, path: str) -> Diagnostic | None:
    """Why a code cannot be accepted, or None where it can."""
    from ..codes import codes

    known = {piece.code for piece in ADVICE}
    if word.upper() in known:
        return None
    if word.upper() in codes():
        message = f"`{word}` in `accept` is no advice"
        hint = "a loss on a target is agreed by the field's path, as in `accept: [training.seed]`; an error is not"
        return Diagnostic("TF209", Level.ERROR, path, message, hint)
    near = suggest(word, [code.lower() for code in known])
    hint = f"did you mean `{near.upper()}`?" if near else f"advice has the codes {ADVICE[0].code} to {ADVICE[-1].code}"
    return Diagnostic("TF209", Level.ERROR, path, f"`{word}` in `accept` is no code", hint)
