"""Any spec that can be written gives a bundle that holds to the rules, or diagnostics; never anything else."""

from __future__ import annotations

import ast
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conformance.test_no_field_lost import LEAVES, others
from tests.support import BASES, TODAY, UP, document, errors, put_somewhere
from tuneform.compilers import registry
from tuneform.compilers.compile import Compiled, compile_target, for_label
from tuneform.spec.plan import DataFacts
from tuneform.spec.rows.shapes import METHODS

CHANGES = st.lists(st.tuples(st.sampled_from(LEAVES), st.integers(0, 20)), max_size=6)


def compile_it(found: dict[str, Any], folder: Path, name: str) -> Compiled | list[Any]:
    """What a spec gives: a compilation, or what is wrong with it."""
    whole = document(found, folder)
    if whole.spec is None:
        return list(whole.diagnostics)
    own, problems = for_label(whole, name)
    if own.spec is None or errors(problems):
        return problems
    facts = DataFacts(METHODS[own.spec.method.name][0], rows_train=400, rows_eval=40)
    return compile_target(own, name, facts, TODAY, UP)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(registry.names()), st.sampled_from(sorted(BASES)), CHANGES)
def test_a_spec_gives_a_bundle_or_diagnostics(name: str, base: str, changes: list[tuple[Any, int]]) -> None:
    found: dict[str, Any] = {**BASES[base], "targets": {name: {}}}
    for leaf, pick in changes:
        values = others(leaf) or [None]
        found = put_somewhere(found, leaf.path, values[pick % len(values)]) or found
    with tempfile.TemporaryDirectory() as folder:
        result, again = (compile_it(found, Path(folder), name) for _ in range(2))
    assert result == again or isinstance(result, Compiled)
    if not isinstance(result, Compiled):
        assert errors(result)
        return
    assert isinstance(again, Compiled) and result.bundle == again.bundle
    assert (result.bundle is None) == bool(errors(result.diagnostics))
    if result.bundle is None or result.plan is None:
        return
    assert {fate.path for fate in result.fates} == set(result.plan)
    for file in result.bundle.files:
        if file.path.endswith(".py"):
            ast.parse(file.text)
