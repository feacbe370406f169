"""Keeps what the measured servers learn and count out of the user's own state directory."""

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager

from sirdab.config.directories import STATE_ENV


@contextmanager
def own_state() -> Generator[None]:
    """Give the processes that are started meanwhile a state directory of their own."""
    before = os.environ.get(STATE_ENV)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ[STATE_ENV] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ[STATE_ENV]
            else:
                os.environ[STATE_ENV] = before
