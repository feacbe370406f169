"""News of a review is gathered, and none of it is lost."""

import asyncio

import pytest

from sirdab.server.review import showing
from sirdab.server.review.showing import Showing


async def until(condition: "asyncio.Event") -> None:
    await asyncio.wait_for(condition.wait(), 20)


async def test_the_first_news_shows_at_once_and_the_rest_is_gathered() -> None:
    times: list[int] = []
    one = Showing(lambda: times.append(1))
    one.news()
    assert len(times) == 1
    for _ in range(100):
        one.news()
    assert len(times) == 1
    one.end()
    assert len(times) == 2
    one.end()
    assert len(times) == 2


async def test_what_was_gathered_shows_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(showing, "_LEAST_SECONDS", 0.001)
    shown = asyncio.Event()
    one = Showing(shown.set)
    one.news()
    shown.clear()
    one.news()
    await until(shown)


async def test_what_costs_much_is_done_seldom() -> None:
    now = [0.0]
    times: list[float] = []

    def show() -> None:
        times.append(now[0])
        now[0] += 1.0

    one = Showing(show, lambda: now[0])
    one.news()
    now[0] = 20.0
    one.news()
    assert times == [0.0]
    one.end()
    now[0] = 100.0
    one.news()
    assert times == [0.0, 20.0, 100.0]
