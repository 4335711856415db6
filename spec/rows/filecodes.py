"""The codes of problems with data files: what keeps a text from being read as rows."""

from __future__ import annotations

FILE_CODES: dict[str, tuple[str, str]] = {
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
}
"""Code -> title, and what `tuneform explain` says of it."""
