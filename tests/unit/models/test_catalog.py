"""The catalog: what a name means, and that its facts hold together."""

import re
from importlib import resources

import pytest

from sirdab.models import catalog
from sirdab.models.memory import BITS_PER_WEIGHT


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("qwen2.5-coder:0.5b", "qwen2.5-coder"),
        ("Qwen2.5-Coder-1.5B-Instruct-Q4_K_M.gguf", "qwen2.5-coder"),
        ("Qwen2.5 Coder 0.5B Instruct AWQ", "qwen2.5-coder"),
        ("/models/blobs/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf", "qwen2.5-coder"),
        ("C:\\models\\starcoder2-3b.gguf", "starcoder2"),
        ("starcoder2:3b", "starcoder2"),
        ("bigcode/starcoderbase-1b", "starcoder"),
        ("deepseek-coder:1.3b-base", "deepseek-coder"),
        ("DeepSeek-Coder-V2-Lite-Base", "deepseek-coder-v2"),
        ("codellama:7b-code", "codellama"),
        ("codellama-13b-instruct", "codellama"),
        ("codegemma:2b", "codegemma"),
        # Models of these families that were not trained to fill in.
        ("CodeLlama-7B-Python.Q4_K_M.gguf", "codellama-text"),
        ("codellama:34b", "codellama-text"),
        ("codegemma-7b-it", "codegemma-it"),
        ("starcoder2-15b-instruct-v0.1", "starcoder2-instruct"),
        # Names that only resemble one.
        ("qwen2.5:7b", "qwen"),
        ("deepseek-r1:8b", "deepseek-chat"),
        ("llamafile", "default"),
        ("/qwen2.5-coder/other.gguf", "default"),
        ("", "default"),
    ],
)
def test_family_of_a_name(name: str, family: str) -> None:
    assert catalog.family_of(name).id == family


@pytest.mark.parametrize(
    ("family", "layout", "prompt"),
    [
        ("qwen2.5-coder", "prefix-as-middle", "<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>"),
        ("starcoder2", "psm", "<fim_prefix>P<fim_suffix>S<fim_middle>"),
        ("starcoder", "psm", "<fim_prefix>P<fim_suffix>S<fim_middle>"),
        (
            "deepseek-coder",
            "psm",
            "<\uff5cfim\u2581begin\uff5c>P<\uff5cfim\u2581hole\uff5c>S<\uff5cfim\u2581end\uff5c>",
        ),
        ("codellama", "psm", "<PRE> P <SUF>S <MID>"),
        ("codegemma", "psm", "<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>"),
        ("qwen3-coder", "psm", "<|fim_prefix|>P<|fim_suffix|>S<|fim_middle|>"),
        ("codeqwen", "psm", "<fim_prefix>P<fim_suffix>S<fim_middle>"),
        ("granite-code", "psm", "<fim_prefix>P<fim_suffix>S<fim_middle>"),
        ("stable-code", "psm", "<fim_prefix>P<fim_suffix>S<fim_middle>"),
        ("refact", "psm", "<fim_prefix>P<fim_suffix>S<fim_middle>"),
        ("santacoder", "psm", "<fim-prefix>P<fim-suffix>S<fim-middle>"),
        (
            "deepseek-coder-v2",
            "psm",
            "<\uff5cfim\u2581begin\uff5c>P<\uff5cfim\u2581hole\uff5c>S<\uff5cfim\u2581end\uff5c>",
        ),
    ],
)
def test_sentinels_and_preferred_layout(family: str, layout: str, prompt: str) -> None:
    known = next(entry for entry in catalog.families() if entry.id == family)
    assert known.layouts[0] == layout
    assert known.fim is not None
    assert f"{known.fim.prefix}P{known.fim.suffix}S{known.fim.middle}" == prompt


