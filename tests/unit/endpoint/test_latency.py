"""When a model is too slow to be of use."""

import pytest

from sirdab.endpoint.latency import LatencyWindow

LATE = None


@pytest.mark.parametrize(
    ("waits", "is_slow"),
    [
        ([], False),
        ([60.0, 60.0], False),
        ([0.2] * 10, False),
        ([6.0, 6.0, 6.0], True),
        ([4.9] * 10, False),
        ([0.1] * 9 + [40.0], False),
        ([0.1] * 9 + [60.0], True),
        ([LATE, LATE, LATE], True),
        ([LATE, 0.2, 0.2, LATE], False),
        ([LATE, 0.2, LATE], True),
        # Only the last ten count.
        ([60.0] * 10 + [0.2] * 10, False),
        ([LATE] * 10 + [0.2] * 5, False),
        ([0.2] * 10 + [LATE] * 6, True),
    ],
)
def test_slow(waits: list[float | None], is_slow: bool):
    window = LatencyWindow()
    for wait in waits:
        if wait is None:
            window.timed_out()
        else:
            window.answered(wait)
    assert window.is_slow is is_slow
    window.clear()
    assert not window.is_slow


def test_what_a_user_breaks_off_counts_when_it_was_long():
    window = LatencyWindow()
    for _ in range(10):
        window.given_up(0.3)
    assert (window.mean_s, window.is_slow) == (0.0, False)
    for _ in range(3):
        window.given_up(8.0)
    assert (window.mean_s, window.is_slow) == (8.0, True)
