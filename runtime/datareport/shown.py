"""A report for a terminal; where there is none, the same as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.text import Text

from ...spec.diagnostics import Level
from ...spec.tokens import estimate
from .figures import Bin, Figures
from .findings import Finding, Findings
from .gather import FileReport, Report

WIDTH = 40  # of the longest bar
_STYLES = {Level.ERROR: "bold red", Level.WARNING: "yellow", Level.NOTE: "dim"}
_ORDER = (Level.ERROR, Level.WARNING, Level.NOTE)
_BLOCKS = " ▏▎▍▌▋▊▉█"


def show(report: Report, problems_file: str | None) -> None:
    """Print everything to stdout."""
    console = Console(highlight=False, soft_wrap=True)
    plain = "utf" not in (console.encoding or "").lower()
    for found in report.files:
        for line in _file(found, report, plain):
            console.print(line)
    if report.total:
        console.print(Text("all files for training", style="bold"))
        for line in _tokens(report.total, plain):
            console.print(line)
        console.print()
    notes = list(_notes(report))
    for line in [*notes, Text()] if notes else []:
        console.print(line)
    for line in _problems(report.findings, problems_file):
        console.print(line)


def _file(found: FileReport, report: Report, plain: bool) -> Iterator[Text]:
    head = Text(found.file, style="bold")
    what = f"  {found.loaded.format} rows ({found.loaded.evidence})" if found.loaded.format else "  no rows to count"
    head.append(what + (", for evaluation" if found.split == "eval" else ""), style="not bold")
    yield head
    bad = f", {found.bad:,} of them cannot be used" if found.bad else ""
    yield _line("rows", f"{found.rows:,}{bad}, {_size(found.bytes)}")
    if found.roles:
        yield _line("turns", ", ".join(f"{number:,} {role}" for role, number in _by_role(found.roles)))
    if found.figures:
        yield from _tokens(found.figures, plain)
    yield Text()


def _tokens(figures: Figures, plain: bool) -> Iterator[Text]:
    about = "" if figures.exact else "about "
    share = f"{figures.trained / max(figures.epoch, 1):.0%}"
    masked = figures.epoch - figures.trained
    text = f"{about}{figures.epoch:,} an epoch: {figures.trained:,} trained ({share}), {masked:,} masked"
    yield _line("tokens", text)
    text = f"{about}{figures.shortest:,} at least, median {figures.median:,}, p95 {figures.p95:,}"
    yield _line("a row", f"{text}, {figures.longest:,} at most")
    if figures.max_length is not None:
        yield from _limit(figures, about)
    yield Text()
    yield from _histogram(figures.histogram, plain)


def _limit(figures: Figures, about: str) -> Iterator[Text]:
    head = f"{figures.max_length:,}: "
    if not figures.over:
        yield _line("max_length", head + "every row fits")
        return
    rows = f"{about}{figures.over:,} of {figures.rows:,} rows are longer ({figures.over / figures.rows:.1%})"
    yield _line("max_length", head + rows)
    yield _line(
        "", f"dropped, they leave {figures.epoch_dropped:,} tokens an epoch, {figures.trained_dropped:,} trained"
    )
    lost = f"; {figures.cut_empty:,} have nothing left to train, and are dropped" if figures.cut_empty else ""
    yield _line("", f"cut, they leave {figures.epoch_cut:,}, {figures.trained_cut:,} trained{lost}")


def _histogram(bins: Iterable[Bin], plain: bool) -> Iterator[Text]:
    bins = list(bins)
    most = max(b.rows for b in bins)
    edges = [f"{b.start:,} to {b.stop - 1:,}" if b.stop else f"{b.start:,} and more" for b in bins]
    left, right = max(map(len, edges)), len(f"{most:,}")
    for edge, b in zip(edges, bins, strict=True):
        line = Text(f"  {edge:>{left}}  {b.rows:>{right},}  ")
        yield line.append(_bar(b.rows / most, plain), style="cyan")


def _bar(share: float, plain: bool) -> str:
    if plain:
        return "#" * max(round(share * WIDTH), share > 0)
    whole, eighths = divmod(max(round(share * WIDTH * 8), share > 0), 8)
    return "█" * whole + _BLOCKS[eighths].strip()


def _notes(report: Report) -> Iterator[Text]:
    if any(found.figures for found in report.files):
        if report.estimate is None:
            yield Text(f"tokens are exact: counted with the tokenizer of {report.tokenizer}", style="dim")
        else:
            off = f"{estimate.ENGLISH_ERROR}% over a file of English text, more for one row, {estimate.OTHER_ERROR}%"
            yield Text(f"tokens are estimated from characters ({report.estimate})", style="dim")
            yield Text(f"  they may be off by {off} in other scripts; --tokenizer counts them", style="dim")
    for limit in dict.fromkeys(report.limits):
        about = f"; {limit.about}" if limit.about else ""
        yield Text(f"limits of {', '.join(limit.wires)} {limit.dated}{about}", style="dim")


def _problems(findings: Findings, problems_file: str | None) -> Iterator[Text]:
    kinds = sorted(findings.kinds.items(), key=lambda item: _ORDER.index(item[1].level))
    for (code, _), kind in kinds:
        for found in kind.first:
            line = Text(f"{_place(found)}: ")
            line.append(f"{found.level} {code}", style=_STYLES[found.level])
            yield line.append(f": {_printable(found.message)}")
        if more := kind.count - len(kind.first):
            last = f", up to {kind.last}" if kind.last else ""
            yield Text(f"  and {more:,} more like {'this' if len(kind.first) == 1 else 'these'}{last}")
        for hint in (kind.first[0].hint or "").splitlines():
            yield Text(f"  {_printable(hint)}", style="dim")
    counts = [(findings.count(level), str(level)) for level in _ORDER]
    told = ", ".join(f"{number:,} {name}{'' if number == 1 else 's'}" for number, name in counts if number)
    rest = f"; all of them are in {problems_file}" if problems_file and told else ""
    yield Text(f"{'' if not kinds else chr(10)}{told or 'no problems'}{rest}", style="bold")


def _place(found: Finding) -> str:
    if found.line:
        return f"{found.file}:{found.line}"
    return f"{found.file}, row {found.row}" if found.row else found.file


def _line(name: str, text: str) -> Text:
    return Text(f"  {name:<11}", style="dim").append(text, style="not dim")


def _by_role(found: dict[str, int]) -> list[tuple[str, int]]:
    order = ("system", "user", "assistant", "tool")
    return sorted(found.items(), key=lambda item: order.index(item[0]))


def _size(size: int) -> str:
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} bytes"


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "�" for c in text)
