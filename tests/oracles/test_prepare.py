"""prepare.py gives the spec's own labels under every chat template, and TRL trains on exactly these."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tuneform.compilers.rendering import render

from .prepare_cases import CONVERSATIONS, EXPECTED, PLAIN, TEMPLATES, TOOLS, assistant, call, result, system, user
from .prepare_tables import ENDS, NATIVE, REFUSED

pytestmark = pytest.mark.trainer

METHODS = {"chat": "sft", "prompt_completion": "sft", "text": "sft", "preference": "dpo", "unpaired_preference": "kto"}
CORPUS = [
    "Hi there. Hello! More of it? Sure thing. The weather in Rome is sunny, in Oslo it is rain. Thanks. Bye.",
    "user assistant system tool weather city days think arguments name function parameters message content",
    "You are a helpful assistant, trained to help people with questions about the weather and other things.",
] * 20

QWEN_PLAIN = "<|im_start|>user\nHi there<|im_end|>\n<|im_start|>assistant\n"
QWEN_MORE = "<|im_end|>\n<|im_start|>user\nMore<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
UNTRAINED = [PLAIN[0], PLAIN[1] | {"weight": 0}, PLAIN[2], PLAIN[3] | {"weight": 1}]

# What is special: (shape, template, loss_on, row) and by hand what is trained, or the error
SPECIAL_CASES: dict[str, tuple[str, str, str, dict[str, Any], str]] = {
    "weight": (
        *("chat", "qwen3", "assistant", {"messages": UNTRAINED}),
        QWEN_PLAIN + "Hello!" + QWEN_MORE + "«Sure thing.<|im_end|>»\n",
    ),
    "weight of a turn that cannot be found": (
        *("chat", "llama3_1", "assistant"),
        {
            "messages": [
                *CONVERSATIONS["text and call"]["messages"][:1],
                CONVERSATIONS["text and call"]["messages"][1] | {"weight": 0},
                *CONVERSATIONS["text and call"]["messages"][2:],
            ]
        },
        "…<|start_header_id|>assistant<|end_header_id|>\n\n«It is warm.<|eot_id|>»",
    ),
    "last_assistant": (
        *("chat", "qwen3", "last_assistant", {"messages": PLAIN}),
        QWEN_PLAIN + "Hello!" + QWEN_MORE + "«Sure thing.<|im_end|>»\n",
    ),
    "last_assistant before a question": (
        *("chat", "smollm2", "last_assistant", {"messages": [system("S."), *PLAIN, user("Why?")]}),
        "…<|im_start|>assistant\n«Sure thing.<|im_end|>»\n<|im_start|>user\nWhy?<|im_end|>\n",
    ),
    "all": (
        *("chat", "qwen3", "all", {"messages": PLAIN}),
        "«" + QWEN_PLAIN + "Hello!" + QWEN_MORE + "Sure thing.<|im_end|>\n»",
    ),
    "all but a turn of weight 0": (
        *("chat", "qwen3", "all", {"messages": UNTRAINED}),
        "«" + QWEN_PLAIN + "»Hello!<|im_end|>«" + QWEN_MORE.removeprefix("<|im_end|>") + "Sure thing.<|im_end|>\n»",
    ),
    "all but the last turn": (
        *("chat", "qwen3", "all", {"messages": [user("Why?"), assistant("So.", weight=0)]}),
        "«<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n»So.<|im_end|>«\n»",
    ),
    "template kwargs": (
        *("chat", "glm4moe", "assistant"),
        {"messages": PLAIN[:2], "chat_template_kwargs": {"enable_thinking": False}},
        "[gMASK]<sop><|user|>\nHi there/nothink<|assistant|>\n<think></think>\n«Hello!<|user|>»",
    ),
    "arguments as JSON": (
        *("chat", "qwen3", "assistant"),
        {
            "messages": [user("Go"), assistant(None, tool_calls=[call('{"city":"Rome"}')]), result("sunny")],
            "tools": TOOLS,
        },
        '…<|im_start|>assistant\n«<tool_call>\n{"name": "weather", "arguments": '
        '{"city": "Rome"}}\n</tool_call><|im_end|>»\n<|im_start|>user\n<tool_response>\nsunny\n</tool_response>'
        "<|im_end|>\n",
    ),
    "letters of several bytes": (
        *("chat", "qwen2_5", "assistant", CONVERSATIONS["letters"]),
        "…<|im_start|>user\nÉté?<|im_end|>\n<|im_start|>assistant\n«Ça va 🙂🙃 \u2028 ok<|im_end|>»\n"
        "<|im_start|>user\nOui<|im_end|>\n<|im_start|>assistant\n«日本語。<|im_end|>»\n",
    ),
    "no end token": (
        *("chat", "no end", "assistant", {"messages": PLAIN}),
        "cannot tell where message 2 starts and ends in the rendered chat",
    ),
    "empty answer": (
        *("chat", "qwen3", "assistant", {"messages": [user("Hi"), assistant("")]}),
        "message 2 is empty, or the chat template leaves out its text or calls",
    ),
    "call that the template drops": (
        *("chat", "phi3", "assistant", CONVERSATIONS["calls"]),
        "message 2 is empty, or the chat template leaves out its text or calls",
    ),
    "conversation that the template refuses": (
        *("chat", "gemma", "assistant", CONVERSATIONS["system"]),
        "the chat template refuses it: System role not supported",
    ),
    "more messages than can be followed": (
        *("chat", "smollm2", "assistant", {"messages": PLAIN * 5_462}),
        "the conversation has too many messages to follow",
    ),
    "completion": (
        *("prompt_completion", "smollm2", "completion", {"prompt": "Hi there.", "completion": " Hello!"}),
        "Hi there.« Hello!<eos>»",
    ),
    "completion with its end token": (
        *("prompt_completion", "smollm2", "completion", {"prompt": "Hi there.", "completion": " Hello!<eos>"}),
        "Hi there.« Hello!<eos>»",
    ),
    "whole completion": (
        *("prompt_completion", "smollm2", "all", {"prompt": "Hi there.", "completion": " Hello!"}),
        "«Hi there. Hello!<eos>»",
    ),
    "text": ("text", "smollm2", "all", {"text": "Hi there.\n"}, "«Hi there.\n<eos>»"),
}

PREFERENCES: dict[str, tuple[str, dict[str, Any], Any]] = {
    "chat": (
        "qwen3",
        {"prompt": PLAIN[:3], "chosen": [assistant("Yes.")], "rejected": [assistant("No no.")]},
        (
            "<|im_start|>user\nHi there<|im_end|>\n<|im_start|>assistant\nHello!" + QWEN_MORE,
            "Yes.<|im_end|>",
            "No no.<|im_end|>",
        ),
    ),
    "reasoning on one side": (
        "qwen3",
        {"prompt": PLAIN[:1], "chosen": [assistant("Yes.", reasoning_content="hm")], "rejected": [assistant("No.")]},
        (QWEN_PLAIN, "<think>\nhm\n</think>\n\nYes.<|im_end|>", "<think>\n\n</think>\n\nNo.<|im_end|>"),
    ),
    "calls": (
        "gptoss",
        {
            "prompt": [user("Weather?")],
            "chosen": [assistant("", tool_calls=[call({"city": "Rome"})])],
            "rejected": [assistant("No idea.")],
            "tools": TOOLS,
        },
        (
            "…Weather?<|end|><|start|>assistant",
            ' to=functions.weather<|channel|>commentary json<|message|>{"city": "Rome"}<|call|>',
            "<|channel|>final<|message|>No idea.<|return|>",
        ),
    ),
    "the last turn lacks its end token": (
        "glm4moe",
        {"prompt": PLAIN[:1], "chosen": [assistant("Yes.")], "rejected": [assistant("No.")]},
        ("[gMASK]<sop><|user|>\nHi there<|assistant|>\n<think></think>\n", "Yes.<|user|>", "No.<|user|>"),
    ),
    "text": (
        "smollm2",
        {"prompt": "Hi there.", "chosen": " Hello!", "rejected": " Bye."},
        ("Hi there.", " Hello!<eos>", " Bye.<eos>"),
    ),
    "several messages": (
        "qwen3",
        {"prompt": PLAIN[:1], "chosen": PLAIN[1:], "rejected": [assistant("No.")]},
        "an answer must be one assistant message",
    ),
}

# Chats of three more families, by hand; dpo and orpo take the same rows, kto each answer by itself.
ANSWERS: dict[str, tuple[list[dict[str, Any]], str, str, str]] = {
    "qwen3": (
        [user("Hi there")],
        QWEN_PLAIN + "<think>\n\n</think>\n\n",
        "Yes.<|im_end|>",
        "No no.<|im_end|>",
    ),
    "llama3": (
        [system("Be nice."), user("Hi there")],
        "<bos><|start_header_id|>system<|end_header_id|>\n\nBe nice.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nHi there<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        "Yes.<|eot_id|>",
        "No no.<|eot_id|>",
    ),
    "gemma": (
        PLAIN[:3],
        "<bos><start_of_turn>user\nHi there<end_of_turn>\n<start_of_turn>model\nHello!<end_of_turn>\n"
        "<start_of_turn>user\nMore<end_of_turn>\n<start_of_turn>model\n",
        "Yes.<end_of_turn>",
        "No no.<end_of_turn>",
    ),
}

FIT = {"max_length": 10_000, "on_too_long": "drop", "on_bad_row": "error"}
CHAT = {**FIT, "loss_on": "assistant"}
SHORT, LONG = {"messages": PLAIN[:2]}, {"messages": [user("Hi there"), assistant("Sure thing. " * 30)]}
ASKED = {"messages": [user("Hi there " * 30), assistant("Hello!")]}
BAD = {"messages": [user("Hi"), assistant("")]}
PAIR = {"prompt": PLAIN[:1], "chosen": [assistant("Yes.")], "rejected": [assistant("No.")]}
LONG_PAIR = PAIR | {"rejected": LONG["messages"][1:]}
SAME_START = PAIR | {"chosen": [assistant("Yes. " * 60 + "Sure.")], "rejected": [assistant("Yes. " * 60 + "No.")]}
LONG_PROMPT = PAIR | {"prompt": ASKED["messages"][:1]}


def lines(*rows: Any) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


LOADS: dict[str, dict[str, Any]] = {
    "kept": {"text": lines(SHORT, LONG), "arguments": CHAT},
    "changed": {"text": lines(LONG, SHORT), "arguments": CHAT, "file": "load0.jsonl"},
    "drop": {"text": lines(SHORT, LONG, SHORT), "arguments": CHAT | {"max_length": 80}},
    "truncate": {"text": lines(SHORT, LONG, ASKED), "arguments": CHAT | {"max_length": 80, "on_too_long": "truncate"}},
    "error": {"text": lines(SHORT, LONG, ASKED), "arguments": CHAT | {"max_length": 80, "on_too_long": "error"}},
    "bad": {"text": lines(SHORT, BAD) + "{not json}\n\n" + lines({"text": "x"}), "arguments": CHAT},
    "skip": {
        "text": lines(SHORT, BAD) + "{not json}\n\n" + lines({"text": "x"}),
        "arguments": CHAT | {"on_bad_row": "skip"},
    },
    "nothing trained": {
        "text": lines(SHORT, {"messages": [user("Hi"), assistant("Yes", weight=0)]}),
        "arguments": CHAT,
    },
    "nothing left": {"text": lines(LONG), "arguments": CHAT | {"max_length": 5}},
    # U+2028 and U+0085 are no ends of lines, and the rows' keys do not mix: a null would change what is rendered
    "separators": {
        "text": lines(CONVERSATIONS["letters"], {"messages": [user("a\x85b"), assistant("c\x0cd")]}),
        "arguments": CHAT,
    },
    "mixed": {"text": lines(CONVERSATIONS["calls"], SHORT), "arguments": CHAT, "template": "llama3_1"},
    "pairs": {
        "shape": "preference",
        "text": lines(PAIR, LONG_PAIR, LONG_PROMPT),
        "arguments": FIT | {"max_length": 80},
    },
    "cut pairs": {
        "shape": "preference",
        "text": lines(PAIR, LONG_PAIR, LONG_PROMPT, SAME_START),
        "arguments": FIT | {"max_length": 80, "on_too_long": "truncate"},
    },
    "texts": {
        "shape": "text",
        "text": lines({"text": "Hi there."}, {"text": "Bye."}),
        "arguments": FIT | {"loss_on": "all"},
    },
}

ALL = sorted(ENDS)


def cases() -> Iterator[dict[str, Any]]:
    for template, key in EXPECTED:
        yield {"shape": "chat", "template": template, "loss_on": "assistant", "row": CONVERSATIONS[key]}
    for shape, template, loss_on, row, _ in SPECIAL_CASES.values():
        yield {"shape": shape, "template": template, "loss_on": loss_on, "row": row}
    yield {"shape": "chat", "template": "llama2", "loss_on": "assistant", "row": {"messages": PLAIN}, "kind": "spaces"}
    for template, row, _ in PREFERENCES.values():
        yield {"shape": "preference", "template": template, "row": row}
    for template, (prompt, *_) in ANSWERS.items():
        said = [assistant("Yes.")], [assistant("No no.")]
        row = {"prompt": prompt, "chosen": said[0], "rejected": said[1]}
        yield {"shape": "preference", "template": template, "row": row}
        for completion, label in zip(said, (True, False), strict=True):
            row = {"prompt": prompt, "completion": completion, "label": label}
            yield {"shape": "unpaired_preference", "template": template, "row": row}
    for template in ALL:
        for row in CONVERSATIONS.values():
            yield {"shape": "chat", "template": template, "loss_on": "assistant", "row": row}


@pytest.fixture(scope="module")
def answers(trl_python: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("prepare")
    for shape, method in METHODS.items():
        (folder / shape).mkdir()
        text = render("prepare.py.j2", method=method, shape=shape)
        (folder / shape / "prepare.py").write_text(text, encoding="utf-8")
    loads = [{"shape": "chat", "template": "smollm2"} | load for load in LOADS.values()]
    job = {
        "shapes": list(METHODS),
        "corpus": CORPUS,
        "templates": TEMPLATES,
        "cases": list(cases()),
        "loads": loads,
        "native": ALL,
        "special": {"smollm2": ["<|im_start|>", "<|im_end|>"]},
        "conversations": CONVERSATIONS,
        "sft": [CONVERSATIONS[key] for key in ("calls", "plain", "thoughts", "single")],
        "dpo": [PREFERENCES["chat"][1], PREFERENCES["reasoning on one side"][1]],
    }
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    probe = Path(__file__).with_name("probe_prepare.py")
    done = subprocess.run([trl_python, str(probe), str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    found["labels"] = iter(found["labels"])
    names = [("expected", key) for key in EXPECTED] + [("special", key) for key in SPECIAL_CASES]
    names += [("llama2", "")] + [("preference", key) for key in PREFERENCES]
    names += [(kind, key) for key in ANSWERS for kind in ("pair", "good", "bad")]
    names += [(template, key) for template in ALL for key in CONVERSATIONS]
    found["labels"] = dict(zip(names, found["labels"], strict=True))
    found["loading"] = dict(zip(LOADS, found["loading"], strict=True))
    return found


def as_text(pieces: list[list[Any]]) -> str:
    return "".join(text for text, *_ in pieces)


def check(pieces: list[list[Any]], expected: str) -> None:
    """Compare token by token: each lies in one segment of the expectation, and is trained or not as that is."""
    assert isinstance(pieces, list), pieces
    segments = expected.removeprefix("…").replace("»", "«").split("«")  # untrained, trained, untrained ...
    text, whole = "".join(segments), as_text(pieces)
    assert whole.endswith(text) if expected.startswith("…") else whole == text
    wanted = [False] * (len(whole) - len(text))
    wanted += [bool(i % 2) for i, segment in enumerate(segments) for _ in segment]
    position = 0
    for piece, *trained in pieces:
        assert set(wanted[position : position + len(piece)]) == set(trained), (whole[:position][-40:], piece, trained)
        position += len(piece)


def turns(pieces: list[list[Any]]) -> list[str]:
    """The trained texts."""
    found, before = [], False
    for text, *trained in pieces:
        assert len(set(trained)) == 1
        if trained[0] and not before:
            found.append("")
        if trained[0]:
            found[-1] += text
        before = trained[0]
    return found


@pytest.mark.parametrize("key", EXPECTED, ids=" ".join)
def test_trained_tokens_are_those_written_by_hand(answers: dict[str, Any], key: tuple[str, str]) -> None:
    check(answers["labels"]["expected", key], EXPECTED[key])


@pytest.mark.parametrize("key", SPECIAL_CASES)
def test_special_cases(answers: dict[str, Any], key: str) -> None:
    found, expected = answers["labels"]["special", key], SPECIAL_CASES[key][-1]
    if "«" in expected:
        check(found, expected)
    else:
        assert found == expected


def test_a_token_that_straddles_the_start_of_a_text_is_trained(answers: dict[str, Any]) -> None:
    """Tokens of the SentencePiece kind begin with the space before a word, here the template's."""
    expected = "<bos>[INST] Hi there [/INST]« Hello! <eos>»[INST] More [/INST]« Sure thing. <eos>»"
    check(answers["labels"]["llama2", ""], expected)


