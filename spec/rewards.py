"""`rewards`: what answers are scored by, for grpo and rft."""

import keyword
import re
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import BeforeValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from .fields import Line, PathStr, Section, Text

S = TypeVar("S", bound=Section)

FUNCTION = r"^[A-Za-z_][A-Za-z0-9_]{0,63}$"


def _function(value: Any) -> Any:
    if isinstance(value, str) and (not re.fullmatch(FUNCTION, value) or keyword.iskeyword(value)):
        raise PydanticCustomError("function", "must be the name of a Python function")
    return value


FunctionName = Annotated[str, StringConstraints(pattern=FUNCTION), BeforeValidator(_function)]
"""The name of a Python function."""


class ExactMatch(Section):
    """1 where the answer equals a column of the row, else 0. A bare text is the `reference`."""

    shorthand: ClassVar[str | None] = "reference"

    reference: Line
    """The column of the row that holds the right answer."""
    strip: bool = True
    """White space around both does not count."""
    ignore_case: bool = False
    """Capital and small letters are the same."""


class Regex(Section):
    """1 where the answer matches a regular expression (Python's `re`), else 0. A bare text is the `pattern`."""

    shorthand: ClassVar[str | None] = "pattern"

    pattern: Text
    """The expression; `.` matches line ends too."""
    match: Literal["search", "fullmatch"] = "search"
    """`search`: somewhere in the answer; `fullmatch`: all of it."""


class Length(Section):
    """1 where the answer is as long as asked, else 0."""

    unit: Literal["characters", "words"] = "words"
    """What is counted."""
    min: int = Field(default=0, ge=0)
    """Least length."""
    max: int | None = Field(default=None, ge=1)
    """Greatest length."""


class StringCheck(Section):
    """A service's own comparison of two texts (OpenAI and Azure: `string_check`)."""

    input: Text
    """Template of what is checked: `{{sample.output_text}}`."""
    reference: Text
    """Template of what it is compared with: `{{item.answer}}`."""
    operation: Literal["eq", "ne", "like", "ilike"] = "eq"
    """Equal, not equal, contains, or contains in any case."""


class TextSimilarity(Section):
    """A service's own measure of how near two texts are (OpenAI and Azure: `text_similarity`)."""

    input: Text
    """Template of what is checked: `{{sample.output_text}}`."""
    reference: Text
    """Template of what it is compared with: `{{item.answer}}`."""
    evaluation_metric: Literal[
        "cosine",
        "fuzzy_match",
        "bleu",
        "gleu",
        "meteor",
        "rouge_1",
        "rouge_2",
        "rouge_3",
        "rouge_4",
        "rouge_5",
        "rouge_l",
    ]
    """Which measure."""


class ScoreModel(Section):
    """A service's own model as the judge (OpenAI and Azure: `score_model`)."""

    model: Line
    """The judge."""
    prompt: Text
    """Template of what it is asked; `{{sample.output_text}}` and `{{item.answer}}` are filled in."""
    range: tuple[float, float] = (0.0, 1.0)
    """Least and greatest score."""


class LambdaGrader(Section):
    """A function on AWS Lambda that scores (Bedrock). A bare text is its `arn`."""

    shorthand: ClassVar[str | None] = "arn"

    arn: Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[\w:$-]+$")]
    """ARN of the function."""


class Grader(Section):
    """A grader that a managed service runs itself: exactly one of these."""

    string_check: StringCheck | None = None
    """Comparison of two texts (OpenAI and Azure)."""
    text_similarity: TextSimilarity | None = None
    """Nearness of two texts (OpenAI and Azure)."""
    score_model: ScoreModel | None = None
    """A model as the judge (OpenAI and Azure)."""
    aws_lambda: LambdaGrader | None = None
    """A function on AWS Lambda (Bedrock)."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        return _exactly_one(self, tuple(type(self).model_fields))


KINDS = ("exact_match", "regex", "json_schema", "length", "file", "grader")


class Reward(Section):
    """A score for each answer: one of the built-in ones, a function in a Python file, or a service's own grader."""

    exact_match: ExactMatch | None = None
    """1 where the answer equals a column of the row."""
    regex: Regex | None = None
    """1 where the answer matches a regular expression."""
    json_schema: dict[str, Any] | None = None
    """1 where the answer is JSON that fits this JSON Schema (2020-12); `{}` takes any JSON."""
    length: Length | None = None
    """1 where the answer is as long as asked."""
    file: PathStr | None = None
    """A Python file with a function `(sample, item) -> float`; it is copied into the bundle. `sample` is
    `{"output_text": ..., "output_json": ... or None}`, `item` is the row."""
    function: FunctionName = "reward"
    """The function in `file`."""
    grader: Grader | None = None
    """A service's own grader."""
    weight: float = Field(default=1.0)
    """What the score counts; the total is the weighted sum."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        return _exactly_one(self, KINDS)

    @property
    def kind(self) -> str:
        """Which of the kinds it is."""
        return next(name for name in KINDS if getattr(self, name) is not None)


def _exactly_one(section: S, names: tuple[str, ...]) -> S:
    found = [name for name in names if getattr(section, name) is not None]
    if len(found) != 1:
        raise PydanticCustomError("one_of", "needs exactly one of {names}", {"names": ", ".join(names)})
    return section
