import logging
import threading
from collections import deque

import workers
from support import raises
from workers import Closed, LogBuffer, Pool, Progress, TaskQueue, batches, drain, start_all, work

logging.disable(logging.CRITICAL)
queue = TaskQueue()
assert queue.get(timeout=0.001) is None
queue.put(1)
queue.put(2)
assert queue.get() == 1
queue.close()
with raises(Closed):
    queue.put(3)
assert queue.get() == 2, "what is in it is still given out"
with raises(Closed):
    queue.get()

queue = TaskQueue()
got = []
thread = threading.Thread(target=lambda: got.append(queue.get(1.0)), daemon=True)
thread.start()
queue.put("x")
thread.join(1.5)
assert got == ["x"]


def handle(task):
    if task == "bad":
        raise ValueError(task)
    if task == "broken":
        raise RuntimeError(task)
    got.append(task)


def filled(*tasks):
    queue = TaskQueue()
    for task in tasks:
        queue.put(task)
    queue.close()
    return queue


assert work(filled("a", "bad", "b"), handle) == 2 and got[1:] == ["a", "b"]
with raises(RuntimeError):
    work(filled("broken"), handle)


class Broken:
    def get(self):
        raise RuntimeError


with raises(RuntimeError):
    work(Broken(), handle)

calls = []
progress = Progress(4)
progress.subscribe(lambda *figures: calls.append(figures))
progress.advance()
progress.advance(2)
assert calls == [(1, 4), (3, 4)] and progress.share() == 0.75
assert Progress(2)._listeners == [], "each has listeners of its own"
assert Progress(0).share() == 1.0 and Progress(3).share() == 0.0
given = [lambda *figures: calls.append("given")]
Progress(1, given).advance()
assert calls[-1] == "given"


class Listener:
    def __init__(self, alive):
        self.alive = alive


progress = Progress(1, [Listener(False), Listener(False), Listener(True), Listener(False)])
progress.unsubscribe_dead()
assert [listener.alive for listener in progress._listeners] == [True]


class Once:
    def __init__(self):
        self.calls = 0

    def __call__(self, done, total):
        self.calls += 1
        progress._listeners.remove(self)


progress = Progress(2)
listeners = [Once(), Once()]
for listener in listeners:
    progress.subscribe(listener)
progress.advance()
assert [listener.calls for listener in listeners] == [1, 1]


class Locked(Progress):
    """Looks whether the lock is held when the count changes."""

    held = []

    def __setattr__(self, name, value):
        if name == "done" and "_lock" in self.__dict__:
            Locked.held.append(self._lock.locked())
        super().__setattr__(name, value)


Locked(3).advance()
assert Locked.held == [True]


class HeldList(list):
    lock = None

    def _look(self):
        assert self.lock is None or self.lock.locked(), "the lock is not held"

    def pop(self, *arguments):
        self._look()
        return super().pop(*arguments)

    def append(self, item):
        self._look()
        super().append(item)


class WatchedPool(Pool):
    held = []

    def __setattr__(self, name, value):
        if name == "_used" and "_lock" in self.__dict__:
            WatchedPool.held.append(self._lock.locked())
        super().__setattr__(name, value)


made = []


def make():
    made.append(len(made))
    return made[-1]


pool = WatchedPool(make, 2)
pool._free = HeldList()
pool._free.lock = pool._lock
one, two = pool.acquire(), pool.acquire()
assert (one, two) == (0, 1)
with raises(Closed):
    pool.acquire()
pool.release(one)
assert pool.acquire() == 0 and len(made) == 2
left = [1]


def unreliable():
    if left:
        left.pop()
        raise OSError
    return "ok"


pool = WatchedPool(unreliable, 1)
with raises(OSError):
    pool.acquire()
assert pool.acquire() == "ok", "what failed does not count"
assert WatchedPool.held and all(WatchedPool.held)

names = []
threads = start_all(["a", "b", "c"], names.append)
for thread in threads:
    thread.join(1)
assert sorted(names) == ["a", "b", "c"]
assert all(thread.daemon for thread in threads) and len(threads) == 3
assert batches([1, 2, 3, 4, 5], 2) == [[1, 2], [3, 4], [5]]
assert batches([1, 2], 2) == [[1, 2]] and batches([], 2) == []
assert batches([1, 2, 3], 1, limit=2) == [[1], [2]] and batches([1], 1, limit=0) == []
items = deque([1, 2, 3])
assert drain(items) == [1, 2, 3] and not items


class HeldLines(deque):
    lock = None

    def append(self, item):
        assert self.lock is None or self.lock.locked(), "the lock is not held"
        super().append(item)

    def __iter__(self):
        assert self.lock is None or self.lock.locked(), "the lock is not held"
        return super().__iter__()


log = LogBuffer(2)
for line in ("one\n", "two", "three\n"):
    log.write(line)
assert log.text() == "two\nthree"
log._lines = HeldLines()
log._lines.lock = log._lock
log.write("x")
assert log.text() == "x" and workers.Closed is Closed
