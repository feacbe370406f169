"""What all tests of the review watch for."""

import logging
from collections.abc import Iterator

import pytest

from sirdab.review.signs import registry

_BROKEN_ON_PURPOSE = "fault"


@pytest.fixture(autouse=True)
def _no_sign_is_broken() -> Iterator[None]:
    """Fail a test in which a sign ended with an error, which users only find in a log."""
    faults: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            error = record.exc_info[1] if record.exc_info else None
            if error is not None and _BROKEN_ON_PURPOSE not in error.args:
                faults.append(f"{record.getMessage()}: {error!r}")

    handler = Handler(logging.ERROR)
    log = logging.getLogger(registry.__name__)
    log.addHandler(handler)
    yield
    log.removeHandler(handler)
    assert faults == []
