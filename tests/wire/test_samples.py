"""Real files: each is recognised for what it is, and goes to every form that can carry it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tuneform.runtime.loaded import Source
from tuneform.runtime.wireout import Asked, Done, convert_files
from tuneform.spec.diagnostics import Level
from tuneform.spec.wire.convert import WIRES

SHARED = Path(__file__).parents[3] / "shared"
SAMPLES, DATA = SHARED / "facts" / "samples" / "data", SHARED / "data"
SERVICES = frozenset(WIRES) - {"trl", "axolotl", "unsloth"}
TRAINERS = frozenset(WIRES) - SERVICES
LIKE_OPENAI = {"openai", "azure"}
CONVERSE = {"bedrock-nova", "bedrock-llama", "bedrock-claude", "sagemaker", "sagemaker-nova"}
CHAT = {*LIKE_OPENAI, "together", *CONVERSE, "vertex-gemini", "vertex-open"}
COMPLETION = {"together", "bedrock-text", "sagemaker", "vertex-open"}
PAIRS = {*LIKE_OPENAI, "together", "sagemaker-nova", "vertex-gemini"}
RFT = {*LIKE_OPENAI, "bedrock-nova", "vertex-gemini"}

# file, options, format, shape, services that carry it as it is, those that do with expansions
FILES: list[tuple[str, dict[str, Any], str, str, set[str], dict[str, set[str]]]] = [
    ("bedrock_claude3haiku.jsonl", {}, "chat", "chat", CHAT, {"as-text": set()}),
    ("bedrock_converse.jsonl", {}, "converse", "chat", CHAT, {}),
    ("bedrock_prompt_completion.jsonl", {}, "prompt_completion", "prompt_completion", COMPLETION, {"as-chat": CHAT}),
    ("bedrock_rft.jsonl", {"method": "rft"}, "prompt", "prompt", LIKE_OPENAI | {"bedrock-nova"}, {"json-values": {"vertex-gemini"}}),
    ("chat_openai.jsonl", {}, "chat", "chat", CHAT, {}),
    ("chat_openai_azure_bom.jsonl", {}, "chat", "chat", CHAT, {}),
    ("chat_openai_tools.jsonl", {}, "chat", "chat", {*LIKE_OPENAI, "together"}, {"split-turns": set()}),
    ("chat_openai_weight.jsonl", {}, "chat", "chat", {*LIKE_OPENAI, "together"},
     {"split-turns": CHAT - LIKE_OPENAI - {"together"}, "all-turns": set()}),
    ("completion_together.jsonl", {}, "prompt_completion", "prompt_completion", COMPLETION, {"as-chat": CHAT}),
    ("dpo_openai.jsonl", {}, "preference", "preference", PAIRS, {"as-text": set()}),
    ("nova_dpo_sagemaker.jsonl", {}, "converse_preference", "preference", PAIRS, {}),
    ("rft_openai.jsonl", {"method": "rft"}, "prompt", "prompt", LIKE_OPENAI | {"vertex-gemini"}, {"whole-item": {"bedrock-nova"}}),
    ("sagemaker_dpo.jsonl", {}, "preference", "preference", {"sagemaker"}, {"as-chat": PAIRS}),
    ("text_together.jsonl", {}, "text", "text", {"together"}, {}),
    ("vertex_gemini_pref.jsonl", {}, "gemini_preference", "preference", PAIRS, {"as-text": {"sagemaker"}}),
    ("vertex_gemini_rft.jsonl", {}, "gemini_prompt", "prompt", LIKE_OPENAI | {"vertex-gemini"}, {"whole-item": {"bedrock-nova"}}),
    ("vertex_gemini_sft.jsonl", {"method": "sft"}, "gemini", "chat", CHAT, {}),
]  # fmt: skip
BIG: list[tuple[str, dict[str, Any], str, set[str], dict[str, set[str]]]] = [
    ("alpaca_en_demo.json", {}, "chat", CHAT, {"as-text": {"bedrock-text"}}),
    ("dpo_en_demo.json", {}, "preference", LIKE_OPENAI | {"together", "vertex-gemini"}, {}),  # one has `System:`
    ("glaive_toolcall_en_demo.json", {}, "chat", set(), {"call-ids": {*LIKE_OPENAI, "together"}}),
    ("kto_en_demo.json", {}, "unpaired_preference", set(), {}),
    ("gsm8k_train_1500.jsonl", {"columns": {"prompt": "question", "completion": "answer"}}, "prompt_completion",
     COMPLETION, {"as-chat": CHAT}),
]  # fmt: skip


def done(path: Path, wire: str, tmp_path: Path, options: dict[str, Any], *expand: str) -> Done:
    out = tmp_path / f"{wire}.jsonl"
    out.unlink(missing_ok=True)
    source = Source(path, str(path), columns=options.get("columns", {}))
    found = convert_files(Asked([source], WIRES[wire], out, options.get("method"), expand=frozenset(expand)))
    assert out.exists() == found.ok
    assert all(d.code.startswith("TF3") for d in found.diagnostics)
    return found


def carried(path: Path, tmp_path: Path, options: dict[str, Any], *expand: str) -> set[str]:
    found = {wire: done(path, wire, tmp_path, options, *expand) for wire in sorted(SERVICES)}
    return {wire for wire, one in found.items() if one.ok and (not expand or set(one.expanded) == set(expand))}


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples of providers' files are not on this machine")
@pytest.mark.parametrize(
    ("name", "options", "format_", "shape", "plain", "expanded"), FILES, ids=[f[0] for f in FILES]
)
def test_samples(
    name: str, options: dict[str, Any], format_: str, shape: str, plain: set[str], expanded: dict[str, set[str]], tmp_path: Path
) -> None:  # fmt: skip
    from tuneform.runtime.data import Source, peek

    assert peek(Source(SAMPLES / name, name), options.get("method")).shape == shape
    assert peek(Source(SAMPLES / name, name), options.get("method")).format == format_
    assert carried(SAMPLES / name, tmp_path, options) == plain
    for expansion, wires in expanded.items():
        assert carried(SAMPLES / name, tmp_path, options, expansion) >= wires
        if not wires:
            assert carried(SAMPLES / name, tmp_path, options, expansion) - plain <= {"bedrock-text"}
    trained = {wire for wire in TRAINERS if done(SAMPLES / name, wire, tmp_path, {}).ok} if not options else TRAINERS
    assert trained == TRAINERS


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data sets are not on this machine")
@pytest.mark.parametrize(("name", "options", "shape", "plain", "expanded"), BIG, ids=[f[0] for f in BIG])
def test_data_that_people_train_on(
    name: str, options: dict[str, Any], shape: str, plain: set[str], expanded: dict[str, set[str]], tmp_path: Path
) -> None:  # fmt: skip
    canonical = done(DATA / name, "trl", tmp_path, options)
    assert canonical.ok and canonical.form.shape == shape
    refused = {wire for wire in SERVICES if not done(DATA / name, wire, tmp_path, options).ok}
    assert plain - refused == plain, [
        d for w in plain & refused for d in done(DATA / name, w, tmp_path, options).diagnostics
    ][:3]
    for expansion, wires in expanded.items():
        for wire in wires:
            found = done(DATA / name, wire, tmp_path, options, expansion)
            assert found.rows == canonical.rows and expansion in found.expanded


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples of providers' files are not on this machine")
@pytest.mark.parametrize(
    ("name", "wire", "method"),
    [
        ("bedrock_claude3haiku.jsonl", "bedrock-claude", None),
        ("bedrock_converse.jsonl", "bedrock-llama", None),
        ("bedrock_prompt_completion.jsonl", "bedrock-text", None),
        ("bedrock_rft.jsonl", "bedrock-nova", "rft"),
        ("chat_openai.jsonl", "openai", None),
        ("chat_openai_azure_bom.jsonl", "azure", None),
        ("chat_openai_weight.jsonl", "openai", None),
        ("completion_together.jsonl", "together", None),
        ("nova_dpo_sagemaker.jsonl", "sagemaker-nova", None),
        ("rft_openai.jsonl", "openai", "rft"),
        ("sagemaker_dpo.jsonl", "sagemaker", None),
        ("text_together.jsonl", "together", None),
        ("vertex_gemini_pref.jsonl", "vertex-gemini", None),
        ("vertex_gemini_rft.jsonl", "vertex-gemini", None),
        ("vertex_gemini_sft.jsonl", "vertex-gemini", None),
    ],
)
def test_a_providers_own_file_is_written_as_it_was(name: str, wire: str, method: str | None, tmp_path: Path) -> None:
    found = done(SAMPLES / name, wire, tmp_path, {"method": method})
    assert not [d for d in found.diagnostics if d.level is Level.ERROR]
    before = (SAMPLES / name).read_bytes()
    after = (tmp_path / f"{wire}.jsonl").read_bytes()
    assert before.startswith(b"\xef\xbb\xbf") == after.startswith(b"\xef\xbb\xbf")
    rows = [[json.loads(line) for line in text.decode("utf-8-sig").splitlines()] for text in (before, after)]
    assert [_without_ones(row) for row in rows[0]] == [_without_ones(row) for row in rows[1]]


def _without_ones(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_ones(v) for k, v in value.items() if (k, v) != ("weight", 1)}
    return [_without_ones(item) for item in value] if isinstance(value, list) else value