@pytest.mark.parametrize(
    ("family", "prompt"),
    [
        ("mellum", "<fim_suffix>S<fim_prefix>P<fim_middle>"),
        ("seed-coder", "<[fim-suffix]>S<[fim-prefix]>P<[fim-middle]>"),
        ("codestral", "[SUFFIX]S[PREFIX]P"),
        (
            "codegeex4",
            (
                "<|user|>\n###PATH:\n###LANGUAGE:\n###MODE:BLOCK\n"
                "<|code_suffix|>S<|code_prefix|>P<|code_middle|><|assistant|>\n"
            ),
        ),
    ],
)
def test_families_that_were_only_shown_the_suffix_first(family: str, prompt: str) -> None:
    known = next(entry for entry in catalog.families() if entry.id == family)
    assert known.layouts[0] == "spm"
    assert "psm" not in known.layouts
    assert known.fim is not None
    assert known.fim.spm.format(suffix="S", prefix="P") == prompt


def test_a_family_that_was_measured_prefers_what_was_best() -> None:
    measured = [family for family in catalog.families() if family.layout_figures]
    assert measured
    for family in measured:
        figures = family.layout_figures
        assert figures[0].layout == family.layouts[0], family.id
        for model in {one.model for one in figures}:
            of_model = [one for one in figures if one.model == model]
            assert of_model[0].exact == max(one.exact for one in of_model), family.id
            assert {one.layout for one in of_model} <= set(family.layouts), family.id
        assert all(0 <= one.exact <= 1 and 0 <= one.similarity <= 1 for one in figures)


_QWEN_LAYOUTS = 'layouts = ["prefix-as-middle", "psm", "insert", "prefix-only"]'


@pytest.mark.parametrize(
    "change",
    [
        (_QWEN_LAYOUTS, 'layouts = ["spm"]'),
        (_QWEN_LAYOUTS, 'layouts = ["reversed"]'),
        (_QWEN_LAYOUTS, "layouts = []"),
        ('spm = "<PRE> <SUF>{suffix} <MID> {prefix}"', 'spm = "<PRE> {prefix} <SUF>{suffix}"'),
    ],
)
def test_a_layout_that_cannot_be_written_is_refused(change: tuple[str, str]) -> None:
    first, *others = (_file(name) for name in catalog.FILES)
    assert change[0] in first
    with pytest.raises(ValueError, match="catalog is not valid"):
        catalog.parse(first.replace(*change), *others)


def _file(name: str) -> str:
    return resources.files("sirdab.models").joinpath(name).read_text(encoding="utf-8")


def _families_of_file(name: str) -> list[str]:
    return re.findall(r'^\[\[families\]\]\nid = "(.+)"', _file(name), re.MULTILINE)


def test_each_file_holds_what_it_says() -> None:
    known = {family.id: family for family in catalog.families()}
    filling, chatting, none = (_families_of_file(name) for name in catalog.FILES)
    assert all(known[id_].fim is not None for id_ in filling)
    assert all(known[id_].fim is None for id_ in chatting)
    assert not none
    assert [*filling, *chatting] == list(known)


# Facts of which a source is required, by what an entry says; see `catalog_file`.
@pytest.mark.parametrize("fact", ["fim", "context", "licence", "chat", "sizes", "repository"])
def test_a_fact_without_a_source_is_refused(fact: str) -> None:
    texts = [_file(name) for name in catalog.FILES]
    pattern = rf"(?ms)(^\[families\.sources\]\n[^\[]*?)^{fact} = [^\n]+\n"
    text, count = re.subn(pattern, r"\1", texts[0], count=1)
    assert count
    with pytest.raises(ValueError, match=f"does not say where {fact} was read"):
        catalog.parse(text, *texts[1:])


def test_what_is_from_memory_is_admitted() -> None:
    for family in catalog.families():
        remembered = [fact for fact, source in family.sources.items() if "memory" in source]
        assert not remembered or family.evidence, (family.id, remembered)
        for fact, source in family.sources.items():
            assert source.strip(), (family.id, fact)


def test_every_family_is_complete() -> None:
    for family in catalog.families():
        assert family.source, family.id
        assert family.licence, family.id
        assert family.context_tokens > 0 or "not known" in family.sources["context"], family.id
        assert "prefix-only" in family.layouts, family.id
        assert set(family.stop) <= set(family.sentinels), family.id
        assert family.stop, family.id
        assert family.architectures or family.id in ("chatml", "default"), family.id
        written = {"psm", "spm", "prefix-as-middle"} & set(family.layouts)
        assert (family.fim is not None) == bool(written), family.id
        assert family.sentinels, family.id
        assert all(token == token.strip() for token in family.sentinels), family.id
        if family.fim is not None:
            own = (family.fim.prefix, family.fim.suffix, family.fim.middle)
            assert {token.strip() for token in own} <= set(family.sentinels), family.id


