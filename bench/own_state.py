"""Keeps what the measured servers learn and count out of the user's own state directory.

Model servers that run on the machine anyway are kept out of the figures as well.
"""

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager

from sirdab.config.directories import STATE_ENV
from sirdab.endpoint.discovery import PORTS_ENV


@contextmanager
def own_state() -> Generator[None]:
    """Give the processes that are started meanwhile a state directory of their own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        wanted = {STATE_ENV: folder, PORTS_ENV: ""}
        before = {name: os.environ.get(name) for name in wanted}
        os.environ.update(wanted)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
