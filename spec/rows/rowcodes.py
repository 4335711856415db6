"""The codes of problems with rows, and with what becomes of them."""

from __future__ import annotations

ROW_CODES: dict[str, tuple[str, str]] = {
    "TF313": (
        "format not recognised",
        """A row's keys fit none of the known formats, or several at once. Known are `messages` (chat), `conversations`
(ShareGPT), `instruction` with `output` (Alpaca), `prompt` with `completion`, `text`, and `chosen` with `rejected`.
Map other names with `columns`, or say `format:` where several fit.

    {"question": "2+2?", "answer": "4"}      # columns: {prompt: question, completion: answer}""",
    ),
    "TF314": (
        "row of another format",
        """A file holds rows of one format, that of its first row or of `format:`. Put rows of another format into a
file of their own and list both under `data.train`.

    {"prompt": "a", "completion": "b"}
    {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}""",
    ),
    "TF315": (
        "missing key",
        """A key that the row's format needs is not there. Look for a misspelling, or a row that was cut.

    {"messages": [{"role": "user", "text": "hi"}]}      # `content` is missing""",
    ),
    "TF316": (
        "wrong type",
        """A value is not of the type that its format asks for: a number where a text must be, null, an image where
only text can be trained.

    {"prompt": "2+2?", "completion": 4}""",
    ),
    "TF317": (
        "unknown role",
        """A turn's role is not one of system, user, assistant and tool (in ShareGPT: system, human, gpt,
function_call, observation). Chat templates fail on others or leave the turn out.

    {"messages": [{"role": "asistant", "content": "hi"}]}""",
    ),
    "TF318": (
        "conversation in the wrong order",
        """A conversation to learn from has turns of the assistant and ends with one; a tool's answer follows a call.
Turns after the last answer would not be trained, and nothing is dropped for you. A preference row's prompt ends
before the answer, and each of its two sides is one turn.

    {"messages": [{"role": "user", "content": "hi"}]}""",
    ),
    "TF319": (
        "empty text",
        """A text is empty or holds white space alone, so there is nothing to learn or nothing was asked. Only a
message with tool calls, and a tool's answer, may be empty.

    {"prompt": "2+2?", "completion": ""}""",
    ),
    "TF320": (
        "bad tool or tool call, or no conversation for it",
        """A call is {"function": {"name", "arguments"}}, where the arguments are a JSON object or a text that holds
one; only the assistant calls. A tool is an object with a name. Tools and a system prompt need a conversation, which a
chat template renders: plain texts have no place for them.

    {"role": "assistant", "tool_calls": [{"function": {"name": "add", "arguments": "1, 2"}}]}""",
    ),
    "TF321": (
        "no preference in the pair",
        """`chosen` and `rejected` are equal, or without a `prompt` they do not open with the same turns, so that it
cannot be told what was asked.

    {"prompt": "2+2?", "chosen": "4", "rejected": "4"}""",
    ),
    "TF322": (
        "bad weight of a message",
        """A message's `weight` is 0 (read, not trained) or 1 (trained), and at least one turn of the assistant
counts: with `loss_on: last_assistant` the last one. With `loss_on: all` only turns of the assistant can be left out,
as the others cannot be found for certain in what a chat template renders. With `masks: native` the trainer makes the
labels and heeds no weight, so a turn of weight 0 would be trained: `masks: auto` leaves it out. So would answers in
the `prompt` of a chat that is a prompt and a completion. The answers of a preference pair, and an answer with a label,
count whole.

    {"role": "assistant", "content": "hi", "weight": 0.5}""",
    ),
    "TF323": (
        "the method does not take these rows",
        """sft takes chats, prompts with completions, and text; pretrain takes text; dpo and orpo take preference rows,
kto answers with a label, grpo and rft prompts. Change the method or the data, or map `columns` so that the rows become
what the method takes.

    method: dpo
    data: {train: alpaca.json}""",
    ),
    "TF324": (
        "sources of different shapes",
        """All sources of a run, for training, evaluation and test, are converted into one shape, because one loss
is computed over them.

    data: {train: chats.jsonl, eval: texts.jsonl}""",
    ),
    "TF325": (
        "wrong columns",
        """`columns` maps a field of a format to a column of yours: `{prompt: question}`. The field must be one that a
format has, and the column must be in the data.

    columns: {promt: question, completion: answer}""",
    ),
    "TF326": (
        "no rows left for a split",
        """After splitting and weighting, train, eval or test has no rows. A split needs two different rows, one for
each side.

    data: {train: one_row.jsonl, eval: {split: 0.1}}""",
    ),
    "TF327": (
        "rows skipped",
        """With `on_bad_row: skip`, rows that cannot be used are left out. They are counted here and listed, with
line and reason, in data/skipped.jsonl of a bundle, or by `data convert --json`. Read the list: one reason with many
rows is a broken export.

    data: {train: train.jsonl, on_bad_row: skip}""",
    ),
    "TF328": (
        "rows repeat",
        """Some rows of a split are equal after conversion. Each is trained as often as it stands there. If that is
not meant, remove them; if it is, `weight` says it better.

    {"text": "one"}
    {"text": "one"}""",
    ),
    "TF329": (
        "held-out rows are trained on",
        """Rows for evaluation or test are also in the training data, so their score says how well the model
remembers. Remove them from one side. `eval: {split: ...}` keeps equal rows on one side.

    data: {train: all.jsonl, eval: all.jsonl}""",
    ),
    "TF330": (
        "columns not used",
        """The file has columns that its format does not use, such as ids. They are not carried into the bundle. If
one of them matters, map it with `columns`.

    {"text": "one", "id": 7}""",
    ),
    "TF333": (
        "split rounded to nothing",
        """By content, the share for eval took no row, or all rows. One row is moved, so that both sides have some.
As rows are added it may move back.

    data: {train: five_rows.jsonl, eval: {split: 0.01}}""",
    ),
    "TF334": (
        "weight takes no rows",
        """A source's weight is so small that none of its rows is taken.

    data: {train: [{path: big.jsonl}, {path: three_rows.jsonl, weight: 0.01}]}""",
    ),
}
"""Code -> title, and what `tuneform explain` says of it."""