@pytest.mark.parametrize("key", PREFERENCES)
def test_preferences(answers: dict[str, Any], key: str) -> None:
    found, expected = answers["labels"]["preference", key], PREFERENCES[key][-1]
    if isinstance(expected, str):
        assert found == expected
        return
    assert found["prompt_ids"].endswith(expected[0].removeprefix("…"))
    assert expected[0].startswith("…") or found["prompt_ids"] == expected[0]
    assert (found["chosen_ids"], found["rejected_ids"]) == expected[1:]


@pytest.mark.parametrize("template", ANSWERS)
def test_answers_of_pairs_and_single_answers(answers: dict[str, Any], template: str) -> None:
    _, prompt, good, bad = ANSWERS[template]
    found = {kind: answers["labels"][kind, template] for kind in ("pair", "good", "bad")}
    assert found["pair"] == {"prompt_ids": prompt, "chosen_ids": good, "rejected_ids": bad}
    assert found["good"] == {"prompt_ids": prompt, "completion_ids": good, "label": True}
    assert found["bad"] == {"prompt_ids": prompt, "completion_ids": bad, "label": False}


def test_every_template_has_a_row_in_the_tables(answers: dict[str, Any]) -> None:
    assert [name for name in answers["names"] if not name.endswith("_training")] == ALL


