"""Tokens of rows: which are trained, under untrusted templates, and what limits leave."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jinja2 import TemplateError
from jinja2.exceptions import SecurityError

from tuneform.runtime.datareport.figures import figures, histogram
from tuneform.runtime.tokens import folder as folders
from tuneform.runtime.tokens.counting import Counted, Question, RowTokens, count
from tuneform.runtime.tokens.folder import NoTokenizer
from tuneform.runtime.tokens.template import compile_template
from tuneform.runtime.tokens.tokenizer import load
from tuneform.spec.tokens import estimate
from tuneform.spec.tokens.labels import covering, total, uncovered

from .tiny_tokenizer import save

USER, SAID = {"role": "user", "content": "a b"}, {"role": "assistant", "content": "c d e"}
# <|im_start|> user \n a _ b <|im_end|> \n, and the same with three words
CHAT = [USER, SAID]


def counted(tmp_path: Path, row: dict[str, Any], shape: str, loss_on: str = "assistant", limit: int = 99) -> RowTokens:
    found = count([row], Question(shape, loss_on, limit), load(str(save(tmp_path / "model")), online=False))
    assert found.exact and not found.unfit
    return RowTokens(found.lengths[0], found.read[0], found.trained[0], found.kept[0])


@pytest.mark.parametrize(
    ("shape", "loss_on", "row", "length", "trained"),
    [
        ("chat", "assistant", {"messages": CHAT}, 18, 6),
        ("chat", "assistant", {"messages": [*CHAT, *CHAT]}, 36, 12),
        ("chat", "last_assistant", {"messages": [*CHAT, *CHAT]}, 36, 6),
        ("chat", "assistant", {"messages": [USER, {**SAID, "weight": 0}, *CHAT]}, 36, 6),
        ("chat", "all", {"messages": CHAT}, 18, 18),
        ("chat", "all", {"messages": [USER, {**SAID, "weight": 0}]}, 18, 12),
        ("prompt_completion", "completion", {"prompt": "a b", "completion": " c"}, 6, 3),
        ("prompt_completion", "all", {"prompt": "a b", "completion": " c"}, 6, 6),
        ("prompt_completion", "completion", {"prompt": "a b", "completion": " c<|im_end|>"}, 6, 3),
        ("text", "all", {"text": "a b"}, 4, 4),
        ("text", "all", {"text": "a b<|im_end|>"}, 4, 4),
        ("preference", "", {"prompt": [USER], "chosen": [SAID], "rejected": [USER | {"role": "assistant"}]}, 17, 10),
        ("unpaired_preference", "", {"prompt": "a", "completion": " b", "label": True}, 4, 3),
        ("prompt", "", {"prompt": [USER]}, 11, 0),
    ],
)
def test_tokens_are_counted_by_the_definition(
    tmp_path: Path, shape: str, loss_on: str, row: dict[str, Any], length: int, trained: int
) -> None:
    found = counted(tmp_path, row, shape, loss_on)
    assert (found.length, found.trained, found.kept) == (length, trained, trained)


def test_what_a_limit_leaves(tmp_path: Path) -> None:
    chat = {"messages": CHAT}
    assert counted(tmp_path, chat, "chat", limit=13).kept == 2
    assert counted(tmp_path, chat, "chat", limit=11).kept == 0
    pair = {"prompt": "a", "chosen": " b c d", "rejected": " e"}
    assert counted(tmp_path, pair, "preference", limit=3) == RowTokens(length=8, read=12, trained=10, kept=4)


def test_what_a_template_does_not_carry_is_told(tmp_path: Path) -> None:
    deaf = "{% for m in messages %}{{ m.role }}{% endfor %}"
    picky = "{{ raise_exception('no system prompt') }}"
    for template, why in ((deaf, "leaves out its text"), (picky, "refuses it: no system prompt")):
        tokenizer = load(str(save(tmp_path / "model", template)), online=False)
        found = count([{"messages": CHAT}], Question("chat", "assistant"), tokenizer)
        assert why in found.unfit[0]


def test_a_chat_without_a_template_is_told(tmp_path: Path) -> None:
    tokenizer = load(str(save(tmp_path / "model", None)), online=False)
    with pytest.raises(NoTokenizer, match="has no chat template"):
        count([{"messages": CHAT}], Question("chat", "assistant"), tokenizer)


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ messages.append(1) }}",
        "{{ 'x' * 99999999999 }}",
        "{{ 9 ** 99999 }}",
        "{{ [1] * 999999999 }}",
        "{% set ns = namespace(__class__=1) %}",
        "{% for i in range(9999999) %}{% endfor %}",
    ],
)
def test_templates_are_kept_in_a_sandbox(source: str) -> None:
    with pytest.raises((SecurityError, OverflowError)):
        compile_template(source, {})([USER])


def test_templates_have_what_transformers_gives_them() -> None:
    source = (
        "{% generation %}{{ messages[0] | tojson }}{% endgeneration %}{{ bos_token }}{{ strftime_now('%Y') | length }}"
        "{% for m in messages %}{% if loop.first %}{% continue %}{% endif %}{{ m.thinking }}{% endfor %}{{ tools is none }}"
    )
    said = {"role": "assistant", "content": None, "reasoning_content": "hm"}
    text = compile_template(source, {"bos_token": "<s>"})([{"role": "user", "content": "é<"}, said])
    assert text == '{"role": "user", "content": "é<"}<s>4hmTrue'
    with pytest.raises(TemplateError, match="there is no message"):
        compile_template("x", {})([])


@example([1], [(0, 0), (0, 1)])
@given(
    st.lists(st.integers(0, 3), max_size=12), st.lists(st.tuples(st.integers(0, 20), st.integers(0, 6)), max_size=4)
)
def test_spans_cover_the_tokens_that_one_by_one_would(widths: list[int], raw: list[tuple[int, int]]) -> None:
    ends = [sum(widths[: i + 1]) for i in range(len(widths))]
    spans = [(start, start + width) for start, width in raw]
    wanted, before = set(), 0
    for token, end in enumerate(ends):
        begin, before = min(before, end - 1), end
        if any(start < stop and start < end and begin < stop for start, stop in spans):
            wanted.add(token)
    found = covering(ends, spans)
    assert [i for part in found for i in part] == sorted(wanted)
    rest = uncovered(len(ends), found)
    assert {i for part in rest for i in part} == set(range(len(ends))) - wanted
    assert total(found, 3) == len([i for i in wanted if i < 3])


def test_tokens_without_a_place_in_the_text_are_no_part_of_it() -> None:
    assert covering([0, 1, 2, 0], [(1, 2)]) == [range(2, 3)]


def test_the_estimate_knows_kinds_of_characters() -> None:
    assert estimate.text("hello there" * 100) == pytest.approx(1100 / 4.9)
    assert estimate.text("1234") == pytest.approx(4)
    assert estimate.text("日本語") == pytest.approx(3)
    assert estimate.text("🙂") == pytest.approx(2.5)
    short, long = ({"messages": [USER, {"role": "assistant", "content": "word " * n}]} for n in (1, 100))
    assert estimate.row(short, "chat", "assistant")[2] < 5 < 90 < estimate.row(long, "chat", "assistant")[2]


def test_histograms_are_whole_and_have_round_edges() -> None:
    from array import array

    lengths = array("L", sorted([*range(0, 1000, 7), 123_456]))
    bins = histogram(lengths)
    assert sum(b.rows for b in bins) == len(lengths)
    assert [b.start for b in bins] == [100 * i for i in range(11)] and bins[-1].stop is None
    found = Counted(exact=True)
    for length in lengths:
        found.add(RowTokens(length, length, length, min(length, 500)))
    figured = figures([found], 500)
    assert figured and figured.over == sum(length > 500 for length in lengths)
    assert figured.epoch_dropped == sum(length for length in lengths if length <= 500)
    assert figured.epoch_cut == sum(min(length, 500) for length in lengths)


def test_models_that_are_not_here_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, why in ((str(tmp_path / "no"), "there is no folder"), (str(tmp_path), "has no tokenizer.json")):
        with pytest.raises(NoTokenizer, match=why):
            load(name, online=False)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(NoTokenizer, match="huggingface_hub is not installed"):
        load("acme/tiny", online=True)
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(NoTokenizer, match=r"pip install 'tuneform\[tokens\]'"):
        load(str(save(tmp_path / "model")), online=False)


def test_broken_files_of_a_tokenizer_are_told(tmp_path: Path) -> None:
    broken = save(tmp_path / "model", "{% if %}")
    with pytest.raises(NoTokenizer, match="the chat template is broken"):
        load(str(broken), online=False)
    (broken / "tokenizer.json").write_text("{")
    with pytest.raises(NoTokenizer, match="cannot be read"):
        load(str(broken), online=False)
    (broken / "tokenizer_config.json").write_text("nonsense")
    with pytest.raises(NoTokenizer, match=r"tokenizer_config\.json cannot be read"):
        load(str(broken), online=False)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("chat_template.jinja", b"\xff\xfe{", r"chat_template\.jinja cannot be read: .*can't decode byte"),
        ("chat_template.jinja", b"{{ " + b"(" * 20_000 + b")" * 20_000 + b" }}", "template is broken: .*recursion"),
        ("chat_template.jinja", b"{{ 'x'|center(9 ** 18) ~ [1 for }}", "the chat template is broken"),
        ("tokenizer_config.json", b"[" * 200_000, r"tokenizer_config\.json cannot be read: .*recursion"),
        ("tokenizer_config.json", b'{"chat_template": [{"name": [], "template": 1}]}', "has no chat template"),
        ("tokenizer_config.json", b'{"chat_template": [{"name": "default", "template": 1}]}', "template is broken"),
    ],
)
def test_hostile_files_of_a_tokenizer_are_told(tmp_path: Path, name: str, content: bytes, why: str) -> None:
    model = save(tmp_path / "model", None)
    (model / name).write_bytes(content)
    with pytest.raises(NoTokenizer, match=why):
        load(str(model), online=False).renderer({})


def test_a_template_that_wants_more_memory_than_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object) -> None:
        raise MemoryError

    monkeypatch.setattr("tuneform.runtime.tokens.tokenizer.compile_template", refuse)
    with pytest.raises(NoTokenizer, match="the chat template is broken: MemoryError"):
        load(str(save(tmp_path / "model")), online=False)


@pytest.mark.parametrize("messages", [21_844, 21_846])
def test_a_chat_of_more_messages_than_there_are_marks(tmp_path: Path, messages: int) -> None:
    tokenizer = load(str(save(tmp_path / "model")), online=False)
    chat = [{**SAID, "weight": 0} if i % 2 else USER for i in range(messages - 2)]
    found = count([{"messages": [*chat, *CHAT]}], Question("chat", "assistant"), tokenizer)
    why = {0: "the conversation has too many messages to follow"}
    assert found.unfit == (why if messages > 21_844 else {}) and found.trained[0] == (6 if not found.unfit else 0)


def test_templates_in_the_configuration(tmp_path: Path) -> None:
    model = save(tmp_path / "model", None)
    both = [{"name": "default", "template": "D"}, {"name": "tool_use", "template": "T"}]
    (model / "tokenizer_config.json").write_text(json.dumps({"chat_template": both}))
    files = folders.read(model)
    assert (files.template, files.tool_template) == ("D", "T")
    tokenizer = load(str(model), online=False)
    assert tokenizer.renderer({}).render(CHAT) == "D" and tokenizer.renderer({"tools": [{}]}).render(CHAT) == "T"
    assert folders.read(model, "own").template == "own"
