"""The catalog: what a name means, and that its facts hold together."""

from importlib import resources

import pytest

from sirdab.models import catalog


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
        ("DeepSeek-Coder-V2-Lite-Base", "deepseek-coder"),
        ("codellama:7b-code", "codellama"),
        ("codellama-13b-instruct", "codellama"),
        ("codegemma:2b", "codegemma"),
        # Models of these families that were not trained to fill in.
        ("CodeLlama-7B-Python.Q4_K_M.gguf", "default"),
        ("codellama:34b", "default"),
        ("codegemma-7b-it", "default"),
        ("starcoder2-15b-instruct-v0.1", "default"),
        # Names that only resemble one.
        ("qwen2.5:7b", "default"),
        ("codeqwen-1.5", "default"),
        ("deepseek-r1:8b", "default"),
        ("llama3.2", "default"),
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
    ],
)
def test_sentinels_and_preferred_layout(family: str, layout: str, prompt: str) -> None:
    known = next(entry for entry in catalog.families() if entry.id == family)
    assert known.layouts[0] == layout
    assert known.fim is not None
    assert f"{known.fim.prefix}P{known.fim.suffix}S{known.fim.middle}" == prompt


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


@pytest.mark.parametrize(
    "change",
    [
        ('layouts = ["prefix-as-middle", "psm", "prefix-only"]', 'layouts = ["spm"]'),
        ('layouts = ["prefix-as-middle", "psm", "prefix-only"]', 'layouts = ["reversed"]'),
        ('layouts = ["prefix-as-middle", "psm", "prefix-only"]', "layouts = []"),
        ('spm = "<PRE> <SUF>{suffix} <MID> {prefix}"', 'spm = "<PRE> {prefix} <SUF>{suffix}"'),
    ],
)
def test_a_layout_that_cannot_be_written_is_refused(change: tuple[str, str]) -> None:
    text = resources.files("sirdab.models").joinpath("catalog.toml").read_text(encoding="utf-8")
    assert change[0] in text
    with pytest.raises(ValueError, match="catalog"):
        catalog.parse(text.replace(*change))


def test_every_family_is_complete() -> None:
    for family in catalog.families():
        assert family.source, family.id
        assert family.licence, family.id
        assert family.context_tokens > 0, family.id
        assert family.layouts[-1] == "prefix-only", family.id
        assert (family.fim is None) == (family.layouts == ("prefix-only",)), family.id
        assert family.sentinels, family.id
        assert all(token == token.strip() for token in family.sentinels), family.id
        if family.fim is not None:
            own = (family.fim.prefix, family.fim.suffix, family.fim.middle)
            assert {token.strip() for token in own} <= set(family.sentinels), family.id


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