@pytest.mark.parametrize("template", ALL)
def test_every_turn_under_every_template(answers: dict[str, Any], template: str) -> None:
    """A turn's trained text has its own text and calls, its end token at the end, and nobody else's words."""
    for key, row in CONVERSATIONS.items():
        found = answers["labels"][template, key]
        if isinstance(found, str):
            assert REFUSED[template].get(key, "") and REFUSED[template][key] in found, (key, found)
            continue
        assert key not in REFUSED[template], key
        messages = row["messages"]
        own = [message for message in messages if message["role"] == "assistant"]
        trained = turns(found)
        assert len(trained) == len(own), (key, trained)
        for text, message in zip(trained, own, strict=True):
            content = (message["content"] or "").split("</think>")[-1].strip()
            assert content in text
            assert text.endswith(ENDS[template]), (key, text)
            for each in message.get("tool_calls", []):
                assert "weather" in text
                assert all(str(value) in text for value in each["function"]["arguments"].values())
            if key != "repeats":
                others = [m["content"].strip() for m in messages if m["role"] != "assistant"]
                assert not [other for other in others if other and other in text], (key, text)


def test_too_long_and_bad_rows(answers: dict[str, Any]) -> None:
    load = answers["loading"]
    assert [len(load[key].get("rows", [])) for key in ("kept", "changed", "drop", "truncate", "skip")] == [
        2,
        2,
        2,
        2,
        1,
    ]
    assert load["kept"]["messages"] == []
    assert load["changed"]["rows"] == load["kept"]["rows"][::-1]
    short = load["kept"]["rows"][0]
    assert load["drop"]["rows"] == [short, short]
    assert load["drop"]["messages"] == ["drop: 1 of 3 rows have more than 80 tokens\nload2.jsonl:2"]
    cut = {column: ids[:80] for column, ids in load["kept"]["rows"][1].items()}
    assert load["truncate"]["rows"] == [short, cut]
    assert load["truncate"]["messages"] == [
        "truncate: 1 of 3 rows have more than 80 tokens\nload3.jsonl:2",
        "drop: 1 of 3 rows have nothing to train in the first 80 tokens\nload3.jsonl:3",
    ]
    assert load["error"]["error"] == "error: 2 of 3 rows have more than 80 tokens\nload4.jsonl:2\nload4.jsonl:3"
    bad = [
        "load5.jsonl:2: message 2 is empty, or the chat template leaves out its text or calls",
        "load5.jsonl:3: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        "load5.jsonl:5: KeyError('messages')",
    ]
    assert load["bad"]["error"] == "\n".join(["error: 3 of 4 rows cannot be trained on", *bad])
    assert load["skip"]["messages"] == [
        "\n".join(["skip: 3 of 4 rows cannot be trained on", *bad]).replace("load5", "load6")
    ]
    assert load["nothing trained"]["error"] == "error: 1 of 2 rows have nothing to train\nload7.jsonl:2"
    assert load["nothing left"]["error"] == "load8.jsonl: no row is left to train on"


