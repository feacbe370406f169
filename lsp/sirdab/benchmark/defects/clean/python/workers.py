"""Threads that work through a queue, and what they report."""

import logging
import threading
from collections import deque

_log = logging.getLogger(__name__)


class Closed(Exception):
    """The queue takes and gives nothing any more."""


class TaskQueue:
    def __init__(self):
        self._tasks = deque()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, task):
        with self._changed:
            if self._closed:
                raise Closed
            self._tasks.append(task)
            self._changed.notify()

    def get(self, timeout=None):
        with self._changed:
            while not self._tasks and not self._closed:
                if not self._changed.wait(timeout):
                    return None
            if not self._tasks:
                raise Closed
            return self._tasks.popleft()

    def close(self):
        with self._changed:
            self._closed = True
            self._changed.notify_all()


def work(queue, handle):
    """Handle tasks until the queue is closed; a task that is refused does not end the thread."""
    done = 0
    while True:
        try:
            task = queue.get()
        except Closed:
            return done
        try:
            handle(task)
        except ValueError as error:
            _log.warning("task %r was refused: %s", task, error)
            continue
        done += 1


class Progress:
    def __init__(self, total, listeners=None):
        if listeners is None:
            listeners = []
        self.total = total
        self.done = 0
        self._listeners = listeners
        self._lock = threading.Lock()

    def subscribe(self, listener):
        self._listeners.append(listener)

    def advance(self, amount=1):
        with self._lock:
            self.done += amount
            done = self.done
        for listener in list(self._listeners):
            listener(done, self.total)

    def unsubscribe_dead(self):
        for listener in self._listeners[:]:
            if not listener.alive:
                self._listeners.remove(listener)

    def share(self):
        if self.total == 0:
            return 1.0
        return self.done / self.total


class Pool:
    def __init__(self, connect, size):
        self._connect = connect
        self._free = []
        self._size = size
        self._used = 0
        self._lock = threading.Lock()

    def acquire(self):
        with self._lock:
            if self._free:
                return self._free.pop()
            if self._used >= self._size:
                raise Closed
            self._used += 1
        try:
            return self._connect()
        except OSError:
            with self._lock:
                self._used -= 1
            raise

    def release(self, connection):
        with self._lock:
            self._free.append(connection)


def start_all(names, target):
    threads = []
    for name in names:
        thread = threading.Thread(target=lambda name=name: target(name), daemon=True)
        threads.append(thread)
    for thread in threads:
        thread.start()
    return threads


def batches(tasks, size, limit=None):
    """Return tasks in lists of `size`, at most `limit` lists."""
    found = []
    current = []
    for task in tasks:
        current.append(task)
        if len(current) == size:
            found.append(current)
            current = []
    if current:
        found.append(current)
    return found if limit is None else found[:limit]


def drain(queue):
    items = []
    while queue:
        items.append(queue.popleft())
    return items


class LogBuffer:
    """Keeps the last lines of a log, for a page that shows them."""

    def __init__(self, size=100):
        self._lines = deque(maxlen=size)
        self._lock = threading.Lock()

    def write(self, line):
        with self._lock:
            self._lines.append(line.rstrip("\n"))

    def text(self):
        with self._lock:
            return "\n".join(self._lines)
