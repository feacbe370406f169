"""Caches for values that take long to compute."""

import threading
import time
from collections import OrderedDict
from functools import wraps


class LruCache:
    """Keeps the values that were used last; safe to use from several threads."""

    def __init__(self, capacity):
        if capacity < 1:
            raise ValueError("capacity must be positive")
        self._capacity = capacity
        self._entries = OrderedDict()
        self._lock = threading.Lock()
        self.hits = 0
        self.misses = 0

    def get(self, key, default=None):
        with self._lock:
            if key not in self._entries:
                self.misses += 1
                return default
            self._entries.move_to_end(key)
            self.hits += 1
            return self._entries[key]

    def put(self, key, value):
        with self._lock:
            self._entries[key] = value
            self._entries.move_to_end(key)
            while len(self._entries) > self._capacity:
                self._entries.popitem(last=False)

    def hit_ratio(self):
        asked = self.hits + self.misses
        if asked == 0:
            return 0.0
        return self.hits / asked

    def drop_where(self, condition):
        with self._lock:
            for key in list(self._entries):
                if condition(key):
                    del self._entries[key]

    def __len__(self):
        return len(self._entries)


class TtlCache:
    def __init__(self, seconds, clock=time.monotonic):
        self._seconds = seconds
        self._clock = clock
        self._entries = {}

    def put(self, key, value, seconds=None):
        lifetime = self._seconds if seconds is None else seconds
        self._entries[key] = (value, self._clock() + lifetime)

    def get(self, key, default=None):
        entry = self._entries.get(key)
        if entry is None:
            return default
        value, until = entry
        if self._clock() >= until:
            del self._entries[key]
            return default
        return value

    def purge(self):
        now = self._clock()
        for key, (_, until) in list(self._entries.items()):
            if until <= now:
                del self._entries[key]


def memoized(function):
    known = {}

    @wraps(function)
    def wrapper(*arguments):
        if arguments not in known:
            known[arguments] = function(*arguments)
        return known[arguments]

    return wrapper


class Counter:
    """Counts events by name in several threads."""

    def __init__(self):
        self._counts = {}
        self._lock = threading.Lock()

    def add(self, name, amount=1):
        with self._lock:
            self._counts[name] = self._counts.get(name, 0) + amount

    def snapshot(self):
        with self._lock:
            return dict(self._counts)

    def most_common(self, limit=None):
        counts = self.snapshot()
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return ordered if limit is None else ordered[:limit]
