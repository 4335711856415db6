"""The codes of problems with data, TF301 to TF359: a title, and what `tuneform explain` says of each."""

from __future__ import annotations

CODES: dict[str, tuple[str, str]] = {
    "TF301": (
        "data file not found",
        """A path under `data` names no file, or a folder or pattern without a data file. Paths are relative to the
spec that names them, not to the folder you are in.

    data: {train: data/trian.jsonl}      # the file is data/train.jsonl""",
    ),
    "TF302": (
        "data file cannot be read",
        """The path is a pipe or a device, or you may not read it. Name a file that you can read, a folder, or a
pattern.

    data: {train: /dev/stdin}""",
    ),
    "TF303": (
        "kind of data file not read",
        """Rows are read from .jsonl (one JSON object a line), .json (one list of objects), .csv and .tsv, each also
packed (.gz, .zst), and from .parquet. Text is UTF-8. A .json file that holds one object is no list of rows: often a
key of it holds the list. Convert other files, such as spreadsheets.

    data: {train: data/train.xlsx}""",
    ),
    "TF304": (
        "no rows",
        """A data file is empty, holds blank lines alone, or every row of it was skipped. A run without rows trains
nothing, so this is an error also under `on_bad_row: skip`.

    []""",
    ),
    "TF305": (
        "not UTF-8",
        """JSON is UTF-8. The place given is the first byte that is not. Files from Windows programs are often
Windows-1252: `iconv -f WINDOWS-1252 -t UTF-8 old.jsonl > new.jsonl`.

    {"text": "caf\\xe9"}      with the single byte E9 for the accented letter""",
    ),
    "TF306": (
        "broken JSON",
        """A line of a .jsonl file, or a place in a .json file, is not JSON. Frequent causes are a line that was cut
off, single quotes, a trailing comma, or an object that spans several lines of a .jsonl file.

    {"text": "one", }""",
    ),
    "TF307": (
        "a row is not an object",
        """Each row is a JSON object with named columns. A list of rows belongs in a .json file.

    ["question", "answer"]""",
    ),
    "TF308": (
        "not a number that JSON can hold",
        """NaN and Infinity are not JSON, though some programs write them, and numbers such as 1e999 overflow. Write
null, or a finite number.

    {"text": "one", "score": NaN}""",
    ),
    "TF309": (
        "half a character",
        """An escape such as \\ud83d is one half of a character and needs its other half. Alone it cannot be written as
UTF-8, and tokenizers fail on it. It comes from text that was cut inside an emoji.

    {"text": "nice \\ud83d"}""",
    ),
    "TF310": (
        "a key twice in one object",
        """JSON readers disagree on which of the two values counts, so a trainer could read something else than you
do. Keep one.

    {"prompt": "a", "prompt": "b", "completion": "c"}""",
    ),
    "TF311": (
        "nested too deep",
        """Lists and objects stand inside each other more than 100 levels deep. No chat or tool call needs this; such
a value mostly comes from a broken export.

    {"messages": [[[[[[ ... ]]]]]]}""",
    ),
    "TF312": (
        "line or row too large",
        """A line of a .jsonl file, or a row of a .json file, may have 64 MiB. Real rows are far smaller: look for
missing line ends, or a whole data set inside one row.

    {"text": "... 70 MiB ..."}""",
    ),
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
as the others cannot be found for certain in what a chat template renders. The answers of a preference
pair, and an answer with a label, count whole.

    {"role": "assistant", "content": "hi", "weight": 0.5}""",
    ),
    "TF323": (
        "the method does not take these rows",
        """sft takes chats, prompts with completions, and text; pretrain takes text; dpo takes preference rows.
Change the method or the data, or map `columns` so that the rows become what the method takes.

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
line and reason, in data/skipped.jsonl of the bundle. Read the list: one reason with many rows is a broken export.

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
    "TF331": (
        "byte order mark",
        """The file starts with the bytes EF BB BF, as some Windows programs write them. They are left out.

    a file saved as "UTF-8 with BOM" """,
    ),
    "TF332": (
        "blank lines",
        """Blank lines of a .jsonl file are no rows. Line numbers in messages still count them.

    {"text": "one"}

    {"text": "two"}""",
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
    "TF335": (
        "file damaged, cut off, or far too large inside",
        """A packed file or a Parquet file ends too early or holds broken data, or it unpacks to over 1 GiB and
200 times its size. The place is where reading stopped. Copy or pack it again; unpack it yourself if it is really so
large.

    data: {train: data/half-copied.jsonl.gz}""",
    ),
    "TF336": (
        "optional package missing",
        """Parquet is read by the package pyarrow and Zstandard by the package zstandard. Neither is installed with
Tuneform unless you ask: `pip install 'tuneform[parquet]'`, `pip install 'tuneform[zstd]'`.

    data: {train: data/train.parquet}""",
    ),
    "TF337": (
        "broken table",
        """A row of a .csv or .tsv file has more or fewer cells than its header, its quotes are not closed, or the
header does not name each column once. Texts with commas, quotes or line ends stand in double quotes, and a quote
in them is doubled. All values are texts, and an empty cell is no value; where a format needs a list (`messages`), the
cell holds it as JSON.

    prompt,completion
    What is 2+2, please?,4""",
    ),
    "TF338": (
        "a value that JSON has not",
        """A Parquet column holds bytes, NaN, infinity or a map. Leave the column out when you write the file, or write
texts and finite numbers. Dates and times are read as ISO 8601 texts, and decimals as texts. A null in a struct is an
absent key, because Parquet gives every row every key.

    a column `image` of type binary""",
    ),
    "TF339": (
        "files of a folder that are not read",
        """A folder under `data` is read with its folders, in order of names, and holds files that are no data files.
Hidden files are left out in silence, as shells do. A pattern (`data/*.jsonl`) says exactly what is meant.

    data: {train: data/}      # with data/README.md in it""",
    ),
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
