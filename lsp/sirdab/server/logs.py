"""The log file: method names and times when asked for, source text never by accident."""

import logging
import os
import sys
from pathlib import Path
from typing import Literal

Trace = Literal["off", "messages", "prompts"]

_LEVELS: dict[str, int] = {
    "off": logging.WARNING,
    "messages": logging.INFO,
    "prompts": logging.DEBUG,
}

# Past this size, in bytes, the file becomes the old one and a new one begins.
_ROLL_BYTES = 1_000_000


class _Formatter(logging.Formatter):
    """Leaves out the messages of exceptions, which quote the values they are about."""

    def formatException(self, ei: object) -> str:  # noqa: N802 - the name is logging's
        error = ei[1] if isinstance(ei, tuple) and len(ei) > 1 else None  # pyright: ignore
        if not isinstance(error, BaseException):
            return ""
        if logging.getLogger("sirdab").isEnabledFor(logging.DEBUG):
            return super().formatException((type(error), error, error.__traceback__))
        from sirdab.server.protocol import describe

        return describe(error)


def set_trace(trace: Trace) -> None:
    """Set what is logged (setting `trace`)."""
    logging.getLogger("sirdab").setLevel(_LEVELS[trace])


def log_path() -> Path:
    """Return where the log file is, whether or not it exists."""
    from sirdab.config.directories import log_directory

    return log_directory() / "server.log"


def start_logging() -> None:
    """Log to the file, and warnings to standard error as well, which editors keep."""
    # pygls logs every message it sends and gets, bodies included, below this level; it must
    # not reach any handler, whatever `trace` says.
    logging.getLogger("pygls").setLevel(logging.WARNING)
    root = logging.getLogger()
    root.setLevel(logging.WARNING)
    formatter = _Formatter(f"%(asctime)s [{os.getpid()}] %(levelname)s %(name)s: %(message)s")
    handlers: list[logging.Handler] = []
    if sys.stderr is not None:  # None under pythonw.exe
        stream = logging.StreamHandler()
        stream.setLevel(logging.WARNING)
        handlers.append(stream)
    file = _file_handler()
    if file is not None:
        handlers.append(file)
    for handler in handlers:
        handler.setFormatter(formatter)
        root.addHandler(handler)


def _file_handler() -> logging.Handler | None:
    from sirdab.policy.private import make_private_directory

    path = log_path()
    try:
        make_private_directory(path.parent)
        if path.exists() and path.stat().st_size > _ROLL_BYTES:
            path.replace(path.with_suffix(".old.log"))
        # Only the user may read it: with `trace: "prompts"` it holds source text.
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        return logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
    except OSError:
        # A server without a log is better than no server; standard error still gets warnings.
        return None
