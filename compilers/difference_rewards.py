"""How a change of `rewards` is told: which came, which went, and what is different about the others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .rewards import names

Reward = Mapping[str, Any]
Named = tuple[str, Reward]  # with the name that metrics have for it


def with_contents(rewards: Sequence[Reward], contents: Mapping[str, str]) -> tuple[Reward, ...]:
    """The rewards with a digest of each file that was read, since the file's name says nothing of what it does."""
    found = ((reward, contents.get(f"rewards:{reward.get('file')}")) for reward in rewards)
    return tuple({**reward, "content": digest} if digest else reward for reward, digest in found)


def equivalent(before: Sequence[Reward], after: Sequence[Reward]) -> bool:
    """Whether two lists score alike: their order and a file's name make no difference."""
    one, two = (sorted(map(_scoring, side)) for side in (before, after))
    return one == two


def described(rewards: Sequence[Reward]) -> str:
    """A list of rewards as a value: their names, with weights that are not 1."""
    return ", ".join(f"{name} (weight {r['weight']:g})" if r["weight"] != 1 else name for name, r in _named(rewards))


def told(before: Sequence[Reward], after: Sequence[Reward]) -> str:
    """What differs between two lists."""
    gone, new = _named(before), _named(after)
    kept = [*_taken(gone, new, _scoring), *_taken(gone, new, _unweighted), *_taken(gone, new, _kind)]
    parts = [f"{name} added" for name, _ in new] + [f"{name} removed" for name, _ in gone]
    for (_, one), (name, two) in kept:
        parts += _changes(name, one, two)
    return "; ".join(parts) or "the same rewards in another order"


def _named(rewards: Sequence[Reward]) -> list[Named]:
    return list(zip(names(rewards), rewards, strict=True))


def _taken(gone: list[Named], new: list[Named], key: Callable[[Reward], object]) -> list[tuple[Named, Named]]:
    """Pairs of both lists that are alike by a key; they are taken out of them."""
    found = []
    for one in list(gone):
        two = next((other for other in new if key(other[1]) == key(one[1])), None)
        if two is not None:
            gone.remove(one)
            new.remove(two)
            found.append((one, two))
    return found


def _scoring(reward: Reward) -> str:
    """What decides the score and its weight."""
    known = {k: v for k, v in reward.items() if k != "file" or "content" not in reward}
    return json.dumps(known, sort_keys=True, default=list)


def _unweighted(reward: Reward) -> str:
    return _scoring({k: v for k, v in reward.items() if k != "weight"})


def _kind(reward: Reward) -> tuple[str, Any]:
    return reward["kind"], reward.get("function")


def _changes(name: str, one: Reward, two: Reward) -> Iterator[str]:
    if one["weight"] != two["weight"]:
        yield f"weight of {name} {one['weight']:g} -> {two['weight']:g}"
    read = "content" in one and "content" in two
    content = "the same content" if one.get("content") == two.get("content") else "other content"
    if one.get("file") != two.get("file"):
        yield f"{name} is read from {two['file']} instead of {one['file']}{f', with {content}' if read else ''}"
    elif read and one["content"] != two["content"]:
        yield f"{one['file']} has {content}"
    if one["kind"] == "json_schema":
        yield from [f"{name} has another schema"] if one["settings"] != two["settings"] else []
        return
    before, after = (dict(_flat(reward.get("settings") or {})) for reward in (one, two))
    for key in dict.fromkeys([*before, *after]):
        if before.get(key) != after.get(key):
            yield f"{key} of {name} {_value(before.get(key))} -> {_value(after.get(key))}"


def _flat(settings: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}.")
        elif value is not None:
            yield f"{above}{key}", value


def _value(value: Any) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
