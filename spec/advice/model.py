"""Advice about the model: its code, its revision, its size, and its chat template."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..diagnostics import Level
from ..fields import is_local
from ..sizing.model_size import parameters, shown
from .base import Problem, Seen, advice
from .data import SMALL_SET

VERY_LARGE = 70e9
GATED = ("meta-llama/", "google/gemma-2", "google/gemma-3", "google/codegemma", "google/medgemma")
_COMMIT = re.compile(r"[0-9a-f]{40}")
# Base models whose tokenizer has no chat template. Qwen's base models have one, and so are not here.
_BASE = (
    re.compile(r"meta-llama/(meta-)?llama-(2|3|3\.1|3\.2|3\.3)-\d+b(-hf)?", re.IGNORECASE),
    re.compile(r"mistralai/mi[sx]tral-(\d+x)?\d+b-v\d\.\d", re.IGNORECASE),
    re.compile(r"google/(gemma-\d+b|gemma-2-\d+b|gemma-3-\d+b-pt)", re.IGNORECASE),
    re.compile(r"huggingfacetb/smollm2?-\d+(\.\d+)?[bm]", re.IGNORECASE),
    re.compile(r"(tiiuae/falcon-\d+b|eleutherai/pythia-.*)", re.IGNORECASE),
    re.compile(r"(?!qwen/)[^/]+/.*-base", re.IGNORECASE),
)


@advice("TF135", "code of a repository is run")
def remote_code(seen: Seen) -> Iterator[Problem]:
    """With `trust_remote_code: true`, Python code from the model's repository runs with your rights, on the machine
    that trains: whoever may write there, now or later, runs code on it. Transformers itself advises to name a
    revision, so that the code cannot change after you have read it. Most models need no code of their own.

    Fix: remove it. If the model does need it, read the code, pin `model.revision` to the commit that you read, and
    agree with `accept: [TF135]`.

    Source: https://github.com/huggingface/transformers/blob/main/SECURITY.md.

    Example:

        model: {id: acme/odd-model, trust_remote_code: true}

    Instead:

        model: {id: acme/odd-model}
    """
    model = seen.spec.model
    if not model.trust_remote_code:
        return
    whose = f"code from the folder `{model.id}`" if is_local(model.id) else f"code from the repository `{model.id}`"
    changing = not is_local(model.id) and not _is_commit(model.revision)
    message = f"{whose} runs with your rights" + (", and may change at any time" if changing else "")
    hint = "remove it" + ("; or read the code, and pin `model.revision` to that commit" if changing else "")
    yield "model.trust_remote_code", message, hint


@advice("TF136", "a revision that may move", Level.NOTE)
def pinned(seen: Seen) -> Iterator[Problem]:
    """A branch or a tag may lead to other weights or rows tomorrow; only a commit (40 hexadecimal digits) stays. So
    that a small spec stays small, this speaks only where the spec asks for it: a `revision` is written that is no
    commit, or some repositories are pinned and others are not.

    Fix: write the commit, which the repository's page shows under "Files" as its history.

    Source: https://huggingface.co/docs/huggingface_hub/guides/download.

    Example:

        model: {id: acme/tiny, revision: main}

    Instead:

        model: {id: acme/tiny, revision: c1899de289a04d12100db370d81485cdf75e47ca}
    """
    model, data = seen.spec.model, seen.spec.data
    found = [] if is_local(model.id) else [("model.revision", model.id, model.revision)]
    eval_rows = data.eval.sources if data.eval else None
    held = (("data.train", data.train), ("data.eval", eval_rows), ("data.test", data.test))
    for path, sources in held:
        found += [(f"{path}[{i}].revision", s.id, s.revision) for i, s in enumerate(sources or ()) if s.id]
    some = any(_is_commit(revision) for _, _, revision in found)
    for path, name, revision in found:
        if revision and not _is_commit(revision):
            yield (
                path,
                f"`{revision}` of `{name}` is no commit and may move",
                "write the commit: 40 hexadecimal digits",
            )
        elif some and not revision:
            yield path, f"`{name}` is not pinned, while others are", "add `revision:` with a commit"


@advice("TF137", "a very large model for few rows")
def large_for_few(seen: Seen) -> Iterator[Problem]:
    """What up to 1,000 rows can teach, mostly a form and a tone, a model of 7 to 14 billion parameters learns as well;
    at 70 billion and more each try takes several of the largest GPUs. LIMA found that 1,000 rows teach form and hardly
    knowledge, and made its comparisons with 7 billion parameters.

    Fix: begin with a smaller model of the family, and go up when evaluation shows that it is needed.

    Source: LIMA, https://arxiv.org/abs/2305.11206.

    Example, with 300 training rows:

        model: meta-llama/Llama-3.3-70B-Instruct

    Instead, with 300 training rows:

        model: meta-llama/Llama-3.1-8B-Instruct
    """
    size, rows = parameters(seen.spec.model.id), seen.facts.rows_train
    if size is not None and size >= VERY_LARGE and rows is not None and rows <= SMALL_SET:
        message = f"about {shown(size)} parameters for {rows:,} rows: a smaller one may learn as much from them"
        yield "model.id", message, "begin with 7B to 14B of the same family, and compare"


@advice("TF138", "a base model has no chat template")
def base_model(seen: Seen) -> Iterator[Problem]:
    """A base model was trained on plain text. Its tokenizer mostly comes without a chat template, and then rows that
    are conversations cannot be turned into tokens: the run stops before its first step. This is told from the name,
    for families that are known to be so, and says nothing where the spec names a template or another tokenizer.

    Fix: take the model's instruct version, or give `model.chat_template` a file.

    Source: https://huggingface.co/docs/transformers/chat_templating; for Llama,
    https://github.com/sgl-project/sglang/issues/3385.

    Example:

        model: meta-llama/Llama-3.1-8B

    Instead:

        model: meta-llama/Llama-3.1-8B-Instruct
    """
    model = seen.spec.model
    if seen.facts.shape != "chat" or model.chat_template or model.tokenizer or is_local(model.id):
        return
    if any(pattern.fullmatch(model.id) for pattern in _BASE):
        message = f"`{model.id}` is a base model; its tokenizer mostly has no chat template, which these rows need"
        yield "model.id", message, "take its instruct version, or set `model.chat_template`"


@advice("TF144", "a model whose licence must be accepted")
def licence_is_accepted(seen: Seen) -> Iterator[Problem]:
    """The hub gives the weights of some families (Llama, Gemma) only to accounts that have accepted their licence on
    the model's page; a run without that ends before its first step. `model.accept_eula: true` says that you have.

    Fix: accept the licence on the model's page, and write `accept_eula: true`.

    Source: https://huggingface.co/docs/hub/models-gated.

    Example:

        model: meta-llama/Llama-3.1-8B-Instruct

    Instead:

        model: {id: meta-llama/Llama-3.1-8B-Instruct, accept_eula: true}
    """
    model = seen.spec.model
    if not model.accept_eula and model.id.lower().startswith(GATED):
        message = f"`{model.id}` is given only to accounts that have accepted its licence"
        yield "model.id", message, "accept it on the model's page, and write `accept_eula: true`"


def _is_commit(revision: str | None) -> bool:
    return revision is not None and _COMMIT.fullmatch(revision) is not None
