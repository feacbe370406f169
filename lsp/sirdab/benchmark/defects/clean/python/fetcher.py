"""Fetches many pages at once, politely."""

import asyncio
import json
import logging

_log = logging.getLogger(__name__)


class FetchError(Exception):
    """A page could not be fetched."""


class Fetcher:
    def __init__(self, client, limit=4, attempts=3, pause=0.01):
        self._client = client
        self._limit = asyncio.Semaphore(limit)
        self._attempts = attempts
        self._pause = pause
        self._tasks = set()

    async def text(self, url):
        async with self._limit:
            response = await self._client.get(url)
        if response.status != 200:
            raise FetchError(f"{url}: {response.status}")
        return await response.text()

    async def text_with_retries(self, url):
        for attempt in range(self._attempts - 1):
            try:
                return await self.text(url)
            except FetchError:
                _log.info("trying %s again", url)
                await asyncio.sleep(self._pause * 2**attempt)
        return await self.text(url)

    async def all_texts(self, urls):
        """Return the texts in the order of the addresses; None for those that failed."""
        results = await asyncio.gather(
            *(self.text_with_retries(url) for url in urls), return_exceptions=True
        )
        texts = []
        for url, result in zip(urls, results, strict=True):
            if isinstance(result, FetchError):
                _log.warning("%s is left out", url)
                texts.append(None)
            elif isinstance(result, BaseException):
                raise result
            else:
                texts.append(result)
        return texts

    async def save(self, url, store):
        text = await self.text(url)
        await store.put(url, text)
        await store.flush()
        return len(text)

    def refresh_later(self, url, store):
        task = asyncio.create_task(self.save(url, store))
        # The loop keeps only weak references to tasks.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def aclose(self):
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()


async def load_settings(path):
    text = await asyncio.to_thread(path.read_text, encoding="utf-8")
    return json.loads(text)


async def consume(queue, handle, stop):
    """Handle what is in a queue until `stop` is taken from it; return how many there were."""
    count = 0
    while True:
        item = await queue.get()
        if item is stop:
            return count
        await handle(item)
        count += 1


async def poll(check, interval=0.01, tries=10):
    for _ in range(tries):
        if await check():
            return True
        await asyncio.sleep(interval)
    return False


async def first_answer(calls, timeout=1.0):
    """Return the first answer of several calls and cancel the others."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        done, _ = await asyncio.wait(
            tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED
        )
        if not done:
            raise TimeoutError("nobody answered")
        return next(iter(done)).result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
