"""Who goes first, and what is begun again."""

import asyncio

import pytest

from sirdab.endpoint.lane import Lane


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
