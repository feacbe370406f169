import threading
from collections import OrderedDict

from cache import Counter, LruCache, TtlCache, memoized
from support import Watched, raises


class Recency(Watched):
    """What the cache asks of an OrderedDict, with the lock looked at."""

    def move_to_end(self, key):
        self[key] = self.pop(key)

    def popitem(self, last=True):
        assert not last
        key = next(iter(self))
        return key, self.pop(key)


with raises(ValueError):
    LruCache(0)
cache = LruCache(2)
assert isinstance(cache._entries, OrderedDict)
assert cache.hit_ratio() == 0.0
cache.put("a", 1)
cache.put("b", 2)
assert len(cache) == 2
assert cache.get("a") == 1
cache.put("c", 3)
assert cache.get("b") is None and cache.get("b", 7) == 7
assert cache.get("a") == 1 and cache.get("c") == 3
assert (cache.hits, cache.misses) == (3, 2)
assert cache.hit_ratio() == 0.6
cache.put("a", 4)
assert cache.get("a") == 4 and len(cache) == 2
cache.drop_where(lambda key: key == "a")
assert cache.get("a") is None and cache.get("c") == 3
one = LruCache(1)
one.put("x", 1)
assert one.get("x") == 1 and len(one) == 1

watched = LruCache(2)
watched._entries = Recency(watched._lock)
for key in "abc":
    watched.put(key, key)
assert watched.get("c") == "c" and watched.get("a") is None
watched.drop_where(lambda key: True)
assert len(watched) == 0
empty = LruCache(1)
empty._entries = Recency(empty._lock)
assert empty.get("a") is None
empty.drop_where(lambda key: True)

now = [0.0]
cache = TtlCache(10, clock=lambda: now[0])
cache.put("a", 1)
cache.put("b", 2, seconds=0)
cache.put("c", 3, seconds=30)
assert cache.get("b") is None, "zero seconds are none"
assert cache.get("a") == 1
assert cache.get("z", 5) == 5
now[0] = 10.0
assert cache.get("a") is None and "a" not in cache._entries
assert cache.get("c") == 3
cache.put("d", 4)
now[0] = 30.0
cache.purge()
assert cache._entries == {}
cache.put("e", 5)
cache.purge()
assert cache.get("e") == 5

calls = []


@memoized
def square(number):
    """Square it."""
    calls.append(number)
    return number * number


assert [square(3), square(3), square(4)] == [9, 9, 16]
assert calls == [3, 4]
assert square.__name__ == "square"

counter = Counter()
counter.add("a")
counter.add("b", 3)
counter.add("a", 2)
counter.add("c")
assert counter.snapshot() == {"a": 3, "b": 3, "c": 1}
assert counter.most_common() == [("a", 3), ("b", 3), ("c", 1)]
assert counter.most_common(2) == [("a", 3), ("b", 3)]
assert counter.most_common(0) == []
counter.snapshot()["a"] = 9
assert counter.snapshot()["a"] == 3
counter._counts = Watched(counter._lock)
counter.add("x")
assert counter.snapshot() == {"x": 1}
assert not counter._lock.locked() and isinstance(counter._lock, type(threading.Lock()))
