import asyncio
import json
import pathlib
import time

import fetcher
from fetcher import FetchError, Fetcher, consume, first_answer, load_settings, poll
from support import raises


class Answer:
    def __init__(self, status, body):
        self.status = status
        self._body = body

    async def text(self):
        return self._body


class Client:
    def __init__(self, failures=0):
        self.failures = failures
        self.asked = []
        self.now = self.most = 0
        self.closed = False

    async def get(self, url):
        self.asked.append(url)
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.001)
        self.now -= 1
        if url.endswith("bad") or self.failures > 0:
            self.failures -= 1
            return Answer(500, "")
        if url.endswith("broken"):
            raise RuntimeError("a defect")
        return Answer(200, url.upper())

    async def aclose(self):
        self.closed = True


class Store:
    def __init__(self):
        self.kept = {}
        self.flushed = 0

    async def put(self, url, text):
        await asyncio.sleep(0)
        self.kept[url] = text

    async def flush(self):
        await asyncio.sleep(0)
        self.flushed += 1


async def fetching():
    client = Client()
    one = Fetcher(client, limit=2, pause=0.001)
    assert await one.text("a") == "A"
    with raises(FetchError):
        await one.text("bad")
    client = Client(failures=2)
    assert await Fetcher(client, pause=0.001).text_with_retries("a") == "A"
    assert len(client.asked) == 3
    client = Client(failures=3)
    with raises(FetchError):
        await Fetcher(client, pause=0.001).text_with_retries("a")
    assert len(client.asked) == 3
    client = Client()
    with raises(RuntimeError):
        await Fetcher(client, pause=0.001).text_with_retries("broken")
    assert len(client.asked) == 1, "only what may help is tried again"
    client = Client()
    many = Fetcher(client, limit=2, pause=0.001)
    assert await many.all_texts(["a", "bad", "b", "c", "d"]) == ["A", None, "B", "C", "D"]
    assert client.most == 2
    with raises(RuntimeError):
        await many.all_texts(["a", "broken"])
    store = Store()
    assert await many.save("abc", store) == 3
    assert store.kept == {"abc": "ABC"} and store.flushed == 1
    task = many.refresh_later("d", store)
    assert task in many._tasks
    await many.aclose()
    assert store.kept["d"] == "D" and task.done() and client.closed
    await asyncio.sleep(0)
    assert not many._tasks


async def pauses():
    slept = []
    real = asyncio.sleep

    async def sleep(seconds):
        slept.append(seconds)
        await real(0)

    fetcher.asyncio.sleep = sleep
    try:
        client = Client(failures=2)
        await Fetcher(client, pause=0.5).text_with_retries("a")
        assert [one for one in slept if one >= 0.5] == [0.5, 1.0]
    finally:
        fetcher.asyncio.sleep = real


async def others_run(work):
    """Whether other tasks run while `work` waits."""
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    ticker = asyncio.create_task(tick())
    await asyncio.sleep(0)
    before = ticks
    await work
    ticker.cancel()
    return ticks - before > 2


async def waiting():
    assert await others_run(
        Fetcher(Client(failures=1), pause=0.002).text_with_retries("a")
    )

    async def never():
        return False

    async def at_once():
        return True

    assert await poll(never, 0.001, 3) is False
    assert await poll(at_once, 60, 3) is True
    calls = []

    async def third():
        calls.append(1)
        return len(calls) == 3

    assert await poll(third, 0.001, 5) is True
    assert len(calls) == 3
    assert await others_run(poll(never, 0.002, 3))
    path = pathlib.Path("settings.json")
    path.write_text(json.dumps({"a": True, "b": None}))
    assert await load_settings(path) == {"a": True, "b": None}

    class Slow:
        def read_text(self, encoding):
            time.sleep(0.01)
            return "[]"

    assert await others_run(load_settings(Slow()))


async def queues():
    queue = asyncio.Queue()
    stop = object()
    for item in (1, 2, stop, 3):
        queue.put_nowait(item)
    seen = []

    async def handle(item):
        await asyncio.sleep(0)
        seen.append(item)

    assert await consume(queue, handle, stop) == 2
    assert seen == [1, 2]


async def racing():
    cancelled = []

    async def late(seconds, value):
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            cancelled.append(value)
            raise
        return value

    assert await first_answer([late(30, "slow"), late(0.001, "quick")]) == "quick"
    assert cancelled == ["slow"]
    with raises(TimeoutError):
        await first_answer([late(30, "slow")], timeout=0.001)
    assert cancelled == ["slow", "slow"]


async def main():
    for part in (fetching, pauses, waiting, queues, racing):
        # Nothing may hang.
        await asyncio.wait_for(part(), 1.5)


import warnings  # noqa: E402

with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    asyncio.run(main())
assert not any("never awaited" in str(one.message) for one in seen), seen
