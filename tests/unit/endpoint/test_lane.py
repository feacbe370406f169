"""Who goes first, and what is begun again."""

import asyncio

import pytest

from sirdab.endpoint.base import EndpointError
from sirdab.endpoint.lane import MOST_WAITING, SPECULATION_QUIET_SECONDS, Lane, Priority


async def test_what_gave_way_is_done_again() -> None:
    lane = Lane(quiet_s=0)
    begun = 0

    async def work() -> int:
        nonlocal begun
        begun += 1
        if begun == 1:
            lane.touch()
            await asyncio.Event().wait()
        return begun

    assert await lane.run(work) == 2


async def test_what_was_cancelled_by_something_else_is_not() -> None:
    begun = 0

    async def work() -> None:
        nonlocal begun
        begun += 1
        assert begun == 1, "it would be begun for ever"
        raise asyncio.CancelledError

    lane = Lane(quiet_s=0)
    with pytest.raises(asyncio.CancelledError):
        await lane.run(work)

    async def other() -> str:
        return "next"

    assert await lane.run(other) == "next"


class Worker:
    """Work that goes on until it is told to end, and notes who was at it."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.begun: list[str] = []
        self.done: list[str] = []
        self.finish: dict[str, asyncio.Event] = {}

    def add(
        self, name: str, priority: Priority = Priority.REVIEW, owner: str = ""
    ) -> "asyncio.Task[str]":
        self.finish[name] = asyncio.Event()

        async def work() -> str:
            self.begun.append(name)
            await self.finish[name].wait()
            self.done.append(name)
            return name

        return asyncio.ensure_future(self.lane.run(work, priority=priority, owner=owner))

    def end(self, *names: str) -> None:
        for name in names:
            self.finish[name].set()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_the_more_urgent_of_those_that_wait_goes_first() -> None:
    lane = Lane(quiet_s=0)
    worker = Worker(lane)
    with lane.urgent():
        tasks = [
            worker.add("review", Priority.REVIEW),
            worker.add("ahead", Priority.READ_AHEAD),
            worker.add("speculation", Priority.SPECULATION),
        ]
        await settle()
        assert worker.begun == []
    worker.end("review", "ahead", "speculation")
    await asyncio.gather(*tasks)
    assert worker.done == ["speculation", "ahead", "review"]


async def test_the_more_urgent_takes_the_lane_and_the_other_is_done_again() -> None:
    worker = Worker(Lane(quiet_s=0))
    review = worker.add("review", Priority.REVIEW)
    await settle()
    speculation = worker.add("speculation", Priority.SPECULATION)
    await settle()
    assert worker.begun == ["review", "speculation"]
    worker.end("speculation", "review")
    assert await speculation == "speculation"
    assert await review == "review"
    assert worker.begun == ["review", "speculation", "review"]


async def test_equals_do_not_take_the_lane_from_each_other() -> None:
    worker = Worker(Lane(quiet_s=0))
    first = worker.add("first")
    await settle()
    second = worker.add("second")
    await settle()
    assert worker.begun == ["first"]
    worker.end("first", "second")
    await asyncio.gather(first, second)
    assert worker.begun == ["first", "second"]


@pytest.mark.parametrize(
    ("come", "go"),
    [
        ("a1 a2 a3 b1", "a1 b1 a2 a3"),
        ("a1 a2 a3 b1 b2 b3", "a1 b1 a2 b2 a3 b3"),
        ("a1 a2 b1 c1 b2 a3", "a1 b1 c1 a2 b2 a3"),
    ],
)
async def test_documents_take_turns(come: str, go: str) -> None:
    worker = Worker(Lane(quiet_s=0))
    names = come.split()
    tasks = [worker.add(name, owner=name[0]) for name in names]
    await settle()
    worker.end(*names)
    await asyncio.gather(*tasks)
    assert worker.done == go.split()


async def test_who_is_cancelled_twice_is_not_in_the_way() -> None:
    lane = Lane(quiet_s=0)
    begun = asyncio.Event()
    ended = asyncio.Event()

    async def slow_to_end() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await ended.wait()

    task = asyncio.ensure_future(lane.run(slow_to_end))
    await begun.wait()
    task.cancel()
    await settle()
    task.cancel()
    await settle()
    ended.set()

    async def other() -> str:
        return "next"

    async with asyncio.timeout(10):
        assert await lane.run(other) == "next"


async def test_no_more_than_so_much_waits() -> None:
    worker = Worker(Lane(quiet_s=0))
    tasks = [worker.add(str(number)) for number in range(MOST_WAITING + 1)]
    await settle()
    with pytest.raises(EndpointError, match="try again"):
        await worker.add("one too many")
    worker.end(*map(str, range(MOST_WAITING + 1)))
    await asyncio.gather(*tasks)
    last = worker.add("later")
    worker.end("later")
    assert await last == "later"


async def test_who_stops_waiting_is_not_in_the_way() -> None:
    worker = Worker(Lane(quiet_s=0))
    tasks = [worker.add(name) for name in ("running", "gone", "next")]
    await settle()
    tasks[1].cancel()
    await settle()
    tasks[0].cancel()
    worker.end("next")
    assert await tasks[2] == "next"
    assert worker.begun == ["running", "next"]


async def test_a_keystroke_stops_what_has_been_granted_and_not_begun() -> None:
    lane = Lane(quiet_s=0)
    worker = Worker(lane)
    task = worker.add("work")
    await asyncio.sleep(0)
    lane.touch()
    worker.end("work")
    assert await task == "work"


async def test_speculation_does_not_wait_as_long_as_the_rest() -> None:
    now = 100.0
    lane = Lane(quiet_s=60, clock=lambda: now)
    worker = Worker(lane)
    lane.touch()
    now += SPECULATION_QUIET_SECONDS + 0.01
    review = worker.add("review")
    speculation = worker.add("speculation", Priority.SPECULATION)
    worker.end("speculation")
    assert await speculation == "speculation"
    assert worker.begun == ["speculation"]
    review.cancel()
