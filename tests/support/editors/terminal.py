"""A terminal for tests: runs a program on a pseudo-terminal and keeps the screen it draws.

What a test sees is what a user would see, and what it types is what a user would type.
"""

import contextlib
import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

import psutil
import pyte

KEYS = {
    "<CR>": "\r",
    "<Esc>": "\x1b",
    "<Tab>": "\t",
    "<BS>": "\x7f",
    "<Down>": "\x1b[B",
    "<Up>": "\x1b[A",
    "<End>": "\x1b[F",
}
"""Names of keys that `Terminal.type` knows, beside `<C-a>` to `<C-z>`, `<C-space>` and `<M-x>`."""


class _Screen(pyte.Screen):
    """A screen that answers what a program asks its terminal."""

    def __init__(self, columns: int, lines: int, answer: Callable[[str], None]) -> None:
        super().__init__(columns, lines)
        self._answer = answer

    def write_process_input(self, data: str) -> None:
        self._answer(data)

    # The next two are asked with "?" as well, which pyte passes on and does not take.

    def report_device_status(self, mode: int, **kwargs: bool) -> None:
        if not kwargs.get("private"):
            super().report_device_status(mode)

    def select_graphic_rendition(self, *attrs: int, **kwargs: bool) -> None:
        if not kwargs.get("private"):
            super().select_graphic_rendition(*attrs)


class Terminal:
    """One program and its screen."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        columns: int = 100,
        lines: int = 30,
    ) -> None:
        """Start a program.

        Args:
            argv: The command.
            cwd: The folder it starts in.
            env: Its whole environment but TERM.
            columns: Width of the screen in cells.
            lines: Height of the screen.
        """
        self._fd, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self._lock = threading.Lock()
        self._screen = _Screen(columns, lines, self._send)
        self._stream = pyte.ByteStream(self._screen)
        self._process = subprocess.Popen(
            # In a session of its own, with the pseudo-terminal as its controlling one, because some
            # programs open /dev/tty.
            ["setsid", "--ctty", *argv],
            cwd=cwd,
            env={**env, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
            stdin=child,
            stdout=child,
            stderr=child,
        )
        os.close(child)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._fd, 65536)
            except OSError:  # Linux says so when the program has ended.
                return
            if not data:
                return
            with self._lock:
                self._stream.feed(data)

    def _send(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def type(self, keys: str) -> None:
        """Press keys; names in angle brackets are those of `KEYS`."""
        self._send(_encode(keys))

    def rows(self) -> list[str]:
        """Return the screen's lines without blanks at their ends."""
        with self._lock:
            return [row.rstrip() for row in self._screen.display]

    def cursor(self) -> tuple[int, int]:
        """Return the cursor's row and column, counted from 0."""
        with self._lock:
            return self._screen.cursor.y, self._screen.cursor.x

    def text(self) -> str:
        """Return the whole screen."""
        return "\n".join(self.rows())

    def shows(self, text: str) -> bool:
        """Whether a text stands somewhere on the screen, within one line."""
        return any(text in row for row in self.rows())

    def wait(self, condition: Callable[[], object], what: str, timeout_s: float = 30) -> None:
        """Wait for a condition, and fail with the screen when it does not come true."""
        end = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"waited {timeout_s} s for {what}; the screen:\n{self.text()}")
            if self._process.poll() is not None and not condition():
                raise AssertionError(f"the editor ended; the screen:\n{self.text()}")
            time.sleep(0.02)

    def wait_for(self, text: str) -> None:
        """Wait until a text is on the screen."""
        self.wait(lambda: self.shows(text), f"{text!r} on the screen")

    def press_until(self, keys: str, shown: str | Callable[[], object]) -> None:
        """Press keys, again every few seconds, until something is on the screen.

        Editors ask once; an answer that comes too late for the first time is there for the next.

        Args:
            keys: What to press; it must do no harm twice.
            shown: A text, or whether it is there.
        """
        condition = (lambda: self.shows(shown)) if isinstance(shown, str) else shown
        again = 0.0

        def pressed() -> object:
            nonlocal again
            found = condition()
            if not found and time.monotonic() > again:
                again = time.monotonic() + 3
                self.type(keys)
            return found

        self.wait(pressed, f"{shown!r} after {keys!r}", timeout_s=60)

    def wait_gone(self, text: str) -> None:
        """Wait until a text is no longer on the screen."""
        self.wait(lambda: not self.shows(text), f"{text!r} to go from the screen")

    def wait_file(self, path: Path, text: str) -> None:
        """Wait until a file holds exactly this text."""

        def holds() -> bool:
            # While an editor puts the new file in the place of the old one there may be none.
            return _content(path) == text

        try:
            self.wait(holds, "a file to be saved")
        except AssertionError as error:
            found = _content(path)
            raise AssertionError(f"the file holds {found!r} and not {text!r}; {error}") from None

    def wait_saved(self, path: Path, before: str) -> str:
        """Wait until a file holds another text than before, all of it, and return that.

        Args:
            path: A file whose text ends with a line end.
            before: Its text before it was saved.
        """

        found = ""

        def changed() -> bool:
            nonlocal found
            # Editors empty a file before they write it, and a long one is written in pieces.
            last, found = found, _content(path) or ""
            return found == last != before and found.endswith("\n")

        self.wait(changed, "a file to be saved")
        return found

    def close(self) -> None:
        """End the program and the language servers that it started."""
        servers = self._language_servers()
        # Not asked: an editor would want to save, and shut its servers down one by one.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for server in servers:
            with contextlib.suppress(psutil.NoSuchProcess):
                server.kill()
        end = time.monotonic() + 5
        while any(_is_alive(server) for server in servers) and time.monotonic() < end:
            time.sleep(0.01)
        self._reader.join(5)
        os.close(self._fd)

    def _language_servers(self) -> list[psutil.Process]:
        """Return the servers that the editor has started.

        Not the embedded model server, which is everyone's and has a life of its own.
        """
        found: list[psutil.Process] = []
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in psutil.Process(self._process.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    if "--stdio" in process.cmdline():
                        found.append(process)
        return found


def _is_alive(process: psutil.Process) -> bool:
    # A process whose parent has gone stays a zombie until the system's first one has time.
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _encode(keys: str) -> str:
    out: list[str] = []
    rest = keys
    while rest:
        end = rest.find(">") + 1 if rest[0] == "<" else 0
        name = rest[:end]
        if name in KEYS:
            out.append(KEYS[name])
        elif name == "<C-space>":
            out.append("\0")
        elif name.startswith("<C-") and len(name) == 5:
            out.append(chr(ord(name[3].lower()) & 0x1F))
        elif name.startswith("<M-") and len(name) == 5:
            out.append("\x1b" + name[3])
        else:
            end = 1
            out.append(rest[0])
        rest = rest[end:]
    return "".join(out)


def _content(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    # A piece that was written may end within a character.
    except (FileNotFoundError, UnicodeDecodeError):
        return None
