"""What the model may see of the folder that a hole was dug in.

An editor has files open beside the one that is completed. Here they are the nearest ones of the
same language: those of the same folder first, then those of the folders around it.
"""

import asyncio
import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from sirdab.benchmark.holes import Hole, source_files
from sirdab.completion.request import CompletionRequest, Trigger
from sirdab.config.schema import Settings
from sirdab.context.keeper import Keeper
from sirdab.context.symbols import kin_of
from sirdab.syntax.languages import language_of
from sirdab.text.document import Snapshot
from sirdab.text.store import Text

MOST_OPEN = 6
"""Files that are open beside the one with the hole."""

_INDEX_SECONDS = 600.0


class Neighbourhood:
    """Makes the requests of one run, with or without context from beyond the file."""

    def __init__(self, folder: Path, characters: int) -> None:
        """Prepare a run.

        Args:
            folder: The holes' folder.
            characters: Most characters of context; with 0 the model sees nothing of other files.
        """
        self._folder = folder
        self._characters = characters
        self._directory = tempfile.TemporaryDirectory(prefix="sirdab-bench-")
        self.source = (
            Keeper(Path(self._directory.name) / "index", characters=characters)
            if characters
            else None
        )
        self._texts: dict[Path, Text] = {}
        self._files: list[Path] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.source is not None:
            await self.source.close()
        self._directory.cleanup()

    def show(self, characters: int) -> None:
        """Let the model see so much of other files from now on, at most as much as at first."""
        if self.source is not None:
            self.source.characters = min(characters, self._characters)

    async def request(self, hole: Hole, settings: Settings) -> CompletionRequest:
        """Return the request for a hole, when the context that it may have is there."""
        if self.source is None:
            # A name of its own for each: what is learnt of one must not help another.
            uri = f"untitled:{hole.id}"
            snapshot = Snapshot(uri, hole.language_id, 1, hole.text)
            return CompletionRequest(snapshot, hole.point, Trigger.INVOKED, settings)
        path = self._folder / hole.path
        # The fragment makes it another document, of the same file.
        snapshot = Snapshot(f"{path.as_uri()}#{hole.id}", hole.language_id, 1, hole.text)
        request = CompletionRequest(
            snapshot,
            hole.point,
            Trigger.INVOKED,
            settings,
            workspace_folders=(str(self._folder),),
            open_documents=tuple(self._open(path, hole.language_id)),
        )
        self.show(self._characters)
        await self.source.renew(request)
        if not self.source.indexed(0):
            # The first hole begins the index, which all of them are to have.
            await asyncio.to_thread(self.source.indexed, _INDEX_SECONDS)
            await self.source.renew(request)
        return request

    def _open(self, path: Path, language_id: str) -> list[Snapshot]:
        if self._files is None:
            self._files = source_files(self._folder)
        kin = kin_of(language_id)
        others = [
            other for other in self._files if other != path and kin_of(language_of(other)) == kin
        ]
        others.sort(key=lambda other: (_distance(path, other), str(other)))
        return [
            Snapshot(other.as_uri(), language_of(other), 1, text)
            for other in others[:MOST_OPEN]
            if (text := self._text(other)) is not None
        ]

    def _text(self, path: Path) -> Text | None:
        if path not in self._texts:
            try:
                self._texts[path] = Text(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                return None
        return self._texts[path]


def _distance(one: Path, other: Path) -> int:
    """Return how many folders one goes up and down to get from one file to another."""
    shared = len(Path(os.path.commonpath((one, other))).parts)
    return len(one.parts) + len(other.parts) - 2 * shared
