"""Where Sirdab keeps files outside a workspace: the user's own directories of the platform.

What can be had again (models, test editors) is cache; what a running engine or a past request left
is state. Each can be moved by an environment variable, which tests do.
"""

import os
from contextlib import suppress
from pathlib import Path

CACHE_ENV = "SIRDAB_CACHE_DIR"
"""Environment variable that names another directory for what can be had again."""

STATE_ENV = "SIRDAB_STATE_DIR"
"""Environment variable that names another directory for state, locks and logs."""

REVIEWS_ENV = "SIRDAB_REVIEWS_DIR"
"""Environment variable that names another directory for what reviews remember, which is source
code in parts; by default it is in the cache."""


def cache_directory() -> Path:
    """Return the directory for what can be had again, whether or not it exists."""
    named = _named(CACHE_ENV)
    if named is not None:
        return named
    import platformdirs

    return platformdirs.user_cache_path("sirdab", appauthor=False)


def reviews_directory() -> Path:
    """Return the directory for what reviews remember, whether or not it exists."""
    return _named(REVIEWS_ENV) or cache_directory() / "reviews"


def state_directory() -> Path:
    """Return the directory for state, whether or not it exists."""
    named = _named(STATE_ENV)
    if named is not None:
        return named
    import platformdirs

    return platformdirs.user_state_path("sirdab", appauthor=False)


def log_directory() -> Path:
    """Return the directory for logs, whether or not it exists."""
    named = _named(STATE_ENV)
    if named is not None:
        return named / "log"
    import platformdirs

    return platformdirs.user_log_path("sirdab", appauthor=False)


def _named(variable: str) -> Path | None:
    value = os.environ.get(variable)
    if not value:
        return None
    path = Path(value)
    # The home of a user who does not exist is left as it is written.
    with suppress(RuntimeError):
        path = path.expanduser()
    return path.absolute()
