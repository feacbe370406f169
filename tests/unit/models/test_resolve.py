"""Which family a model belongs to, by all that is known of it."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

from sirdab.models.catalog import families
from sirdab.models.resolve import Evidence, resolve
from sirdab.models.sentinels import to_probe, to_probe_unnamed

FAMILIES = {family.id: family for family in families()}


def yes(*ids: str) -> dict[str, bool]:
    """What a tokenizer says that has the sentinels of these families and of no others."""
    known = {token for id_ in ids for token in to_probe(FAMILIES[id_])}
    return {token: token in known for token in to_probe_unnamed()}


QWEN_TOKENS = yes("qwen2.5-coder")
NO_TOKENS = yes()
# What Ollama's library has for these models, shortened to what fills in.
QWEN_SUFFIX = (
    "{{- if .Suffix }}<|fim_prefix|>{{ .Prompt }}<|fim_suffix|>{{ .Suffix }}<|fim_middle|>{{ end }}"
)
CODESTRAL_SUFFIX = "{{- if .Suffix }}[SUFFIX]{{ .Suffix }}[PREFIX] {{ .Prompt }}{{ end }}"
STARCODER_SUFFIX = (
    "{{ if .Suffix }}<fim_prefix>{{ .Prompt }}<fim_suffix>{{ .Suffix }}<fim_middle>{{ end }}"
)
DEEPSEEK_SUFFIX = (
    "{{- if .Suffix }}<｜fim▁begin｜>{{ .Prompt }}<｜fim▁hole｜>{{ .Suffix }}<｜fim▁end｜>{{ end }}"
)
ODD_SUFFIX = "{{ .Prompt }}<my_hole>{{ .Suffix }}"
CHATML = "{% for m in messages %}{{ '<|im_start|>' + m['role'] }}{% endfor %}"
LLAMA3 = "{{ '<|start_header_id|>' + role + '<|end_header_id|>' }}{{ text + '<|eot_id|>' }}"
PHI4 = "{{ '<|im_start|>' + role + '<|im_sep|>' + text + '<|im_end|>' }}"
GEMMA = "{{ '<start_of_turn>' + role + text + '<end_of_turn>' }}"
DEEPSEEK_CHAT = "### Instruction:\n{{ text }}\n### Response:\n{{ answer }}\n<|EOT|>"


class Case(NamedTuple):
    """What is known, and what is to come of it.

    Attributes:
        evidence: What is known.
        family: Id of the family.
        source: What decided.
        first: The first layout.
        problem: A part of the sentence; "" for none.
    """

    evidence: Evidence
    family: str
    source: str
    first: str
    problem: str = ""


def ollama(
    name: str, family: str, template: str = "", *more: str, embeds: bool = False
) -> Evidence:
    can = {"embedding"} if embeds else {"completion", *more}
    return Evidence((name,), family, template, frozenset(can))


def gguf(
    name: str, architecture: str = "", tokens: dict[str, bool] | None = None, template: str = ""
) -> Evidence:
    return Evidence((name,), architecture, template, None, tokens or {})


CASES: dict[str, Case] = {
    # Only a name.
    "a name": Case(gguf("qwen2.5-coder:1.5b"), "qwen2.5-coder", "name", "prefix-as-middle"),
    "a path": Case(gguf("/m/starcoder2-3b_Q8_0.gguf"), "starcoder2", "name", "psm"),
    "a chat model": Case(gguf("llama3.2:3b"), "llama-3", "name", "chat"),
    "a lost fine-tune": Case(
        gguf("OpenCodeInterpreter-DS-33B"), "opencodeinterpreter", "name", "chat"
    ),
    "an edit model": Case(gguf("zed-industries/zeta"), "zeta", "name", "prefix-only"),
    "nothing": Case(gguf(""), "default", "nothing", "prefix-only"),
    "an unknown name": Case(gguf("my-model"), "default", "nothing", "prefix-only"),
    "the file when the alias says nothing": Case(
        Evidence(("default", "/m/codegemma-2b.Q8_0.gguf")), "codegemma", "name", "psm"
    ),
    # The tokenizer confirms.
    "confirmed": Case(
        gguf("qwen2.5-coder-7b", "qwen2", QWEN_TOKENS),
        "qwen2.5-coder", "server", "prefix-as-middle",
    ),
    "confirmed without architecture": Case(
        gguf("codegemma:2b", "", yes("codegemma")), "codegemma", "server", "psm"
    ),
    "confirmed suffix first": Case(
        gguf("Mellum-4b-base", "llama", yes("mellum")), "mellum", "server", "spm"
    ),
    "a sentinel that no layout writes": Case(
        gguf("Codestral-22B", "llama", {"[SUFFIX]": True, "[PREFIX]": True, "[MIDDLE]": False}),
        "codestral", "server", "spm",
    ),
    "confirmed with blanks": Case(
        gguf("codellama:7b-code", "llama", {"<PRE>": True, "<SUF>": True, "<MID>": True}),
        "codellama", "server", "psm",
    ),
    "only some were probed": Case(
        gguf("starcoder2:3b", "starcoder2", {"<fim_prefix>": True}), "starcoder2", "name", "psm"
    ),
    # The tokenizer denies.
    "no sentinel": Case(
        gguf("qwen2.5-coder-7b", "qwen2", NO_TOKENS),
        "qwen2.5-coder", "server", "prefix-only",
        "does not know Qwen2.5-Coder's <|fim_prefix|>; Sirdab continues text only",
    ),
    "one missing sentinel": Case(
        gguf("deepseek-coder-6.7b-base", "llama",
             {"<｜fim▁begin｜>": True, "<｜fim▁hole｜>": True, "<｜fim▁end｜>": False}),
        "deepseek-coder", "server", "prefix-only", "DeepSeek-Coder's <｜fim▁end｜>",
    ),
    "santacoder's hyphens": Case(
        gguf("santacoder", "starcoder", {"<fim-prefix>": False, "<fim_prefix>": True}),
        "santacoder", "server", "prefix-only", "SantaCoder's <fim-prefix>",
    ),
    "no sentinel, but the server fills in": Case(
        Evidence(("qwen2.5-coder",), "", "", frozenset({"completion", "insert"}), NO_TOKENS),
        "qwen2.5-coder", "server", "insert", "continues text only",
    ),
    # Another family's tokenizer.
    "renamed to another family": Case(
        gguf("qwen2.5-coder-7b.gguf", "llama", yes("deepseek-coder")),
        "deepseek-coder", "server", "psm", "is called Qwen2.5-Coder but fills in as DeepSeek-Coder",
    ),
    "another tokenizer of a strange architecture": Case(
        gguf("qwen2.5-coder-7b.gguf", "mamba", yes("deepseek-coder")),
        "qwen2.5-coder", "server", "prefix-only", "continues text only",
    ),
    "another tokenizer, architecture not known": Case(
        gguf("codegemma-2b.gguf", "", yes("starcoder2")),
        "codegemma", "server", "prefix-only", "continues text only",
    ),
    # The architecture.
    "an architecture that no member has": Case(
        gguf("qwen2.5-coder-7b.gguf", "llama"),
        "qwen2.5-coder", "server", "prefix-only", 'of the architecture "llama"',
    ),
    "an architecture in capitals": Case(
        gguf("qwen2.5-coder-7b.gguf", " Qwen2 "), "qwen2.5-coder", "name", "prefix-as-middle"
    ),
    "the tokenizer beats the architecture": Case(
        gguf("qwen2.5-coder-7b.gguf", "qwen2-custom", QWEN_TOKENS),
        "qwen2.5-coder", "server", "prefix-as-middle",
    ),
    # Renamed files: the name says nothing.
    "renamed": Case(
        gguf("model.gguf", "qwen2", QWEN_TOKENS), "qwen2.5-coder", "server", "prefix-as-middle"
    ),
    "renamed mixture of experts": Case(
        gguf("ggml-model-q4_0.gguf", "qwen3moe", QWEN_TOKENS), "qwen3-coder", "server", "psm"
    ),
    "renamed starcoder2": Case(
        gguf("model.gguf", "starcoder2", yes("starcoder2")), "starcoder2", "server", "psm"
    ),
    "renamed starcoder": Case(
        gguf("model.gguf", "starcoder", yes("starcoder")), "starcoder", "server", "psm"
    ),
    "renamed stable code": Case(
        gguf("model.gguf", "stablelm", yes("stable-code")), "stable-code", "server", "psm"
    ),
    "renamed deepseek v2": Case(
        gguf("model.gguf", "deepseek2", yes("deepseek-coder-v2")),
        "deepseek-coder-v2", "server", "psm",
    ),
    "renamed, of an architecture of nobody": Case(
        gguf("model.gguf", "rwkv", QWEN_TOKENS), "default", "nothing", "prefix-only"
    ),
    "renamed, architecture not known": Case(
        gguf("model.gguf", "", QWEN_TOKENS), "default", "nothing", "prefix-only"
    ),
    "renamed, without sentinels": Case(
        gguf("model.gguf", "qwen2", NO_TOKENS), "default", "nothing", "prefix-only"
    ),
    # Sentinels in a vocabulary prove no training.
    "qwen2.5 is no coder": Case(gguf("qwen2.5:7b", "qwen2", QWEN_TOKENS), "qwen", "name", "chat"),
    "a lost fine-tune with sentinels": Case(
        gguf("OpenCodeInterpreter-DS-6.7B.gguf", "llama", yes("deepseek-coder")),
        "opencodeinterpreter", "name", "chat",
    ),
    "code llama 34b with sentinels": Case(
        gguf("codellama-34b.Q4_K_M.gguf", "llama", yes("codellama")),
        "codellama-text", "name", "prefix-only",
    ),
    "codegemma-it with sentinels": Case(
        gguf("codegemma-7b-it.gguf", "gemma", yes("codegemma")), "codegemma-it", "name", "chat"
    ),
    # Ollama's templates and capabilities.
    "ollama fills in": Case(
        ollama("qwen2.5-coder:7b", "qwen2", QWEN_SUFFIX, "tools", "insert"),
        "qwen2.5-coder", "server", "prefix-as-middle",
    ),
    "ollama without a template for filling in": Case(
        ollama("qwen2.5-coder:7b-base", "qwen2", "{{ .Prompt }}"),
        "qwen2.5-coder", "name", "prefix-as-middle",
    ),
    "ollama's template names the family": Case(
        ollama("mycoder:latest", "qwen2", QWEN_SUFFIX, "insert"),
        "qwen2.5-coder", "server", "prefix-as-middle",
    ),
    "ollama's template, suffix first": Case(
        ollama("mycoder:latest", "llama", CODESTRAL_SUFFIX, "insert"), "codestral", "server", "spm"
    ),
    "the architecture chooses among those who share sentinels": Case(
        ollama("mycoder:latest", "starcoder2", STARCODER_SUFFIX, "insert"),
        "starcoder2", "server", "psm",
    ),
    "the name chooses among those who share sentinels": Case(
        ollama("granite-code:8b-base", "llama", STARCODER_SUFFIX, "insert"),
        "granite-code", "server", "psm",
    ),
    "ollama's template is another family's": Case(
        ollama("codellama:7b", "llama", DEEPSEEK_SUFFIX, "insert"),
        "deepseek-coder", "server", "psm", "is called Code Llama but fills in as DeepSeek-Coder",
    ),
    "ollama fills in with sentinels of nobody": Case(
        ollama("mycoder:latest", "llama", ODD_SUFFIX, "insert"), "default", "server", "insert"
    ),
    "a capability without a template": Case(
        ollama("mycoder:latest", "llama", "", "insert"), "default", "server", "insert"
    ),
    "a chat model that its server fills in with": Case(
        ollama("llama3.1:8b", "llama", ODD_SUFFIX, "insert"), "llama-3", "server", "insert"
    ),
    "an embedding model": Case(
        ollama("nomic-embed-text", "nomic-bert", embeds=True),
        "default", "server", "prefix-only", "cannot write",
    ),
    "an embedding model by its architecture": Case(
        gguf("all-minilm.gguf", "bert"), "default", "server", "prefix-only", "cannot write"
    ),
    # Chat templates of models whose names say nothing.
    "llama 3 by its template": Case(
        gguf("model.gguf", "llama", NO_TOKENS, LLAMA3), "llama-3", "server", "chat"
    ),
    "phi-4 before chatml": Case(gguf("model.gguf", "phi3", {}, PHI4), "phi-4", "server", "chat"),
    "gemma by its template": Case(
        gguf("model.gguf", "gemma3", {}, GEMMA), "gemma", "server", "chat"
    ),
    "chatml": Case(gguf("model.gguf", "qwen2", {}, CHATML), "chatml", "server", "prefix-only"),
    "deepseek's instructions": Case(
        gguf("model.gguf", "llama", {}, DEEPSEEK_CHAT), "deepseek-coder-instruct", "server", "chat"
    ),
    "sentinels before the chat template": Case(
        gguf("model.gguf", "qwen2", QWEN_TOKENS, CHATML),
        "qwen2.5-coder", "server", "prefix-as-middle",
    ),
    "a template of another architecture": Case(
        gguf("model.gguf", "qwen2", {}, GEMMA), "default", "nothing", "prefix-only"
    ),
}  # fmt: skip


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 40


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_resolution(case: Case) -> None:
    found = resolve(case.evidence)
    assert (found.family.id, found.source) == (case.family, case.source)
    assert found.family.layouts[0] == case.first
    assert case.problem in found.problem
    assert bool(found.problem) == bool(case.problem)
    assert bool(found.reason) == (found.source != "nothing")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_layouts_can_be_written(case: Case) -> None:
    family = resolve(case.evidence).family
    written = {"psm", "spm", "prefix-as-middle"} & set(family.layouts)
    assert (family.fim is not None) == bool(written)
    assert family.sentinels, "they are neutralised in a prompt even when they are not used"
    assert family.context_style == "comments" or family.repository is not None


def _sentences(cases: Iterable[Case]) -> list[str]:
    return [problem for case in cases if (problem := resolve(case.evidence).problem)]


def test_problems_are_sentences_that_say_what_to_do() -> None:
    sentences = _sentences(CASES.values())
    assert len(sentences) >= 10
    for sentence in sentences:
        assert sentence.endswith(".")
        assert "\n" not in sentence
        assert "models.toml" in sentence or "choose a code model" in sentence


def test_a_name_without_a_model_is_still_a_sentence() -> None:
    found = resolve(Evidence(("", "  "), "bert"))
    assert found.problem.startswith("This model turns text into vectors")


USERS = """
[[families]]
id = "mine"
patterns = ['^qwen2[.]5-coder-special']
like = "deepseek-coder"
"""


@pytest.fixture
def users_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SIRDAB_CONFIG", str(tmp_path / "config.toml"))
    path = tmp_path / "models.toml"
    path.write_text(USERS, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("evidence", "problem"),
    [
        (gguf("qwen2.5-coder-special.gguf"), ""),
        (gguf("qwen2.5-coder-special.gguf", "qwen2"), ""),
        (gguf("qwen2.5-coder-special.gguf", "llama", yes("deepseek-coder")), ""),
        (ollama("qwen2.5-coder-special", "qwen2", QWEN_SUFFIX, "insert"), ""),
        (gguf("qwen2.5-coder-special.gguf", "qwen2", QWEN_TOKENS), "does not know <｜fim▁begin｜>"),
    ],
)
def test_the_user_beats_server_and_name(users_file: Path, evidence: Evidence, problem: str) -> None:
    found = resolve(evidence)
    assert (found.family.id, found.source) == ("mine", "user")
    assert found.family.layouts[0] == "psm"
    assert problem in found.problem
    assert bool(found.problem) == bool(problem)


def test_other_names_are_not_the_users(users_file: Path) -> None:
    assert resolve(gguf("qwen2.5-coder-7b")).family.id == "qwen2.5-coder"


@pytest.mark.parametrize(
    ("family", "tokens"),
    [
        ("qwen2.5-coder", ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")),
        ("codellama", ("<PRE>", "<SUF>", "<MID>")),
        ("codestral", ("[PREFIX]", "[SUFFIX]")),
        ("codegeex4", ("<|code_prefix|>", "<|code_suffix|>", "<|code_middle|>")),
        ("llama-3", ()),
        ("default", ()),
    ],
)
def test_what_is_probed(family: str, tokens: tuple[str, ...]) -> None:
    assert to_probe(FAMILIES[family]) == tokens


def test_without_a_name_every_sentinel_is_probed_once() -> None:
    tokens = to_probe_unnamed()
    assert len(tokens) == len(set(tokens))
    assert set(tokens) == {token for family in families() for token in to_probe(family)}
    assert all(token == token.strip() for token in tokens)
