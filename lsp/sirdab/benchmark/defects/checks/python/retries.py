import logging

import retries
from retries import (
    Breaker,
    GaveUp,
    RateLimit,
    TemporaryError,
    call_all,
    collect,
    first_working,
    pause_before,
    read_setting,
    retry,
)
from support import raises

for attempt in range(8):
    longest = min(5.0, 0.1 * 2**attempt)
    for _ in range(20):
        assert longest / 2 <= pause_before(attempt) <= longest

assert any(pause_before(9) > 3.0 for _ in range(100)), "they are not all the same"
slept = []


def failing(times, error=TemporaryError):
    left = [times]

    def call():
        if left[0] > 0:
            left[0] -= 1
            raise error("not now")
        return "done"

    return call


assert retry(failing(0), sleep=slept.append) == "done" and slept == []
assert retry(failing(2), sleep=slept.append) == "done" and len(slept) == 2
with raises(GaveUp):
    retry(failing(3), sleep=slept.append)
assert len(slept) == 4
with raises(KeyError):
    retry(failing(1, KeyError), sleep=slept.append)
with raises(ValueError):
    retry(failing(0), attempts=0)
with raises(GaveUp):
    retry(failing(1), attempts=1, sleep=slept.append)
assert retry(failing(1), attempts=2, sleep=slept.append) == "done"


def ask(server):
    if server.startswith("bad"):
        raise ConnectionError("refused")
    if server == "broken":
        raise RuntimeError
    return server.upper()


assert first_working(["bad1", "good", "other"], ask) == "GOOD"
try:
    first_working(["bad1", "bad2"], ask)
except GaveUp as error:
    assert str(error) == "bad1: refused; bad2: refused"
else:
    raise AssertionError
with raises(RuntimeError):
    first_working(["broken", "good"], ask)

assert read_setting({"a": "7"}, "a") == 7 and read_setting({}, "a", 3) == 3
assert read_setting({}, "b") == 0
try:
    read_setting({"a": "x"}, "a")
except ValueError as error:
    assert str(error) == "a must be a number"
else:
    raise AssertionError
with raises(TypeError):
    read_setting({"a": None}, "a")
with raises(ValueError):
    read_setting({"a": "2*3"}, "a")

logging.disable(logging.CRITICAL)
done = []
errors = call_all([lambda: done.append(1), failing(1, KeyError), lambda: done.append(2)])
assert done == [1, 2] and [type(error) for error in errors] == [KeyError]


def interrupted():
    raise KeyboardInterrupt


with raises(KeyboardInterrupt):
    call_all([interrupted])

now = [0.0]
breaker = Breaker(limit=2, rest=10, clock=lambda: now[0])
assert breaker.is_open is False


def down():
    raise ConnectionError


for _ in range(2):
    assert not breaker.is_open
    with raises(ConnectionError):
        breaker.call(down)
assert breaker.is_open
with raises(GaveUp):
    breaker.call(lambda: 1)
now[0] = 9.9
assert breaker.is_open
now[0] = 10.0
assert not breaker.is_open
assert breaker.call(lambda: 5) == 5
with raises(ConnectionError):
    breaker.call(down)
assert not breaker.is_open, "a success forgets the failures"
with raises(KeyError):
    breaker.call(failing(1, KeyError))
assert not breaker.is_open
with raises(ConnectionError):
    breaker.call(down)
assert breaker.is_open

now[0] = 0.0
limit = RateLimit(rate=2, burst=3, clock=lambda: now[0])
assert [limit.allow() for _ in range(4)] == [True, True, True, False]
now[0] = 0.5
assert [limit.allow(), limit.allow()] == [True, False]
now[0] = 100.0
assert [limit.allow() for _ in range(4)] == [True, True, True, False]

assert collect([[1, 2], [3], [], [4]]) == [1, 2, 3]
assert collect([[1, 2], [3, 4]], limit=3) == [1, 2, 3]
assert collect([[1, 2], [3, 4]], limit=2) == [1, 2]
assert collect([[1, 2]], limit=0) == []
pages = iter([[1, 2], [3]])
assert collect(pages, limit=2) == [1, 2] and next(pages) == [3]
assert retries.TemporaryError is TemporaryError
