"""What differs between two plans, told as what a person changed and what follows from it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ..spec.fields import PATH
from ..spec.language import marked_paths
from ..spec.plan import Origin, Plan
from .difference_paths import FOLLOWS, GROUPS, RANK, Group, longest
from .difference_words import Case, means, title
from .settings import Fate

LOST = ("unsupported", "approximated", "chosen by the target")
_DOTTED = re.compile(r"[a-z_]+(?:\.[a-z_]+)+")
_ROWS = ("data.train", "data.eval", "data.test", "data.format", "data.on_bad_row", "data.eval.split", "data.eval.seed")


@dataclass(frozen=True, slots=True)
class RowChange:
    """Rows of a split on two sides, both read. Nothing added and nothing removed: the same, or in another order."""

    before: int
    after: int
    added: int
    removed: int
    reordered: bool = False

    @property
    def same(self) -> bool:
        """True where both sides have the same rows in the same order."""
        return not (self.added or self.removed or self.reordered)


@dataclass(frozen=True, slots=True)
class Subject:
    """One side. `contents` has a digest for each path of the plan whose value is a file that was read.

    `options` are the typed keys of the target's own block.
    """

    plan: Plan
    fates: tuple[Fate, ...] = ()
    contents: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """A value that differs. `causes` are the changes that it follows from; none where it was changed by itself.

    `applies` says on which side the path is there at all.
    """

    path: str
    title: str
    group: Group
    before: Any
    after: Any
    applies: Literal["both", "before", "after"]
    means: str = ""
    origins: tuple[Origin | None, Origin | None] = (None, None)
    causes: tuple[str, ...] = ()
    consequences: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class FateChange:
    """A path that a target loses, or alters, on one side and not on the other. None: the path is not there."""

    path: str
    title: str
    group: Group
    before: str | None
    after: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything that differs between two plans. `origins_only` are equal values that only one side writes."""

    changes: tuple[Change, ...] = ()
    fates: tuple[FateChange, ...] = ()
    origins_only: tuple[str, ...] = ()

    def touches(self, group: Group) -> bool:
        """Whether something of this group differs."""
        found: tuple[Change | FateChange, ...] = (*self.changes, *self.fates)
        return any(change.group == group for change in found)


def compare(before: Subject, after: Subject, rows: Mapping[str, RowChange] | None = None) -> Difference:
    """Compare two plans. `rows` has each split whose rows were read on both sides."""
    return _Comparison(before, after, rows or {}).result()


def mentioned(difference: Difference) -> set[str]:
    """Every path that a difference speaks of."""

    def walk(changes: Iterable[Change]) -> Iterable[str]:
        for change in changes:
            yield change.path
            yield from walk(change.consequences)

    return set(walk(difference.changes))


