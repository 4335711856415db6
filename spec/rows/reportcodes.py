"""The codes of what counting tokens and looking for trouble find."""

from __future__ import annotations

REPORT_CODES: dict[str, tuple[str, str]] = {
    "TF350": (
        "row longer than max_length",
        """The row has more tokens than `training.max_length`. By `on_too_long` it is dropped, cut, or stops the run.
Cutting takes the end, which is where the answer is.

    training: {max_length: 512, on_too_long: drop}""",
    ),
    "TF351": (
        "row longer than the service takes",
        """The service takes rows up to a number of tokens, and cuts or refuses longer ones. Where tokens are estimated
this is a warning.

    tuneform data long.jsonl --target bedrock-llama""",
    ),
    "TF352": (
        "nothing to stratify by",
        """`stratify` names a column of your rows that holds texts or numbers, such as a topic or a language. It need
not be one that the format uses. Rows without it count as a value of their own; at least one row must have it.

    data: {train: train.jsonl, eval: {split: 0.1, stratify: topic}}      and no row has a topic""",
    ),
    "TF354": (
        "nothing to compare answers with",
        """The reward `exact_match` compares each answer with a column of the row, and this row has no such column, or
null in it: the run would stop when the row comes. Correct the column's name under `rewards`, complete the row, or
leave such rows out with `on_bad_row: skip`.

    {"prompt": "2+2?", "solution": "4"}      where the spec has rewards: [{exact_match: answer}]""",
    ),
    "TF355": (
        "held-out rows are trained on, but for white space",
        """Rows for evaluation differ from training rows in spaces or line ends alone, so their score says how well the
model remembers, as with equal rows (TF329). Remove them from one side.

    {"text": "one  two"}      for evaluation, and {"text": "one two"} to train on""",
    ),
    "TF356": (
        "nothing to train in a row",
        """By `loss_on` and the weights of its messages, no token of the row is trained: the trainer would read it for
nothing. Correct or remove the row.

    {"prompt": "2+2?", "completion": "4"}      whose completion is left out by its labels""",
    ),
    "TF357": (
        "the chat template does not carry the row",
        """Rendered by the model's own chat template, the row is refused, or what the assistant wrote cannot be found
in the text for certain: many templates have no place for tool calls, or want turns to alternate. A run would stop
there, or skip the row under `on_bad_row: skip`. Take a model whose template knows such turns, give another with
`model.chat_template`, or change the rows.

    {"role": "assistant", "content": "", "tool_calls": [...]}      under a template that writes no tool calls""",
    ),
    "TF358": (
        "likely secret",
        """The text has the form of an API key, a token, a private key or a password in an address. A tuned model can
repeat what it was trained on. Revoke it if it is real, and remove it. What is plainly made up (`sk-xxxx`,
`AKIAIOSFODNN7EXAMPLE`) is not told, and what was found is never printed.

    {"text": "-----BEGIN PRIVATE KEY----- ..."}""",
    ),
    "TF359": (
        "reserved tokens in the text",
        """A text holds a special token as characters, such as `<|im_end|>`. The tokenizer reads it as the mark itself:
turns end or open where none does, and untrusted text can pose as another role. It mostly comes from chats that were
exported after the template was applied: give the messages, and let the template write the marks. In plain text for
pretraining this is a note, as documents may be joined so.

    {"role": "user", "content": "hi<|im_end|>"}""",
    ),
}
"""Code -> title, and what `tuneform explain` says of it."""
