"""`tuneform plan`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ...compilers.settings import Fate
from ...spec.plan import Plan, TokenFacts
from ...spec.sizing import gpus, memory
from ...spec.spec import Spec
from ..console import guarded, json_option, out_json, print_diagnostics
from ..project import Project, Reading, Target, open_project
from ..reading_bar import reading_bar
from .common import no_data_option, options, set_option, spec_argument, targets_option

MARKS = {"exact": "=", "derived": "=", "outside the artifact": "·", "unsupported": "✗", "approximated": "≈"}

SECTIONS = (*Spec.model_fields, "target")


@click.command(name="plan")
@options(spec_argument, targets_option, set_option, no_data_option, json_option)
@click.option("--all", "everything", is_flag=True, help="Show the language's defaults too.")
@guarded
def command(
    spec: Path, labels: tuple[str, ...], sets: tuple[str, ...], no_data: bool, everything: bool, as_json: bool
) -> None:
    """Show what each target of SPEC gets: every value, where it is from, and what becomes of it there."""
    from ..tokens.facts import TokenCounter

    reading: Reading = "peek" if no_data else "all"
    with reading_bar() as progress:
        project = open_project(spec, labels, sets, reading=reading, progress=progress, tokens=TokenCounter())
    project.require()
    print_diagnostics(project.diagnostics)
    if as_json:
        out_json(_document(project))
        return
    for target in project.targets:
        _show(target, everything)


def _document(project: Project) -> dict[str, Any]:
    return {
        "spec": str(project.file),
        "targets": {target.key: _target(target) for target in project.targets},
        "diagnostics": [d.as_dict() for d in project.diagnostics],
    }


def _target(target: Target) -> dict[str, Any]:
    plan = target.compiled.plan
    assert plan is not None
    fields = {
        fate.path: {
            "value": plan[fate.path],
            "origin": plan.origin(fate.path).as_dict(),
            "fidelity": fate.fidelity,
            "keys": list(fate.keys),
            "reason": fate.reason or None,
        }
        for fate in target.compiled.fates
    }
    found = memory.estimate(plan)
    return {
        "target": target.compiled.target,
        "facts": target.compiled.facts.as_dict(),
        "memory_estimate": found and found.as_dict(),
        "fields": fields,
    }


def _show(target: Target, everything: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    plan = target.compiled.plan
    assert plan is not None
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, 120)
    wide = console.width >= 110
    console.print(Text(f"{target.key}: {_headline(plan)}"), style="bold")
    for line in _summary(target, plan):
        console.print(Text(f"  {line}"))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    titles = ("field", "value", "from", *(("", f"in {target.compiled.target}") if wide else ("",)))
    for title in titles:
        table.add_column(title, overflow="fold", header_style="dim", no_wrap=title == "field")
    hidden = 0
    for fate in sorted(target.compiled.fates, key=lambda fate: _section(fate.path)):
        origin = plan.origin(fate.path)
        if origin.kind == "default" and not everything and fate.fidelity != "unsupported":
            hidden += 1
            continue
        source = "spec" if origin.kind == "spec" else "default" if origin.kind == "default" else origin.how
        cells = (fate.path, _short(plan[fate.path]), source, MARKS.get(fate.fidelity, "?"), _where(fate))
        table.add_row(*[Text(cell) for cell in cells[: len(titles)]])
    console.print()
    console.print(table)
    console.print()
    if hidden:
        console.print(Text(f"  and {hidden} defaults, written out in the artifact: --all shows them"), style="dim")
    console.print(Text("  = carried as it is   · takes effect elsewhere   ≈ nearly   ✗ lost"), style="dim")
    console.print()


def _headline(plan: Plan) -> str:
    adapter = {"full": "all weights", "lora": "LoRA", "qlora": "QLoRA"}[plan["adapter.type"]]
    devices = f"{plan['hardware.world_size']} x {plan['hardware.device']}"
    return f"{plan['method']} of {plan['model.id']}, {adapter}, on {devices}"


def _summary(target: Target, plan: Plan) -> list[str]:
    facts = target.compiled.facts
    if facts.rows_train is None:
        later = " before the run fetches them" if target.pending else ""
        rows = f"rows: {plan['data.shape']}, not counted{later}"
    else:
        counts = [
            f"{facts.rows_train:,} to train on",
            f"{facts.rows_eval:,} for evaluation" if facts.rows_eval else "",
        ]
        counts += [f"{facts.rows_test:,} for testing" if facts.rows_test else ""]
        counts += [f"{facts.skipped:,} skipped" if facts.skipped else ""]
        rows = f"rows: {plan['data.shape']}, " + ", ".join(c for c in counts if c)
    batch = (
        f"batch: {plan['training.batch_size']} = {plan['hardware.world_size']} x {plan['training.micro_batch_size']}"
        f" x {plan['training.gradient_accumulation_steps']} (processes x micro batch x accumulation)"
    )
    steps = plan["training.total_steps"]
    total = f"steps: {steps:,} ({plan.origin('training.total_steps').how})" if steps else "steps: not known yet"
    warmup = plan["training.warmup_steps"]
    rate = f"learning rate: {plan['training.learning_rate']:g}, {plan['training.scheduler.name']}"
    rate += f", {warmup:,} steps of warmup" if warmup is not None else f", warmup {plan['training.warmup']}"
    return [rows, *_tokens(facts.tokens), batch, total, rate, *_memory(plan)]


def _tokens(found: TokenFacts | None) -> list[str]:
    """Tokens of an epoch, and what becomes of rows that do not fit."""
    if found is None:
        return []
    about = "" if found.exact else "about "
    text = f"tokens: {about}{found.tokens_train:,} an epoch, {found.trained_tokens:,} trained"
    lost = {
        "dropped": found.rows_dropped,
        "cut": found.rows_cut,
        "without anything that can be trained": found.rows_unfit,
    }
    fates = ", ".join(f"{number:,} rows {fate}" for fate, number in lost.items() if number)
    return [
        f"{text}; the longest row has {about}{found.longest:,}" + (f"; {fates}" if fates else ""),
        f"  {found.how}",
    ]


def _memory(plan: Plan) -> list[str]:
    """The memory that training takes, where the model's name tells its size."""
    found = memory.estimate(plan)
    if found is None:
        return []
    gpu = gpus.find(plan["hardware.gpu"]) if plan["hardware.gpu"] else None
    has = f"; {gpu.name} has {gpu.memory}" if gpu else ""
    parts = ", ".join(f"{name} {_gib(*part)}" for name, part in found.parts.items())
    return [f"memory: {_gib(found.low, found.high)} GiB on each device (estimate){has}", f"  {parts}"]


def _gib(low: float, high: float) -> str:
    ends = dict.fromkeys(f"{end:.0f}" if end >= 10 else f"{end:.1f}" for end in (low, high))
    return " to ".join(ends)


def _short(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return ", ".join(_short(v) for v in value) or "-"
    if isinstance(value, dict):
        return str(value.get("path") or value.get("id") or value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _where(fate: Fate) -> str:
    """The keywords that carry a field; the reason where there is none and the mark does not say it."""
    if fate.keys:
        return ", ".join(dict.fromkeys(key.rsplit(".", 1)[-1] for key in fate.keys))
    return fate.reason if fate.fidelity in ("unsupported", "approximated") else ""


def _section(path: str) -> int:
    return SECTIONS.index(path.split(".")[0])