class _Comparison:
    def __init__(self, before: Subject, after: Subject, rows: Mapping[str, RowChange]) -> None:
        self.before, self.after, self.rows = before, after, rows
        self.values = _values(before), _values(after)
        self.origins = [{path: plan.origin(path) for path in plan} for plan in (before.plan, after.plan)]
        self.case = Case(*self.values, rows={split: (r.added, r.removed, r.reordered) for split, r in rows.items()})
        self.differing = self._differing()
        self.roots: dict[str, tuple[str, ...]] = {}

    def result(self) -> Difference:
        found = {path: self._change(path) for path in self.differing}
        followers = {path: self._roots(path, ()) for path in found}
        changes = []
        for path, change in found.items():
            if followers[path] != (path,):
                continue
            below = [replace(found[p], causes=c) for p, c in followers.items() if c[0] == path and p != path]
            group = min([change.group, *(c.group for c in below)], key=RANK.index)
            changes.append(replace(change, group=group, consequences=tuple(below)))
        changes.sort(key=lambda c: RANK.index(c.group))
        return Difference(tuple(changes), self._fates(), self._origins_only())

    # What differs

    def _differing(self) -> list[str]:
        one, two = self.values
        order = dict.fromkeys([*one, *two])
        found = [p for p in order if not same(one.get(p), two.get(p)) or self._other_content(p)]
        return found + [f"rows.{split}" for split, change in self.rows.items() if not change.same]

    def _other_content(self, path: str) -> bool:
        one, two = self.before.contents.get(path), self.after.contents.get(path)
        return one is not None and two is not None and one != two

    def _change(self, path: str) -> Change:
        one, two = self.values
        before, after = one.get(path), two.get(path)
        applies: Literal["both", "before", "after"] = "both"
        if path.startswith("rows."):
            count = self.rows[path.removeprefix("rows.")]
            before, after = count.before, count.after
        elif path not in one or path not in two:
            applies = "before" if path in one else "after"
        known = applies == "both" or path.startswith(("data.", "extra.", "option."))
        told = means(path, before, after, self.case) if known else ""
        if self._other_content(path) and before == after:
            told = "the file has other content"
        elif self._same_content(path):
            told = "the content is the same"
        elif self._lost(path):
            told = "the target carries it on neither side"
        origins = self.origins[0].get(path), self.origins[1].get(path)
        return Change(path, title(path), self._group(path), before, after, applies, told, origins)

    # How much it matters

    def _lost(self, path: str) -> bool:
        """Whether the target has no such field, so that its value makes no difference there."""
        return all(
            any(f.path == path and f.fidelity == "unsupported" for f in side.fates)
            for side in (self.before, self.after)
        )

    def _same_content(self, path: str) -> bool:
        one, two = self.before.contents.get(path), self.after.contents.get(path)
        return one is not None and one == two

    def _group(self, path: str) -> Group:
        group: Group = longest(GROUPS, path) or "objective"  # what is not known to be harmless is told first
        if path.startswith("rows.") and self.rows[path.removeprefix("rows.")].reordered:
            return "optimization" if path == "rows.train" else "run"
        unchanged = path in _ROWS and "train" in self.rows and self.rows["train"].same
        if unchanged or self._same_content(path) or self._lost(path):
            group = "run"
        if group == "run" and path.startswith(("evaluation.", "data.eval", "rows.eval")) and self._selects():
            return "optimization"
        return group

    def _selects(self) -> bool:
        """Whether evaluation decides when training ends, or which weights are kept."""
        return any(v.get("evaluation.early_stopping.patience") or v.get("saving.best") for v in self.values)

    # What follows from what

    def _roots(self, path: str, below: tuple[str, ...]) -> tuple[str, ...]:
        """The changes that this one follows from; the path itself where it follows from none."""
        if path in self.roots:
            return self.roots[path]
        causes = [p for p in self._causes(path) if p in self.differing and p != path and p not in below]
        found = dict.fromkeys(root for cause in causes for root in self._roots(cause, (*below, path)))
        roots = tuple(found) or (path,)
        if not below:
            self.roots[path] = roots
        return roots

    def _causes(self, path: str) -> list[str]:
        if path.startswith("rows."):
            return self._expanded(longest(FOLLOWS, path) or ())
        origins = self.origins[0].get(path), self.origins[1].get(path)
        one_sided = path not in self.values[0] or path not in self.values[1]
        if path in ("data.train", "data.eval", "data.test") and not one_sided and self._format_alone(path):
            return ["data.format"]
        written = any(origin and origin.kind == "spec" for origin in origins)
        if written and not one_sided:
            return []
        named = [word for o in origins if o and o.kind == "derived" for word in _DOTTED.findall(o.how)]
        causes = self._expanded(longest(FOLLOWS, path) or ()) + named
        return causes + (self._siblings(path) if one_sided and any(origins) and not written else [])

    def _expanded(self, causes: tuple[str, ...]) -> list[str]:
        """A cause that ends in a dot is every changed path under it."""
        found: list[str] = []
        for cause in causes:
            found += [p for p in self.differing if p.startswith(cause)] if cause.endswith(".") else [cause]
        return found

    def _siblings(self, path: str) -> list[str]:
        """The first value that came or went with this one in the same section: what the user wrote, if anything."""
        above = path.rpartition(".")[0]
        if not above:
            return []
        side = self.values[0] if path in self.values[0] else self.values[1]
        other = self.values[1] if path in self.values[0] else self.values[0]
        near = [p for p in self.differing if p.rpartition(".")[0] == above and p in side and p not in other]
        wrote = [p for p in near if self.before.plan.explicit(p) or self.after.plan.explicit(p)]
        return (wrote or near)[:1]

    def _format_alone(self, path: str) -> bool:
        """Whether sources differ only in the format that `data.format` gives them."""
        own = []
        for values in self.values:
            inherited = values.get("data.format")
            own.append([{k: v for k, v in s.items() if (k, v) != ("format", inherited)} for s in values[path]])
        return own[0] == own[1]

    # What a target makes of it, and what is only said otherwise

    def _fates(self) -> tuple[FateChange, ...]:
        one, two = ({fate.path: fate for fate in side.fates} for side in (self.before, self.after))
        found = []
        for path in dict.fromkeys([*one, *two]):
            a, b = one.get(path), two.get(path)
            lost = [fate is not None and fate.fidelity in LOST for fate in (a, b)]
            if not any(lost) or (a and b and a.fidelity == b.fidelity):
                continue
            reason = (b.reason if b and lost[1] else a.reason if a else "") or ""
            group: Group = longest(GROUPS, path) or "objective"
            found.append(
                FateChange(path, title(path), group, a.fidelity if a else None, b.fidelity if b else None, reason)
            )
        return tuple(found)

    def _origins_only(self) -> tuple[str, ...]:
        one, two = self.before.plan, self.after.plan
        known = [p for p in one if p in two and p not in self.differing]
        return tuple(p for p in known if one.explicit(p) != two.explicit(p))


def _values(side: Subject) -> dict[str, Any]:
    """The values of a plan, with the target itself, its options and its native keys."""
    found = {"target": side.plan.target, **side.plan}
    found |= {f"option.{key}": value for key, value in side.options.items()}
    return found | {f"extra.{key}": value for key, value in side.plan.extra.items()}


def same(one: Any, two: Any) -> bool:
    """Whether two plain values are equal; true is not 1."""
    if isinstance(one, Mapping) and isinstance(two, Mapping):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(two, list | tuple):
        return len(one) == len(two) and all(map(same, one, two))
    return bool(one == two) and isinstance(one, bool) == isinstance(two, bool)


def file_paths(plan: Plan) -> list[str]:
    """Paths of a plan whose value is one file."""
    return [path for path in plan if path in marked_paths(PATH) and isinstance(plan[path], str)]
