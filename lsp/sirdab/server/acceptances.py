"""How many suggestions the user has taken today, over all editors and sessions.

A file in the user's state directory holds one number for one day, nothing else: no text, no
names, no history.
"""

import json
import logging
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from sirdab.config.directories import state_directory

_log = logging.getLogger(__name__)

# Two editors may count at once. One that cannot get at the file for this long, in seconds,
# leaves its suggestion uncounted instead of waiting.
_LOCK_SECONDS = 1.0


def today() -> int:
    """Return today's count; 0 when there is none or it cannot be read."""
    return _read(_path())


def count_one() -> None:
    """Add one to today's count. Never raises: a count is not worth an error."""
    import filelock

    from sirdab.policy.private import make_private_directory

    path = _path()
    try:
        make_private_directory(path.parent)
        with filelock.FileLock(path.with_suffix(".lock"), timeout=_LOCK_SECONDS, mode=0o600):
            entry = {"day": _day(), "accepted": _read(path) + 1}
            part = path.with_suffix(".part")
            part.write_text(json.dumps(entry), encoding="utf-8")
            part.replace(path)
    except (OSError, TimeoutError) as error:
        _log.info("an acceptance was not counted (%s)", type(error).__name__)


def _path() -> Path:
    return state_directory() / "accepted.json"


def _day() -> str:
    return datetime.now().astimezone().date().isoformat()


def _read(path: Path) -> int:
    try:
        entry: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0
    if not isinstance(entry, dict):
        return 0
    known = cast("dict[str, Any]", entry)
    count = known.get("accepted")
    return count if known.get("day") == _day() and type(count) is int and count > 0 else 0
