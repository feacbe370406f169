"""Values whose types a server decides."""

import pytest

from sirdab.endpoint.untrusted import count, figure, mapping, objects, text, texts


@pytest.mark.parametrize(
    ("value", "expect"),
    [
        (0, 0.0),
        (12, 12.0),
        (12.5, 12.5),
        (-1, 0.0),
        (True, 0.0),
        ("12", 0.0),
        (None, 0.0),
        ([1], 0.0),
        (float("inf"), 0.0),
        (float("nan"), 0.0),
        (1e300, 0.0),
        (10**5000, 0.0),
    ],
    ids=lambda value: repr(value)[:10] if value != 10**5000 else "huge",
)
def test_figures(value: object, expect: float):
    assert figure(value) == expect
    assert count(value) == int(expect)


@pytest.mark.parametrize("value", [None, 1, True, [], ["a"], "a", {"a": 1}])
def test_types(value: object):
    assert text(value) == (value if isinstance(value, str) else "")
    assert mapping(value) == (value if isinstance(value, dict) else {})
    assert texts(value) == (("a",) if value == ["a"] else ())
    assert list(objects(value)) == []


def test_what_a_list_holds_beside_what_is_wanted_is_left_out():
    mixed: list[object] = [{"a": 1}, "b", None, 3, ["c"], {}]
    assert list(objects(mixed)) == [{"a": 1}, {}]
    assert texts(mixed) == ("b",)
