"""The plan: every value of a run settled, each with its origin. Targets read it and decide nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal["spec", "default", "derived", "target"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value comes from.

    kind "spec": the user wrote it at `path`. "default": the language's default for `path`.
    "derived": computed; `how` says from what, by which formula. "target": the target's constant; `how` says why.
    """

    kind: Kind
    path: str
    how: str = ""

    def as_dict(self) -> dict[str, str]:
        out = {"kind": self.kind, "path": self.path}
        return out | {"how": self.how} if self.how else out

    def __str__(self) -> str:
        if self.kind == "spec":
            return f"spec: {self.path}"
        if self.kind == "default":
            return f"default of {self.path}" + (f" ({self.how})" if self.how else "")
        return f"{self.kind}: {self.how}"


@dataclass(frozen=True, slots=True)
class Value:
    """A value of the plan and its origin. Values are plain JSON types; lists are tuples."""

    value: Any
    origin: Origin


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """Tokens of the training rows, for the plan alone: a compile does without, and no artifact depends on them.

    Counted with the model's own tokenizer where `exact`, else estimated from characters; `how` says by which, or why.
    Rows that the chat template does not carry, and rows with nothing to train, are `rows_unfit`. Tokens are those of
    the rows that are left.
    """

    exact: bool
    how: str
    tokens_train: int  # that an epoch reads
    trained_tokens: int
    longest: int  # of all rows that fit the template, before any is dropped or cut
    rows_dropped: int = 0
    rows_cut: int = 0
    rows_unfit: int = 0

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class DataFacts:
    """What is known of the data when a plan is made; None where it is not known yet.

    Rows are counted after conversion, skipping and splitting. `shape` is one of those in
    spec/rows/shapes.py.
    """

    shape: str | None = None
    rows_train: int | None = None
    rows_eval: int | None = None
    rows_test: int | None = None
    skipped: int | None = None
    tokens: TokenFacts | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "shape": self.shape,
            "rows_train": self.rows_train,
            "rows_eval": self.rows_eval,
            "rows_test": self.rows_test,
            "skipped": self.skipped,
            **({"tokens": self.tokens.as_dict()} if self.tokens else {}),
        }


class Plan(Mapping[str, Any]):
    """Values by dotted path, as in the spec (`training.learning_rate`), plus derived ones.

    `plan["training.batch_size"]` is the value; `plan.origin(path)` says where it is from. A path that does not
    apply (LoRA rank with full fine-tuning) is absent, and reading it is a KeyError: a fault of the reader.
    """

    def __init__(self, values: Mapping[str, Value], label: str, target: str, extra: Mapping[str, Any]) -> None:
        self._values = dict(values)
        self.label = label  # the key under `targets:`
        self.target = target
        self.extra = dict(extra)  # native keys of the target

    def __getitem__(self, path: str) -> Any:
        return self._values[path].value

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def origin(self, path: str) -> Origin:
        return self._values[path].origin

    def explicit(self, path: str) -> bool:
        """True where the user wrote this value in the spec."""
        return path in self._values and self._values[path].origin.kind == "spec"
