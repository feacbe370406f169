"""The sample project and its holes."""

import ast

import pytest

from sirdab.cli.places import SamplePlace, sample_places
from sirdab.text.store import Point

PLACES = sample_places()


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.file}:{place.point.line}")
def test_putting_the_hole_back_gives_the_authors_code(place: SamplePlace) -> None:
    whole = place.snapshot.text.replace(place.point, place.point, place.written)
    if place.file.endswith(".py"):
        ast.parse(str(whole))
    assert place.written
    rest = place.snapshot.text.line_body(place.point.line)[place.point.column :]
    assert rest in ("", ")")
    assert isinstance(place.point, Point)
