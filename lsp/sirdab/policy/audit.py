"""The audit trail: proof of what was sent where, without the text itself.

One JSON object a line, appended to a file that only the user can read. A user can count the
requests, see that each went to a loopback address, and compare the digest of a prompt with
what `trace: "prompts"` or `sirdab/explain` shows.
"""

import hashlib
import json
import logging
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from sirdab.config.directories import state_directory
from sirdab.policy.limits import AUDIT_FILES, MAX_AUDIT_BYTES

_log = logging.getLogger(__name__)

# Verdicts are short names. Anything else could be text of a document that an error message
# has picked up.
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)
_UNNAMED = "other"


class AuditTrail:
    """Appends records to a file and replaces it before it grows too large.

    Several processes may append to the same file: each record is one write. A trail that
    cannot be written never stops a completion; the log says so once.
    """

    def __init__(
        self, path: Path | str, *, max_bytes: int = MAX_AUDIT_BYTES, files: int = AUDIT_FILES
    ) -> None:
        """Name the file; it is made at the first record.

        Args:
            path: The file that is written to; older ones get ".1", ".2" ... behind its name.
            max_bytes: Size in bytes that one file does not exceed.
            files: How many files there are at most, the one that is written to included.
        """
        self._path = Path(path)
        self._max_bytes = max_bytes
        self._files = files
        self._warned = False

    @property
    def path(self) -> Path:
        """The file that is written to."""
        return self._path

    def record(
        self,
        *,
        kind: str,
        url: str,
        model: str,
        uri: str,
        prompt: str,
        outcome: str,
        prompt_tokens: int = 0,
        generated_tokens: int = 0,
        ms: float = 0.0,
    ) -> None:
        """Append one record. Never raises.

        Args:
            kind: What was asked for, for example "completion".
            url: Address of the model server; user name, password and query are left out.
            model: Name of the model.
            uri: The document.
            prompt: What was sent. Only its length in characters and the SHA-256 of its
                UTF-8 form are written.
            outcome: A short name of what became of it, for example "suggested".
            prompt_tokens: Tokens of the prompt, 0 when unknown.
            generated_tokens: Tokens of the answer, 0 when unknown.
            ms: Milliseconds from asking to the end of the answer.
        """
        try:
            line = json.dumps(
                {
                    "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                    "kind": _name(kind),
                    "url": _address(url),
                    "model": model,
                    "uri": uri,
                    "characters": len(prompt),
                    "sha256": hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).hexdigest(),
                    "promptTokens": prompt_tokens,
                    "generatedTokens": generated_tokens,
                    "ms": round(ms, 1),
                    "outcome": _name(outcome),
                }
            )
            self._append(f"{line}\n".encode())
        except (OSError, ValueError, TypeError) as error:
            if not self._warned:
                self._warned = True
                _log.warning(
                    "The audit trail %s cannot be written (%s); completion goes on without it.",
                    self._path,
                    getattr(error, "strerror", None) or type(error).__name__,
                )
        else:
            self._warned = False

    def _append(self, line: bytes) -> None:
        if self._size() + len(line) > self._max_bytes:
            self._rotate(len(line))
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        # Windows would write "\r\n", and POSIX would hand the file to child processes.
        flags |= getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        try:
            descriptor = os.open(self._path, flags, 0o600)
        except FileNotFoundError:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path, flags, 0o600)
        try:
            if os.name == "posix" and os.fstat(descriptor).st_mode & 0o077:
                os.fchmod(descriptor, 0o600)
            os.write(descriptor, line)
        finally:
            os.close(descriptor)

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0

    def _rotate(self, coming: int) -> None:
        """Move each file one number up; the oldest is overwritten.

        Raises:
            OSError: The files cannot be moved, so that writing on would break the bound.
        """
        from filelock import FileLock

        with FileLock(f"{self._path}.lock", timeout=1):
            if self._size() + coming <= self._max_bytes:
                return  # Another process was faster.
            names = [self._path, *(Path(f"{self._path}.{n}") for n in range(1, self._files))]
            if len(names) == 1:
                self._path.unlink()
            for older, newer in zip(reversed(names[1:]), reversed(names[:-1]), strict=True):
                if newer.exists():
                    newer.replace(older)


def _name(value: str) -> str:
    return value if _NAME.fullmatch(value) else _UNNAMED


def _address(url: str) -> str:
    """Return scheme, host, port and path of an address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return _UNNAMED
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def default_path() -> Path:
    """Return where the user's audit trail is, whether or not there is one yet."""
    return state_directory() / "audit.jsonl"
