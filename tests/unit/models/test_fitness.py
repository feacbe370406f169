"""Which model suits a machine."""

from dataclasses import replace

import pytest

from sirdab.models.catalog import Downloadable, default_model, downloadable_models, model_named
from sirdab.models.fitness import choose, latency_ms
from sirdab.models.speeds import Figures, key_of

SMALL = default_model()
_LARGE = model_named("qwen2.5-coder-1.5b")
assert _LARGE is not None
LARGE: Downloadable = _LARGE
HUGE = replace(LARGE, id="huge", file="huge.gguf", size_bytes=LARGE.size_bytes * 10)

# Tokens a second, read and written, of the two models: two cores with the portable build and
# with one for this processor, and a graphics card.
SLOW = {"small": Figures(250, 60), "large": Figures(93, 37)}
NATIVE = {"small": Figures(350, 60), "large": Figures(179, 42)}
CARD = {"small": Figures(9_000, 300), "large": Figures(5_000, 200)}


def known(**figures: Figures) -> dict[str, Figures]:
    names = {"small": SMALL.id, "large": LARGE.id, "huge": HUGE.id}
    return {key_of(names[name], "127.0.0.1"): one for name, one in figures.items()}


@pytest.mark.parametrize(
    ("installed", "figures", "expected"),
    [
        ((SMALL, LARGE), {}, SMALL),
        ((LARGE,), {}, LARGE),
        ((SMALL,), {"small": SLOW["small"]}, SMALL),
        ((SMALL, LARGE), {"small": SLOW["small"]}, LARGE),
        ((SMALL, LARGE), {"small": Figures(100, 20)}, SMALL),
        ((SMALL, LARGE), SLOW, LARGE),
        ((SMALL, LARGE), NATIVE, LARGE),
        ((SMALL, LARGE), {**SLOW, "large": Figures(50, 20)}, SMALL),
        ((SMALL, LARGE, HUGE), NATIVE, LARGE),
        ((SMALL, LARGE, HUGE), CARD, HUGE),
        ((SMALL, LARGE, HUGE), {**CARD, "huge": Figures(50, 10)}, LARGE),
        ((SMALL, LARGE), {"small": Figures(10, 1), "large": Figures(5, 0.5)}, SMALL),
    ],
)
def test_the_largest_that_is_quick_enough(
    installed: tuple[Downloadable, ...], figures: dict[str, Figures], expected: Downloadable
) -> None:
    assert choose(installed, SMALL, known(**figures)).model is expected


def test_the_choice_says_what_it_goes_by() -> None:
    assert choose((SMALL, LARGE), SMALL, {}).reason == ""
    assert "should take about" in choose((SMALL, LARGE), SMALL, known(small=CARD["small"])).reason
    assert (
        "takes about 210 ms"
        in choose((SMALL, LARGE), SMALL, known(large=Figures(1000, 66.7))).reason
    )


@pytest.mark.parametrize("figures", [Figures(), Figures(100), Figures(0, 50)])
def test_half_a_measurement_is_none(figures: Figures) -> None:
    assert latency_ms(figures) is None


def test_every_model_of_the_catalog_has_a_size() -> None:
    assert all(model.size_bytes > 0 for model in downloadable_models())
