"""Which model of all that are here is used, and why."""

from collections.abc import Mapping

import pytest

from sirdab.models.catalog import family_of
from sirdab.models.choose import Offer, choose, is_for_text, is_named
from sirdab.models.speeds import Figures, key_of

GB = 1_000_000_000
OLLAMA, STUDIO, OURS = "Ollama at http://a", "LM Studio at http://b", "the embedded server"


def offer(
    model: str,
    size: float = 1.0,
    *,
    server: str = OLLAMA,
    loaded: bool = False,
    current: bool = False,
    fills_in: bool | None = None,
) -> Offer:
    family = family_of(model)
    return Offer(
        server,
        model,
        family,
        family.fim is not None if fills_in is None else fills_in,
        int(size * GB),
        is_loaded=loaded,
        is_embedded=server == OURS,
        is_current=current,
    )


CODER_05 = offer("qwen2.5-coder:0.5b", 0.5)
CODER_15 = offer("qwen2.5-coder:1.5b", 1.1)
CODER_7 = offer("qwen2.5-coder:7b", 4.7)
CODER_32 = offer("qwen2.5-coder:32b", 20)
CHAT = offer("llama3.2:3b", 2)
CHAT_CODER = offer("codellama-python:7b", 3.8)
EMBEDDED = offer("qwen2.5-coder-0.5b", 0.5, server=OURS)
EMBEDDED_RUNS = offer("qwen2.5-coder-0.5b", 0.5, server=OURS, loaded=True)
STUDIO_7 = offer("qwen2.5-coder-7b", 4.7, server=STUDIO)

QUICK, SLOW = Figures(1000, 100), Figures(20, 5)


def known(**speeds: Figures) -> Mapping[str, Figures]:
    names = {"q05": CODER_05, "q15": CODER_15, "q7": CODER_7, "ours": EMBEDDED}
    return {key_of(names[name].model, "127.0.0.1"): one for name, one in speeds.items()}


@pytest.mark.parametrize(
    ("offers", "speeds", "expected"),
    [
        # What fills in the middle, then what was made for code, then anything.
        ((CHAT, CODER_05), {}, CODER_05),
        ((CHAT, CHAT_CODER), {}, CHAT_CODER),
        ((CHAT,), {}, CHAT),
        ((CHAT, EMBEDDED), {}, EMBEDDED),
        ((offer("llama3.2:3b", 2, loaded=True), EMBEDDED), {}, EMBEDDED),
        # The larger one, unless it is too slow or presumably so.
        ((CODER_05, CODER_15), {}, CODER_15),
        ((CODER_05, CODER_15, CODER_7), {}, CODER_7),
        ((CODER_7, CODER_32), {}, CODER_7),
        ((CODER_05, CODER_7), {"q7": SLOW}, CODER_05),
        ((CODER_05, CODER_7), {"q7": QUICK}, CODER_7),
        ((CODER_05, CODER_7), {"q05": Figures(200, 20)}, CODER_05),
        ((CODER_05, CODER_15), {"q05": SLOW, "q15": SLOW}, CODER_05),
        # What another server does says nothing: it may have a graphics card.
        ((EMBEDDED, CODER_7), {"ours": SLOW}, CODER_7),
        # What is in memory, and what is in use.
        ((CODER_7, offer("qwen2.5-coder:1.5b", 1.1, loaded=True)), {}, "qwen2.5-coder:1.5b"),
        ((CODER_7, offer("qwen2.5-coder:1.5b", 1.1, current=True)), {}, "qwen2.5-coder:1.5b"),
        ((EMBEDDED_RUNS, CODER_7), {}, EMBEDDED_RUNS),
        ((EMBEDDED, CODER_7), {}, CODER_7),
        ((CODER_7, offer("qwen2.5-coder:32b", 20, loaded=True)), {}, "qwen2.5-coder:32b"),
        ((STUDIO_7, offer("qwen2.5-coder:1.5b", 1.1, loaded=True)), {"q15": SLOW}, STUDIO_7),
        # Of two that are equally good the one of the preferred server.
        ((STUDIO_7, CODER_7), {}, STUDIO_7),
        ((CODER_7, STUDIO_7), {}, CODER_7),
        # Not for text.
        ((offer("nomic-embed-text", 0.3), CHAT), {}, CHAT),
        ((offer("nomic-embed-text", 0.3),), {}, None),
        ((), {}, None),
    ],
)
def test_the_choice(
    offers: tuple[Offer, ...], speeds: dict[str, Figures], expected: Offer | str | None
):
    choice = choose(offers, known(**speeds))
    if choice is None:
        assert expected is None
        return
    assert expected in (choice.offer, choice.offer.model)
    assert choice.reason.endswith(".") or choice.reason.endswith("qwen2.5-coder-0.5b")
    assert "\n" not in choice.reason
    assert len(choice.others) == len([one for one in offers if is_for_text(one.model)]) - 1


@pytest.mark.parametrize(
    ("model", "billions"),
    [
        ("qwen2.5-coder-7b-instruct", 7),
        ("qwen2.5-coder:1.5b", 1.5),
        ("Qwen/Qwen3-Coder-30B-A3B", 30),
        ("starcoder2", 0),
        ("model-8bit", 0),
        ("mub7bx", 0),
    ],
)
def test_how_large_a_model_is_by_its_name(model: str, billions: float):
    assert offer(model, 0).weight == pytest.approx(billions * 0.6e9)
    assert offer(model, 2).weight == 2 * GB


@pytest.mark.parametrize(
    ("wanted", "model", "same"),
    [
        ("auto", "anything", True),
        ("qwen2.5-coder:1.5b", "qwen2.5-coder:1.5b", True),
        ("Qwen2.5-Coder:1.5B", "qwen2.5-coder:1.5b", True),
        ("codestral", "codestral:latest", True),
        ("codestral:latest", "codestral", True),
        ("qwen2.5-coder-7b", "lmstudio-community/qwen2.5-coder-7b", True),
        ("qwen2.5-coder-7b.gguf", "qwen2.5-coder-7b", True),
        ("qwen2.5-coder-0.5b", "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf", True),
        ("qwen2.5-coder", "qwen2.5-coder:7b", False),
        ("codestral", "codestral:22b", False),
        ("", "codestral", False),
    ],
)
def test_a_named_model(wanted: str, model: str, same: bool):
    assert is_named(model, wanted) is same
    choice = choose((offer(model),), {}, wanted)
    assert (choice is not None) is same


@pytest.mark.parametrize(
    ("offers", "wanted", "words"),
    [
        ((CHAT, EMBEDDED), "auto", "llama3.2:3b of Ollama at http://a"),
        ((CHAT, EMBEDDED), "auto", "cannot"),
        ((CHAT,), "auto", "sirdab model pull"),
        ((CODER_05,), "auto", "only model"),
        ((CODER_05, CODER_7), "auto", "of 2 models found"),
        ((CODER_05, CODER_7), "qwen2.5-coder:0.5b", "endpoint.model names it"),
        ((CODER_05, CODER_7), "auto", "the largest of those that should be quick enough"),
        ((CODER_32, offer("qwen2.5-coder:14b", 9)), "auto", "the smallest of those that do"),
    ],
)
def test_the_reason(offers: tuple[Offer, ...], wanted: str, words: str):
    choice = choose(offers, {}, wanted)
    assert choice is not None
    assert words in choice.reason
    assert choice.offer.model in choice.reason
