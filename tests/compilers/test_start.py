"""The generated start.py, run by plain Python with the libraries' doors replaced."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.support import bases, compiled, put
from tuneform.compilers import registry
from tuneform.compilers.rendering import render


class Model:
    """What is loaded, from where, and what is done to it."""

    def __init__(self, calls: list[tuple[Any, ...]]) -> None:
        self.calls = calls

    def merge_and_unload(self) -> Model:
        return self

    def get_input_embeddings(self) -> Any:
        return SimpleNamespace(num_embeddings=8)

    def resize_token_embeddings(self, size: int) -> None:
        self.calls.append(("resize", size))

    def save_pretrained(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)


class Tokenizer:
    def __len__(self) -> int:
        return 9

    def save_pretrained(self, folder: Path) -> None: ...


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[Any, ...]]]:
    """Every call, in order. The process runs in the bundle of a second run, beside the first one's."""
    made: list[tuple[Any, ...]] = []

    def load(source: Any, **options: Any) -> Model:
        made.append(("load", os.path.relpath(source, tmp_path) if Path(source).is_dir() else str(source), options))
        return Model(made)

    @contextmanager
    def fork_rng(devices: list[Any]) -> Iterator[None]:
        made.append(("fork", devices))
        yield
        made.append(("join",))

    state = SimpleNamespace(is_main_process=True, wait_for_everyone=lambda: None)
    config = SimpleNamespace(get_text_config=lambda: SimpleNamespace(vocab_size=8))
    fakes: dict[str, dict[str, Any]] = {
        "accelerate": {"PartialState": lambda: state},
        "peft": {"PeftModel": SimpleNamespace(from_pretrained=lambda model, result: model)},
        "torch": {
            "manual_seed": lambda seed: made.append(("seed", seed)),
            "random": SimpleNamespace(fork_rng=fork_rng),
        },
        "transformers": {
            "AutoConfig": SimpleNamespace(from_pretrained=lambda source, **options: config),
            "AutoModelForCausalLM": SimpleNamespace(from_pretrained=load),
            "PreTrainedModel": Model,
            "PreTrainedTokenizerBase": Tokenizer,
        },
    }
    for name, entries in fakes.items():
        module = ModuleType(name)
        vars(module).update(entries)
        monkeypatch.setitem(sys.modules, name, module)
    (tmp_path / "second").mkdir()
    monkeypatch.chdir(tmp_path / "second")
    yield made


def start(source: str, *, result: bool, tokens: bool, **options: Any) -> str:
    space: dict[str, Any] = {}
    exec(compile(render("start.py.j2", result=result, tokens=tokens), "start.py", "exec"), space)
    return str(space["starting_model"](source, Tokenizer(), output_dir="output", **options))


@pytest.mark.parametrize("folder", ["output", "output/checkpoint-20"])
@pytest.mark.parametrize("base", ["start", "acme/tiny"])
def test_the_base_of_a_result_or_checkpoint_is_found(
    base: str, folder: str, calls: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    result = tmp_path / "first" / folder
    result.mkdir(parents=True)
    (tmp_path / "first" / "start").mkdir()
    adapter = {"base_model_name_or_path": base, "revision": "abc"}
    (result / "adapter_config.json").write_text(json.dumps(adapter))
    assert start(f"../first/{folder}", result=True, tokens=False, dtype="float32") == "start"
    _, source, options = calls[0]
    assert source == ("first/start" if base == "start" else base)
    assert options == {"dtype": "float32"} | ({} if base == "start" else {"revision": "abc"})


def test_a_new_tokens_row_is_the_same_in_each_run(calls: list[tuple[Any, ...]]) -> None:
    assert start("acme/tiny", result=False, tokens=True, seed=7, dtype="float32") == "start"
    assert calls[1:] == [("fork", []), ("seed", 7), ("resize", 9), ("join",)], "and what follows draws as before"


@pytest.mark.parametrize("name", registry.names())
@pytest.mark.parametrize(("model", "seeded"), [({"special_tokens": {"pad_token": "<p>"}}, True), ({}, False)])
def test_the_seed_is_the_runs(model: dict[str, Any], seeded: bool, name: str, tmp_path: Path) -> None:
    base = put(bases(name)["sft-lora"], "model", {"id": "a/b", "start_from": "./earlier", **model})
    result = compiled(base, tmp_path, name)[1]
    assert result.bundle is not None
    file, seed = ("plugin.py", 'seed=cfg["seed"]') if name == "axolotl" else ("train.py", "seed=training_args.seed")
    script = next(f.text for f in result.bundle.files if f.path == file)
    assert (seed in script) == seeded
