"""Stands between an editor and a language server and notes how long the server took.

    SIRDAB_TIMING_FILE=times.jsonl python -m bench.timing_proxy -- sirdab --stdio

Bytes go both ways untouched. For every request of the editor that is answered, one line of JSON
is appended to the file:

    {"id": 7, "method": "textDocument/inlineCompletion", "in_ns": 123, "out_ns": 456}

`in_ns` is when the last byte of the request had arrived here, `out_ns` when the first byte of its
response had, in nanoseconds of the monotonic clock (CLOCK_MONOTONIC on Linux, the clock that
`time.monotonic_ns`, `uv.hrtime` and `process.hrtime` read too). Their difference is the server's
own time and two passages through a pipe.

It needs nothing but the standard library, so `python -P PATH/timing_proxy.py -- …` works from any
folder (without -P, Python would take `typing.py` beside it for its own).
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO, NamedTuple, cast

FILE_ENV = "SIRDAB_TIMING_FILE"
"""Environment variable that names the file that the times are appended to."""

_CHUNK = 1 << 16


class Message(NamedTuple):
    """One message of the base protocol.

    Attributes:
        fields: The members of the JSON object; empty where the body is not one.
        first_ns: When its first byte had arrived.
        last_ns: When its last byte had arrived.
    """

    fields: dict[str, Any]
    first_ns: int
    last_ns: int


class MessageReader:
    """Finds the messages in a stream that arrives in pieces.

    The framing is the base protocol's of the Language Server Protocol: header lines, an empty
    line, and as many bytes as `Content-Length` says.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._first_ns = 0
        self._body_start = 0
        self._body_length = -1

    def feed(self, data: bytes, now_ns: int) -> Iterator[Message]:
        """Take bytes and yield the messages that they complete.

        Args:
            data: The bytes.
            now_ns: When they arrived.
        """
        if not self._buffer:
            self._first_ns = now_ns
        self._buffer += data
        while self._has_header() and len(self._buffer) >= self._body_start + self._body_length:
            end = self._body_start + self._body_length
            body = bytes(self._buffer[self._body_start : end])
            del self._buffer[:end]
            self._body_length = -1
            yield Message(_fields(body), self._first_ns, now_ns)
            # What is left arrived with this piece.
            self._first_ns = now_ns

    def _has_header(self) -> bool:
        if self._body_length >= 0:
            return True
        header, empty, _ = bytes(self._buffer[:_CHUNK]).partition(b"\r\n\r\n")
        if not empty:
            return False
        self._body_start = len(header) + len(empty)
        # A stream without lengths cannot be followed; its bytes are passed on all the same.
        self._body_length = 0
        for line in header.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-length" and value.strip().isdigit():
                self._body_length = int(value)
        return True


def _fields(body: bytes) -> dict[str, Any]:
    try:
        found: Any = json.loads(body)
    except ValueError:
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


class Times:
    """Pairs requests with their responses and writes a line for each pair.

    Messages are noted after they were passed on, so that this costs the server no time. A response
    may therefore be noted before its request.
    """

    def __init__(self, path: Path) -> None:
        self._asked: dict[Any, tuple[str, int]] = {}
        self._answered: dict[Any, int] = {}
        self._lock = threading.Lock()
        # Several servers may append to one file; what one write appends stays together.
        self._file = path.open("ab", buffering=0)

    def from_editor(self, message: Message) -> None:
        """Note a message of the editor, if it is a request."""
        ident, method = message.fields.get("id"), message.fields.get("method")
        if ident is not None and isinstance(method, str):
            with self._lock:
                self._asked[ident] = (method, message.last_ns)
                self._write_pair(ident)

    def from_server(self, message: Message) -> None:
        """Note a message of the server, if it answers a request."""
        ident = message.fields.get("id")
        if ident is not None and "method" not in message.fields:
            with self._lock:
                self._answered[ident] = message.first_ns
                self._write_pair(ident)

    def _write_pair(self, ident: Any) -> None:
        if ident not in self._asked or ident not in self._answered:
            return
        method, in_ns = self._asked.pop(ident)
        out_ns = self._answered.pop(ident)
        line = {"id": ident, "method": method, "in_ns": in_ns, "out_ns": out_ns}
        self._file.write(json.dumps(line).encode() + b"\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def pump(source: BinaryIO, sink: BinaryIO, note: Callable[[Message], object]) -> None:
    """Pass bytes on until the source ends, then close the sink.

    Args:
        source: An unbuffered stream.
        sink: An unbuffered stream.
        note: Called for every message, after it was passed on.
    """
    reader = MessageReader()
    try:
        while data := source.read(_CHUNK):
            now = time.monotonic_ns()
            left = memoryview(data)
            while left:
                left = left[sink.write(left) :]
            for message in reader.feed(data, now):
                note(message)
    except OSError:
        pass  # The other side has gone; the end of the server says the rest.
    finally:
        sink.close()


def run(command: list[str], path: Path) -> int:
    """Run a server between stdin and stdout and return its exit code.

    Args:
        command: The server's command.
        path: The file that the times are appended to.

    Raises:
        OSError: The command cannot be started, or the file cannot be opened.
    """
    times = Times(path)
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)

    def end(_signal: int, _frame: FrameType | None) -> None:
        server.terminate()

    signal.signal(signal.SIGTERM, end)
    stdin = open(sys.stdin.fileno(), "rb", buffering=0, closefd=False)  # noqa: SIM115
    stdout = open(sys.stdout.fileno(), "wb", buffering=0, closefd=False)  # noqa: SIM115
    # The editor may keep its end open after the server has died, so nobody waits for this one.
    threading.Thread(
        target=pump, args=(stdin, server.stdin, times.from_editor), daemon=True
    ).start()
    assert server.stdout is not None
    pump(cast("BinaryIO", server.stdout), cast("BinaryIO", stdout), times.from_server)
    code = server.wait()
    times.close()
    return code if code >= 0 else 128 - code


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        prog="timing_proxy", description="Notes how long a language server takes to answer."
    )
    parser.add_argument("command", nargs="+", help="the server's command, after --")
    command: list[str] = parser.parse_args().command
    path = os.environ.get(FILE_ENV)
    if not path:
        parser.error(f"set {FILE_ENV} to the file that the times are appended to")
    try:
        return run(command, Path(path))
    except OSError as error:
        parser.error(f"{command[0]} cannot be run, or {path} not be written: {error}")


if __name__ == "__main__":
    sys.exit(main())
