"""What an end-to-end test of an editor needs: a home, `sirdab` on PATH, a model server."""

import asyncio
import json
import os
import shlex
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.fake_llamacpp import FakeLlamaCpp


class Home:
    """A user's folders, empty but for Sirdab's own configuration."""

    def __init__(self, folder: Path) -> None:
        """Make the folders.

        Args:
            folder: An empty folder.
        """
        self.project = folder / "project"
        self.config = folder / "home" / ".config"
        self._folder = folder
        self._sirdab_config = folder / "config.toml"
        self._bin = folder / "bin"
        for path in (self.project / ".git", self.config, self._bin):
            path.mkdir(parents=True)
        # Editors call the command as the pages write it.
        command = self._bin / "sirdab"
        command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m sirdab "$@"\n')
        command.chmod(0o755)
        self.settings()

    @property
    def path(self) -> Path:
        """The home folder itself."""
        return self._folder / "home"

    def settings(self, **sections: dict[str, Any]) -> None:
        """Write the user's settings, section by section."""
        lines: list[str] = []
        for section, values in sections.items():
            lines.append(f"[{section}]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
        self._sirdab_config.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def environment(self, **added: str) -> dict[str, str]:
        """Return the environment for an editor."""
        kept = {key: value for key, value in os.environ.items() if key.startswith("SIRDAB_")}
        return {
            **kept,
            "HOME": str(self.path),
            "LANG": "C.UTF-8",
            "PATH": f"{self._bin}:{os.environ['PATH']}",
            "SHELL": "/bin/sh",
            "SIRDAB_CONFIG": str(self._sirdab_config),
            "XDG_CACHE_HOME": str(self.path / ".cache"),
            "XDG_CONFIG_HOME": str(self.config),
            **added,
        }

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.project / name
        path.write_text(text, encoding="utf-8")
        return path


class ModelServer:
    """A scripted model server that runs beside the test.

    Attributes:
        fake: The server; its attributes may be changed while it runs.
    """

    def __init__(self, fake: FakeLlamaCpp, submit: Callable[[Coroutine[Any, Any, None]], None]):
        self.fake = fake
        self._submit = submit

    def answers(self, *pieces: str) -> None:
        """Answer every prompt from now on with these pieces of text."""
        self.fake.answer = pieces

    def prompts(self) -> Sequence[str]:
        """Return the prompts of all completions so far."""
        return [str(request.body.get("prompt", "")) for request in self.fake.asked("/completion")]


@contextmanager
def model_server(*pieces: str) -> Iterator[ModelServer]:
    """Run a scripted model server in a thread of its own.

    Args:
        pieces: What it answers, one event each.
    """
    loop = asyncio.new_event_loop()
    fake = FakeLlamaCpp(answer=pieces)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def submit(work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, loop).result(10)

    submit(fake.start())
    try:
        yield ModelServer(fake, submit)
    finally:
        submit(fake.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