def test_rows_are_read_as_they_are(answers: dict[str, Any]) -> None:
    load, labels = answers["loading"], answers["labels"]
    assert len(load["separators"]["rows"]) == 2
    assert len(load["mixed"]["rows"][0]["input_ids"]) == sum(len(piece) - 1 for piece in labels["llama3_1", "calls"])
    assert load["texts"]["rows"] == [
        {"input_ids": row["labels"], "labels": row["labels"]} for row in load["texts"]["rows"]
    ]


def test_pairs_that_are_too_long(answers: dict[str, Any]) -> None:
    pairs, cut = answers["loading"]["pairs"], answers["loading"]["cut pairs"]
    assert len(pairs["rows"]) == 1 and pairs["messages"][0].startswith("drop: 2 of 3 rows have more than 80 tokens")
    assert [len(r["prompt_ids"]) + max(len(r["chosen_ids"]), len(r["rejected_ids"])) for r in cut["rows"]][1:] == [80]
    assert cut["rows"][0] == pairs["rows"][0]
    assert cut["rows"][1]["chosen_ids"] == pairs["rows"][0]["chosen_ids"]
    nothing = "drop: 2 of 4 rows have nothing to train in the first 80 tokens"
    assert cut["messages"][1] == f"{nothing}\nload12.jsonl:3\nload12.jsonl:4"


