"""What the checks have in common."""

import gc
import warnings
from contextlib import contextmanager


@contextmanager
def raises(*kinds):
    """The block raises one of the given errors and no other."""
    try:
        yield
    except kinds:
        return
    raise AssertionError("nothing was raised")


@contextmanager
def no_leaks():
    """The block leaves no file or socket open."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        yield
        gc.collect()
    assert not any(issubclass(one.category, ResourceWarning) for one in seen), seen


class Key:
    """A value that counts how often values of its kind are compared."""

    compared = 0

    def __init__(self, value):
        self.value = value

    def __hash__(self):
        return hash(self.value)

    def __eq__(self, other):
        Key.compared += 1
        return self.value == other.value

    def __lt__(self, other):
        Key.compared += 1
        return self.value < other.value


def comparisons(work):
    """Return how often keys are compared while `work` is called."""
    Key.compared = 0
    work()
    return Key.compared


class Piece(str):
    """A text that counts how often it is added to another one."""

    added = 0

    def __radd__(self, other):
        Piece.added += 1
        return str(other) + str(self)

    def __add__(self, other):
        Piece.added += 1
        return str(self) + str(other)


class Watched(dict):
    """A dict that must only be touched while a lock is held."""

    def __init__(self, lock, *arguments):
        super().__init__(*arguments)
        self._lock = lock

    def _look(self):
        assert self._lock.locked(), "the lock is not held"

    def __getitem__(self, key):
        self._look()
        return super().__getitem__(key)

    def __setitem__(self, key, value):
        self._look()
        super().__setitem__(key, value)

    def __delitem__(self, key):
        self._look()
        super().__delitem__(key)

    def __iter__(self):
        self._look()
        return super().__iter__()

    def __contains__(self, key):
        self._look()
        return super().__contains__(key)

    def get(self, key, default=None):
        self._look()
        return super().get(key, default)

    def setdefault(self, key, default=None):
        self._look()
        return super().setdefault(key, default)

    def items(self):
        self._look()
        return super().items()

    def values(self):
        self._look()
        return super().values()

    def keys(self):
        self._look()
        return super().keys()
