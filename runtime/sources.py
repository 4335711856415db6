"""Reading one source of rows: find its format, convert every row, and gather what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from ..spec.diagnostics import Level
from ..spec.method import REWARDED
from ..spec.rows.cells import nested
from ..spec.rows.needs import NO_NEEDS, Needs
from ..spec.rows.rowcheck import Row, RowError, listed, near, quoted
from ..spec.rows.shapes import COLUMNS, METHODS, SHAPES, convert, detect, methods_for
from ..spec.rows.strictjson import Flaw
from . import rows as reading
from . import workers
from .blocks import ONE_VARIANT, Done, How, convert_block, digest, variant
from .datafiles import encode
from .loaded import Loaded, Skipped, Source, Told
from .problems import Place, Problems
from .raw import Raw
from .readers.lines import read_line
from .rows import FileProblem, RowReader
from .spool import Spool

_CONVERSATIONS = ("messages", "conversations", "prompt")
_TOLD_EVERY = 1000


def _limit() -> int:
    return reading.LIMIT


class _Unfit(Exception):
    """The method does not take such rows, so the rest need not be read."""


class SourceReading:
    """One pass over a source."""

    def __init__(
        self,
        source: Source,
        place: Place,
        method: str | None,
        skip: bool,
        problems: Problems,
        needs: Needs = NO_NEEDS,
        spool: Spool | None = None,
        told: Told = lambda rows, position: None,
        workers: int = 1,
        aside: str | None = None,
    ) -> None:
        self.source, self.place, self.method, self.skip, self.problems = source, place, method, skip, problems
        self.needs, self._told, self._workers = needs, told, workers
        self._aside = aside  # a column that is used apart from the rows
        spool = spool or Spool()
        self.loaded = Loaded(source, place, spool, start=spool.size, end=spool.size)
        self._turns_in: str | None = None  # the column that the first row has its conversation in
        self._first = ""  # the place of the first row
        self._skipped_first: dict[str, str] = {}  # the place of the first skipped row by code
        self._unseen = set(source.columns.values())
        self._rows = self._blank = 0

    def run(self, limit: int | None = None) -> Loaded:
        """Read all rows, or the first few."""
        if not self._columns_fit():
            return self.loaded
        try:
            with RowReader(self.source.path) as reader:
                blocks = reader.lines() if limit is None else None
                if blocks is None:
                    self._read_rows(reader, limit)
                else:
                    self._read_blocks(reader, blocks)
                if limit is None or self._rows < limit:
                    self._finish(reader)
        except FileProblem as problem:
            message = f"{quoted(self.source.shown)} {problem.message}"
            self.problems.source(self.place, problem.code, Level.ERROR, message, problem.hint, problem.line)
        except _Unfit:
            pass
        return self.loaded

    def _read_rows(self, reader: RowReader, limit: int | None) -> None:
        for raw, value in reader:
            self._rows += 1
            self._read(raw, value, reader.complete)
            if self._rows == limit:
                return
            if self._rows % _TOLD_EVERY == 0:
                self._told(self._rows, reader.position)
        self._blank = reader.blank

    def _read_blocks(self, reader: RowReader, blocks: Iterator[list[bytes]]) -> None:
        number, offset = 0, reader.start  # lines that were read, and where in the file the next one begins
        for lines in blocks:
            at = 0
            while at < len(lines) and not self._settled:
                self._read_line(lines[at], number + at + 1)
                offset += (
                    len(lines[at]) + 1 if len(lines[at]) <= _limit() else reader.size
                )  # of a longer one, less is here
                at += 1
            number += at
            if at < len(lines):
                blocks = chain([lines[at:]], blocks)
                break
        if not self._settled:
            return
        for position, done in self._outcomes(reader, blocks, offset):
            self._merge(done, number)
            number += done.count
            self._told(self._rows, position)

    def _outcomes(self, reader: RowReader, blocks: Iterator[list[bytes]], offset: int) -> Iterator[tuple[int, Done]]:
        """What becomes of the lines from an offset on, each time with how far the file was read."""
        how, unseen = self._how(), frozenset(self._unseen)
        if self._workers > 1 and reader.seekable and reader.size - offset >= workers.WORTH:
            with reading.readable():
                yield from workers.converted(reader.path, offset, reader.size, how, unseen, self._workers)
            return
        for lines in blocks:
            done = convert_block(lines, how, unseen)
            yield reader.position, done

    @property
    def _settled(self) -> bool:
        """Whether enough is known to convert blocks: the format, and which of two kinds some shapes' rows are."""
        loaded = self.loaded
        return loaded.format is not None and (loaded.shape not in ONE_VARIANT or bool(loaded.variant))

    def _read_line(self, line: bytes, number: int) -> None:
        if not line.strip():
            self._blank += 1
            return
        self._rows += 1
        self._read(*read_line(line, number, self._rows, _limit()))

    def _merge(self, done: Done, before: int) -> None:
        """Take what became of lines that stand after line `before`; those that are odd are looked at one by one."""
        loaded = self.loaded
        loaded.ignored |= done.ignored
        self._unseen -= done.seen
        loaded.add(done.lines, done.keys)
        at = 0
        for odd, line in done.odd:
            self._good(before + at, odd - at)
            self._read_line(line, before + odd + 1)
            at = odd + 1
        self._good(before + at, done.count - at)

    def _good(self, before: int, count: int) -> None:
        self.loaded.places.add(before + 1, self._rows + 1, count)
        self._rows += count

    def _how(self) -> How:
        loaded = self.loaded
        assert loaded.format is not None and loaded.shape is not None
        columns = self.source.columns
        return How(loaded.format, loaded.shape, columns, self.needs, self._turns_in, loaded.variant, _limit())

    def _read(self, raw: Raw, value: Row | Flaw, complete: bool = True) -> None:
        if isinstance(value, Flaw):
            self._bad(raw, value, complete)
            return
        self._unseen -= value.keys() if self._unseen else set()
        self._take(raw, value)

    def _take(self, raw: Raw, row: Row) -> None:
        loaded = self.loaded
        try:
            if raw.form == "table":
                row = nested(row, self.source.columns)
            if loaded.format is None:
                self._settle(raw, row)
            assert loaded.format is not None
            if self._turns_in is not None and self._turns_in not in row:
                raise RowError("TF315", (self._turns_in,), "is missing")
            found = convert(row, loaded.format, self.source.columns, loaded.ignored, self.needs)
            if loaded.shape in ONE_VARIANT:
                self._check_variant(found)
        except RowError as error:
            self._bad(raw, self._other_format(row, error))
            return
        line = encode(found)
        loaded.add(line + b"\n", digest(line))
        loaded.places.numbered = raw.form == "parquet"
        loaded.places.add(raw.line, raw.index)

    def _settle(self, raw: Raw, row: Row) -> None:
        columns, chosen = self.source.columns, self.source.format
        if chosen == "auto" and self.method in REWARDED:
            name, self.loaded.evidence = "prompt", f"what {self.method} takes"
        elif chosen == "auto":
            found = detect(row, columns)
            name, self.loaded.evidence = found.format, found.evidence
        else:
            name, self.loaded.evidence = chosen, f"`format: {chosen}`"
        self._check_fit(name)
        self.loaded.format, self.loaded.shape = name, SHAPES[name]
        self._first = raw.near
        if name in ("chat", "sharegpt"):
            turns = (columns.get(key, key) for key in _CONVERSATIONS)
            self._turns_in = next((column for column in turns if row.get(column) is not None), None)

    def _check_fit(self, name: str) -> None:
        shape = SHAPES[name]
        takes = METHODS[self.method] if self.method else tuple(SHAPES.values())
        if shape in takes:
            return
        what = f"{quoted(self.source.shown)} holds {name} rows ({self.loaded.evidence})"
        message = f"{what}; method {self.method} takes {' or '.join(takes)} rows"
        hint = f"{' and '.join(methods_for(shape))} would take them, or map other `columns`"
        if shape == "unpaired_preference" and self.method == "sft":
            hint = "kto learns from the label; `format: chat` trains on the conversations and leaves the label out"
        self.problems.source(self.place, "TF323", Level.ERROR, message, hint)
        raise _Unfit

    def _check_variant(self, row: Row) -> None:
        found = variant(row)
        self.loaded.variant = self.loaded.variant or found
        if found != self.loaded.variant:
            message = f"has its prompt and answers as {found}, but {self._first} has them as {self.loaded.variant}"
            raise RowError("TF314", (), message, "one file holds rows of one kind")

    def _other_format(self, row: Row, error: RowError) -> RowError:
        """The better message where the row is fine, but of another format."""
        if error.code not in ("TF315", "TF316") or self.loaded.format is None:
            return error
        try:
            found = detect(row, self.source.columns)
        except RowError:
            return error
        elsewhere = self._turns_in is not None and self._turns_in not in row
        if (found.format == self.loaded.format and not elsewhere) or self._only_looks(found.format, row, error):
            return error
        first = f"{self._first} is {self.loaded.format} ({self.loaded.evidence})"
        if self.source.format != "auto":
            first = f"the spec says `format: {self.source.format}`"
        hint = "one file holds rows of one format; a list of sources can hold several files"
        return RowError("TF314", (), f"is {found.format} ({found.evidence}), but {first}", hint)

    def _only_looks(self, found: str, row: Row, error: RowError) -> bool:
        """Whether a row looks like another format for want of a good label, or because prompts look like chats."""
        if error.where == ("label",):
            return found in ("chat", "sharegpt", "prompt_completion")
        return self.loaded.format == "prompt" and bool(error.where) and error.where[0] in row

    def _bad(self, raw: Raw, problem: RowError | Flaw, complete: bool = True) -> None:
        if self.skip and complete:
            self._skipped_first.setdefault(problem.code, raw.near)
            reason = problem.text if isinstance(problem, RowError) else problem.message
            self.loaded.skipped.append(Skipped(self.source.shown, raw.line, raw.index, problem.code, reason))
        else:
            self.problems.row(self.place, raw, problem)

    def _columns_fit(self) -> bool:
        known = COLUMNS.get(self.source.format) or tuple(dict.fromkeys(k for keys in COLUMNS.values() for k in keys))
        wrong = [key for key in self.source.columns if key not in known]
        for key in wrong:
            close = near(key, known)
            hint = f"did you mean `{close}`?" if close else f"fields are {', '.join(known)}"
            of = "any format" if self.source.format == "auto" else f"format {self.source.format}"
            message = f"`columns` maps {quoted(key)}, which is no field of {of}"
            self.problems.source(self.place, "TF325", Level.ERROR, message, hint)
        return not wrong

    def _finish(self, reader: RowReader) -> None:
        rows, unseen = self._rows, self._unseen
        shown, loaded = quoted(self.source.shown), self.loaded
        if reader.bom:
            self._say("TF331", Level.NOTE, f"{shown} starts with a byte order mark; it is left out")
        if self._blank:
            self._say("TF332", Level.NOTE, f"{shown} has {self._blank:,} blank lines; they are ignored")
        loaded.ignored.discard(self._aside or "")
        if loaded.ignored:
            self._say("TF330", Level.NOTE, f"columns of {shown} that are not used: {listed(sorted(loaded.ignored))}")
        if unseen and rows:
            names = listed(sorted(unseen))
            self._say("TF325", Level.ERROR, f"`columns` names {names}, but no row of {shown} has it")
        if loaded.skipped:
            self._say_skipped(rows)
        if not rows:
            self._say("TF304", Level.ERROR, f"{shown} holds no rows")
        elif len(loaded.skipped) == rows:
            self._say("TF304", Level.ERROR, f"no row of {shown} can be used: all {rows:,} were skipped")

    def _say_skipped(self, rows: int) -> None:
        by_code: dict[str, list[Skipped]] = {}
        for row in self.loaded.skipped:
            by_code.setdefault(row.code, []).append(row)
        kinds = (f"{len(r)} {c}, first at {self._skipped_first[c]}: {r[0].reason}" for c, r in by_code.items())
        message = f"{len(self.loaded.skipped):,} of {rows:,} rows of {quoted(self.source.shown)} are skipped"
        first = self.loaded.skipped[0]
        line = first.line if self._skipped_first[first.code].startswith("line") else None
        self._say("TF327", Level.WARNING, message, "\n".join(kinds), line)

    def _say(self, code: str, level: Level, message: str, hint: str | None = None, line: int | None = None) -> None:
        self.problems.source(self.place, code, level, message, hint, line)
