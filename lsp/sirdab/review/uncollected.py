"""Keeps Python from looking for garbage while a thread holds a large tree.

The nodes of a tree know each other, so only the collector would find that they are garbage, and
it looks at all objects of the process: 100 ms in which no other thread runs, keystrokes included.
So it rests while there is such a tree, and the tree is taken apart by hand.
"""

import gc
import threading
from collections.abc import Generator
from contextlib import contextmanager

_lock = threading.Lock()
_users = 0
_was_enabled = False


@contextmanager
def uncollected() -> Generator[None]:
    """Turn the collector off meanwhile; several threads may do so at once."""
    global _users, _was_enabled  # noqa: PLW0603 - there is one collector
    with _lock:
        if _users == 0:
            _was_enabled = gc.isenabled()
            gc.disable()
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0 and _was_enabled:
                gc.enable()
