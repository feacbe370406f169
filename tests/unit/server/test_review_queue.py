"""One review at a time: what a person waits for first, then the latest, then the rest."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from sirdab.server.review.queue import Rank, ReviewQueue


class Work:
    """Reviews that run until they are told to end, and what became of them."""

    def __init__(self) -> None:
        self.queue = ReviewQueue()
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.running: set[str] = set()
        self._gates: dict[str, asyncio.Event] = {}

    def begin(self, name: str, rank: Rank) -> "asyncio.Task[str]":
        return asyncio.ensure_future(self.queue.run(rank, self._work(name)))

    def end(self, name: str) -> None:
        self._gates.setdefault(name, asyncio.Event()).set()

    def _work(self, name: str) -> Callable[[], Awaitable[str]]:
        async def work() -> str:
            self.begun.append(name)
            self.running.add(name)
            assert len(self.running) == 1, "two reviews at once"
            try:
                await self._gates.setdefault(name, asyncio.Event()).wait()
            finally:
                self.running.discard(name)
            self.ended.append(name)
            return name

        return work


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_who_waits_goes_in_the_order_of_asking() -> None:
    work = Work()
    tasks = [work.begin(name, Rank.ASKED) for name in "abc"]
    for name in "abc":
        work.end(name)
    assert await asyncio.gather(*tasks) == ["a", "b", "c"]
    assert work.begun == ["a", "b", "c"]


async def test_the_latest_of_those_that_nobody_asked_for_goes_first() -> None:
    work = Work()
    asked = work.begin("asked", Rank.ASKED)
    await settle()
    others = [work.begin(name, Rank.UNASKED) for name in "abc"]
    await settle()
    for name in ("asked", *"abc"):
        work.end(name)
    await asyncio.gather(asked, *others)
    assert work.ended == ["asked", "c", "b", "a"]


@pytest.mark.parametrize(
    ("first", "second", "gives_way"),
    [
        (Rank.UNASKED, Rank.ASKED, True),
        (Rank.WORKSPACE, Rank.ASKED, True),
        (Rank.WORKSPACE, Rank.UNASKED, True),
        (Rank.UNASKED, Rank.UNASKED, True),
        (Rank.ASKED, Rank.ASKED, False),
        (Rank.ASKED, Rank.UNASKED, False),
        (Rank.WORKSPACE, Rank.WORKSPACE, False),
        (Rank.UNASKED, Rank.WORKSPACE, False),
    ],
)
async def test_what_gives_way_is_begun_again(first: Rank, second: Rank, gives_way: bool) -> None:
    work = Work()
    one = work.begin("one", first)
    await settle()
    two = work.begin("two", second)
    await settle()
    work.end("one")
    work.end("two")
    assert await asyncio.gather(one, two) == ["one", "two"]
    assert work.begun == (["one", "two", "one"] if gives_way else ["one", "two"])


async def test_who_is_cancelled_makes_room() -> None:
    work = Work()
    one, two, three = (work.begin(name, Rank.ASKED) for name in ("one", "two", "three"))
    await settle()
    two.cancel()
    one.cancel()
    await settle()
    assert work.running == {"three"}
    work.end("three")
    assert await three == "three"
    assert one.cancelled()
    assert two.cancelled()


async def test_what_fails_makes_room_and_tells_why() -> None:
    queue = ReviewQueue()

    async def fail() -> None:
        raise ValueError("why")

    async def succeed() -> int:
        return 1

    failing = asyncio.ensure_future(queue.run(Rank.ASKED, fail))
    other = asyncio.ensure_future(queue.run(Rank.ASKED, succeed))
    with pytest.raises(ValueError, match="why"):
        await failing
    assert await other == 1


async def test_one_that_is_cancelled_by_something_else_is_not_begun_again() -> None:
    queue = ReviewQueue()
    begun: list[int] = []

    async def work() -> None:
        begun.append(1)
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await queue.run(Rank.UNASKED, work)
    assert begun == [1]
