"""Every native key has one decision, and a home that is named is one."""

from __future__ import annotations

import pytest

from tests.oracles.trl_fields import UNSET
from tests.pages.account import (
    FOLLOWS,
    GROUPS,
    SOURCES,
    axolotl_code,
    axolotl_settings,
    decisions,
    keys,
    trl_settings,
    wanted,
    written_down,
)
from tests.pages.language import known_paths
from tuneform.spec.language import leaves, literals


@pytest.mark.parametrize("source", SOURCES)
def test_every_key_has_a_decision_and_every_decision_a_key(source: str) -> None:
    assert set(decisions(source)) == set(keys(source))
    assert len(keys(source)) > 15


@pytest.mark.parametrize("source", SOURCES)
def test_no_key_is_decided_twice(source: str) -> None:
    assert [key for key, found in written_down(source).items() if len(found) > 1] == []


@pytest.mark.parametrize("source", SOURCES)
def test_a_home_is_a_path_of_the_language(source: str) -> None:
    known = known_paths()
    for key, decision in decisions(source).items():
        if decision.group == "homes":
            assert set(decision.paths) <= known, key
        assert decision.paths or decision.reason, key
        assert decision.group in GROUPS


def test_the_paths_that_a_derived_path_follows_from_are_fields() -> None:
    assert {path for paths in FOLLOWS.values() for path in paths} <= known_paths()


def test_what_the_compiler_says_of_trls_keys_is_not_said_otherwise() -> None:
    """A key that gets a home in the compiler loses its line in the table, and one that no table has is seen."""
    by_hand = written_down("trl")
    ruled = {key for key, paths in trl_settings().items() if paths}
    assert ruled & set(by_hand) == set()
    assert set(by_hand) <= set(UNSET) | set(trl_settings("pinned"))


def test_what_the_compiler_says_of_axolotls_keys_is_not_said_otherwise() -> None:
    one_of_three = {f"use_{name}" for name in ("wandb", "mlflow", "tensorboard")}  # which the table tells apart
    assert axolotl_code().keys() & written_down("axolotl").keys() == one_of_three


def test_blocks_that_axolotls_config_has_are_in_the_table_with_each_key() -> None:
    table, blocks = written_down("axolotl"), {"trl": "method.grpo", "fsdp_config": "hardware.fsdp"}
    for block, section in blocks.items():
        written = [s.value for s in axolotl_settings() if s.key == block]
        assert written and len(written[0]) > 3
        for key in {key for value in written for key in value}:
            assert f"{block}.{key}" in table, key
            if f"{section}.{key}" in known_paths():
                assert f"{section}.{key}" in table[f"{block}.{key}"][0].paths, key


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_wanted_is_described(source: str) -> None:
    asked = {decision.paths[0] for decision in decisions(source).values() if decision.group == "wanted"}
    assert asked <= set(wanted())


def test_what_is_wanted_is_asked_for_and_not_there_yet() -> None:
    asked = {d.paths[0] for source in SOURCES for d in decisions(source).values() if d.group == "wanted"}
    words = {leaf.path: literals(leaf.annotation) for leaf in leaves()}
    for path, field in wanted().items():
        name, _, word = path.partition("=")
        assert path in asked and set(field) == {"type", "default", "text"}
        assert word not in words[name] if word else name not in known_paths(), f"move the keys of {path} to homes"
