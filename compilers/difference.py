"""What differs between two plans, told as what a person changed and what follows from it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

from ..spec.fields import PATH
from ..spec.language import marked_paths
from ..spec.plan import Plan
from .changes import Change, Difference, FateChange, RowChange, Subject
from .difference_paths import FOLLOWS, GROUPS, RANK, SECTIONS, Group, longest
from .difference_rewards import equivalent, with_contents
from .difference_tellings import Case
from .difference_words import means, title

LOST = ("unsupported", "approximated")
_DOTTED = re.compile(r"[a-z_]+(?:\.[a-z_]+)+")
_ROWS = (
    *("data.train", "data.eval", "data.test", "data.format", "data.on_bad_row"),
    *("data.eval.split", "data.eval.seed", "data.eval.stratify"),
)


def compare(before: Subject, after: Subject, rows: Mapping[str, RowChange] | None = None) -> Difference:
    """Compare two plans. `rows` has each split whose rows were read on both sides."""
    return _Comparison(before, after, rows or {}).result()


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
            changes.append(_whole(replace(change, group=group, consequences=tuple(below)), self.differing))
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
        if path == "training.packing_strategy":  # the others cut rows
            return "objective" if {v.get(path) for v in self.values} - {None, "bfd"} else "optimization"
        if path == "rewards" and all(path in v for v in self.values):
            return "run" if equivalent(*(v[path] for v in self.values)) else group
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
        above = path.rpartition(".")[0]
        if one_sided and above in SECTIONS:
            return self._siblings(path, above.rpartition(".")[0]) or self._siblings(path, above)
        causes = self._expanded(longest(FOLLOWS, path) or ()) + named
        return causes + (self._siblings(path, above) if one_sided and any(origins) and not written else [])

    def _expanded(self, causes: tuple[str, ...]) -> list[str]:
        """A cause that ends in a dot is every changed path under it."""
        found: list[str] = []
        for cause in causes:
            found += [p for p in self.differing if p.startswith(cause)] if cause.endswith(".") else [cause]
        return found

    def _siblings(self, path: str, above: str) -> list[str]:
        """The first value that came or went with this one, in a section: what the user wrote, if anything."""
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


def _whole(change: Change, order: list[str]) -> Change:
    """A field that came or went with its section, told as the section."""
    section = change.path.rpartition(".")[0]
    if section not in SECTIONS or change.applies == "both":
        return change
    own = [c for c in (change, *change.consequences) if c.path.startswith(f"{section}.")]
    own.sort(key=lambda c: order.index(c.path))
    value = {c.path.removeprefix(f"{section}."): c.after if c.applies == "after" else c.before for c in own}
    before, after = (None, value) if change.applies == "after" else (value, None)
    below = [replace(c, causes=tuple(_renamed(c.causes, change.path, section))) for c in change.consequences]
    return replace(
        change,
        path=section,
        title=title(section),
        before=before,
        after=after,
        means=means(section, before, after, Case({}, {})),
        consequences=tuple(c for c in below if c.path.rpartition(".")[0] != section),
    )


def _renamed(paths: tuple[str, ...], old: str, new: str) -> Iterator[str]:
    yield from (new if path == old else path for path in paths)


def _values(side: Subject) -> dict[str, Any]:
    """The values of a plan, with the target itself, its options and its native keys."""
    found = {"target": side.plan.target, **side.plan}
    if "rewards" in found:
        found["rewards"] = with_contents(found["rewards"], side.contents)
    found |= {f"option.{key}": value for key, value in side.options.items()}
    return found | {f"extra.{key}": value for key, value in side.plan.extra.items()}


def same(one: Any, two: Any) -> bool:
    """Whether two plain values are equal; true is not 1."""
    if isinstance(one, Mapping) and isinstance(two, Mapping):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(two, list | tuple):
        return len(one) == len(two) and all(map(same, one, two))
    return bool(one == two) and isinstance(one, bool) == isinstance(two, bool)


def file_paths(plan: Plan) -> dict[str, str]:
    """The files of a plan, by the name that `Subject.contents` has for them."""
    found = {path: plan[path] for path in plan if path in marked_paths(PATH) and isinstance(plan[path], str)}
    files = [reward["file"] for reward in plan.get("rewards", ()) if "file" in reward]
    return found | {f"rewards:{file}": file for file in files}