def test_trl_trains_on_these_labels(answers: dict[str, Any]) -> None:
    found = answers["training"]["sft"]
    assert found["rows"] == 4 and found["steps"] == 2
    assert {"input_ids", "labels"} <= set(found["columns"])
    assert found["seen"] == found["prepared"]
    assert found["trained"] == found["labels"]
    assert found["loss"] == pytest.approx(found["own_loss"], rel=1e-5)


def test_trl_compares_exactly_these_completions(answers: dict[str, Any]) -> None:
    found = answers["training"]["dpo"]
    pairs = found["pairs"]
    chosen = list(zip(pairs["prompt_ids"], pairs["chosen_ids"], strict=True))
    rejected = list(zip(pairs["prompt_ids"], pairs["rejected_ids"], strict=True))
    assert found["whole"] == [prompt + completion for prompt, completion in chosen + rejected]
    assert found["completions"] == [completion for _, completion in chosen + rejected]
    assert found["logps"]["logps/chosen"] == pytest.approx(sum(found["sums"][:2]) / 2, rel=1e-4)
    assert found["logps"]["logps/rejected"] == pytest.approx(sum(found["sums"][2:]) / 2, rel=1e-4)
    assert found["steps"] == 2 and found["eval_loss"] > 0


@pytest.mark.parametrize("template", ALL)
def test_where_trl_masks_the_same_tokens(answers: dict[str, Any], template: str) -> None:
    """Only where the table says `equal` are TRL's own labels prepare.py's, for every conversation that this takes."""
    found = answers["native"][template]
    assert (found["sha256"], ", ".join(sorted(set(found["conversations"].values())))) == NATIVE[template]
