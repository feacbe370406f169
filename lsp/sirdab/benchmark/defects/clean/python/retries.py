"""Calls that may fail are made again, with pauses and limits."""

import logging
import random
import time

_log = logging.getLogger(__name__)


class GaveUp(Exception):
    """A call failed as often as it may."""


class TemporaryError(Exception):
    """Trying again may help."""


def pause_before(attempt, base=0.1, longest=5.0):
    """Return the seconds before an attempt, with jitter so that clients do not march in step."""
    return min(longest, base * 2**attempt) * (0.5 + random.random() / 2)


def retry(call, attempts=3, sleep=time.sleep):
    if attempts < 1:
        raise ValueError("there must be an attempt")
    for attempt in range(attempts - 1):
        try:
            return call()
        except TemporaryError:
            sleep(pause_before(attempt))
    try:
        return call()
    except TemporaryError as error:
        raise GaveUp(f"gave up after {attempts} attempts") from error


def first_working(servers, ask):
    problems = []
    for server in servers:
        try:
            return ask(server)
        except ConnectionError as error:
            problems.append(f"{server}: {error}")
    raise GaveUp("; ".join(problems))


def read_setting(settings, name, default=0):
    try:
        return int(settings[name])
    except KeyError:
        return default
    except ValueError as error:
        raise ValueError(f"{name} must be a number") from error


def call_all(callbacks):
    """Call each one; what one raises does not keep the others from being called."""
    errors = []
    for callback in callbacks:
        try:
            callback()
        except Exception as error:
            _log.warning("a callback failed", exc_info=error)
            errors.append(error)
    return errors


class Breaker:
    """Stops asking a service that keeps failing, for a while."""

    def __init__(self, limit=3, rest=30.0, clock=time.monotonic):
        self._limit = limit
        self._rest = rest
        self._clock = clock
        self._failures = 0
        self._open_until = None

    @property
    def is_open(self):
        return self._open_until is not None and self._clock() < self._open_until

    def call(self, function):
        if self.is_open:
            raise GaveUp("the service is resting")
        try:
            result = function()
        except ConnectionError:
            self._failures += 1
            if self._failures >= self._limit:
                self._open_until = self._clock() + self._rest
            raise
        self._failures = 0
        self._open_until = None
        return result


class RateLimit:
    def __init__(self, rate, burst, clock=time.monotonic):
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._last = clock()

    def allow(self):
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._last) * self._rate)
        self._last = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def collect(pages, limit=None):
    """Return the items of pages until one of them is empty."""
    items = []
    for page in pages:
        if not page:
            break
        items.extend(page)
        if limit is not None and len(items) >= limit:
            return items[:limit]
    return items