def test_sizes_hold_together() -> None:
    for family in catalog.families():
        parameters = [size.parameters for size in family.sizes]
        assert parameters == sorted(parameters), family.id
        for size in family.sizes:
            assert 0 <= size.active < size.parameters, (family.id, size.name)
            assert size.width * size.vocabulary < size.parameters, (family.id, size.name)
            # What a name says is what is there, embeddings counted or not ("2B" of CodeGemma).
            said = re.match(r"([\d.]+)([BM])", size.name)
            if said:
                unit = 1e9 if said[2] == "B" else 1e6
                assert 0.75 < size.parameters / (float(said[1]) * unit) < 1.3, size.name


def test_quantisations_have_a_known_size() -> None:
    for family in catalog.families():
        assert set(family.quantisations) <= set(BITS_PER_WEIGHT), family.id


def test_a_family_without_a_system_turn_is_told_its_task_by_the_user() -> None:
    chat = catalog.known_family_of("mistral:7b").chat
    assert chat is not None
    assert chat.prompt("Be brief.", "Hi", "Yes?", "Go") == (
        "[INST] Be brief.\n\nHi [/INST]Yes?</s>[INST] Go [/INST]"
    )


def test_a_chat_writes_each_text_once() -> None:
    for family in catalog.families():
        if family.chat is not None:
            written = family.chat.prompt("THE TASK", "A QUESTION")
            assert written.count("THE TASK") == written.count("A QUESTION") == 1, family.id
            assert written.index("THE TASK") < written.index("A QUESTION"), family.id
            assert written.endswith(family.chat.answer), family.id
            assert "{text}" not in written, family.id


def test_the_last_family_takes_what_nobody_else_knows() -> None:
    assert catalog.families()[-1].id == "default"
    assert catalog.families()[-1].matches("\N{SNOWMAN}")


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("qwen2.5-coder-0.5b", "qwen2.5-coder-0.5b"),
        ("Qwen2.5-Coder-0.5B", "qwen2.5-coder-0.5b"),
        ("qwen2.5-coder:1.5b", "qwen2.5-coder-1.5b"),
        ("qwen2.5-coder-1.5b-instruct-q4_k_m.gguf", "qwen2.5-coder-1.5b"),
        ("qwen2.5-coder", None),
        ("auto", None),
    ],
)
def test_downloadable_model_of_a_name(name: str, model: str | None) -> None:
    found = catalog.model_named(name)
    assert (found.id if found else None) == model


def test_every_downloadable_model_is_complete() -> None:
    for model in catalog.downloadable_models():
        assert len(bytes.fromhex(model.sha256)) == 32
        assert model.sha256 == model.sha256.lower()
        assert catalog.family_of(model.id).fim is not None
        assert catalog.family_of(model.file).id == catalog.family_of(model.id).id
        assert isinstance(model.sources[0], catalog.HuggingFaceSource), "the official one is first"
        for source in model.sources:
            if isinstance(source, catalog.WheelSource):
                last = model.size_bytes - (source.parts - 1) * source.part_bytes
                assert 0 < last <= source.part_bytes, "as many parts as the size needs"
    assert catalog.default_model() == catalog.downloadable_models()[0]


def test_wheel_parts_are_named_by_number() -> None:
    source = catalog.WheelSource("part{number}", "1.0", "*/data/part{number:02}.bin", 12, 5)
    assert source.requirement(3) == "part3==1.0"
    assert source.member_glob(3) == "*/data/part03.bin"
    assert source.member_glob(12) == "*/data/part12.bin"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "families = 3",
        'models = []\n[[families]]\nid = "x"',
        "[[families]",
    ],
)
def test_what_is_no_catalog_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="catalog is not valid"):
        catalog.parse(text)
