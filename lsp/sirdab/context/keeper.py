"""Holds the context block of each document, and renews it only when nobody types.

A block stands before everything else in a prompt, so a change of it makes the model read the
whole prompt anew. It is therefore made when a document is opened or the cursor has come to rest,
and stays as it is, byte for byte, until then.
"""

import asyncio
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from sirdab.completion.budget import Speed
from sirdab.completion.context import ContextBlock
from sirdab.completion.request import CompletionRequest
from sirdab.completion.window import Window
from sirdab.context import block as writing
from sirdab.context.code import Piece
from sirdab.context.edits import RecentEdits
from sirdab.context.files import IGNORE_FILES
from sirdab.context.gather import Gathering, relative
from sirdab.context.index import WorkspaceIndex
from sirdab.context.pace import Stopped
from sirdab.context.symbols import LANGUAGES
from sirdab.models.catalog import Family, family_of
from sirdab.policy.uris import path_of
from sirdab.text.document import Change, Snapshot

_log = logging.getLogger(__name__)

IDLE_SECONDS = 3.0
"""A pause in typing after which somebody is taken to have stopped; llama.vim waits as long
before it changes what the model has been told."""

SAME_PLACE_LINES = 20
"""Within so many lines the cursor is where it was, and only a definition that is new to the block
is worth the reading."""

_MOST_BLOCKS = 64
# Documents that were closed last and may still be shown, and their characters in all.
_MOST_CLOSED = 8
_MOST_CLOSED_CHARACTERS = 1_000_000
# Folders of one workspace that are indexed.
_MOST_FOLDERS = 8


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was found for one document.

    Attributes:
        pieces: What a block is written of.
        line: Of the cursor then.
        conditions: What it depends on beside the documents.
    """

    pieces: tuple[Piece, ...]
    line: int
    conditions: Hashable


@dataclass(frozen=True, slots=True)
class _Asked:
    """How the engine asked for a block last."""

    family: Family
    characters: int
    first_line: int
    last_line: int


class Keeper:
    """Keeps the blocks of a session. Its methods are for the event loop's thread."""

    def __init__(
        self,
        directory: Path,
        *,
        characters: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make a keeper; nothing is read before it is asked to renew a block.

        Args:
            directory: Where indexes of workspaces are kept.
            characters: Most characters of a block; None for what the engine says. May be changed.
            clock: Seconds; injectable for tests.
        """
        self._directory = directory
        self.characters = characters
        self._clock = clock
        self.edits = RecentEdits()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._written: dict[str, tuple[Hashable, ContextBlock]] = {}
        self._closed: OrderedDict[str, Snapshot] = OrderedDict()
        self._indexes: dict[str, tuple[tuple[str, ...], WorkspaceIndex]] = {}
        self._asked: dict[str, _Asked] = {}
        self._usual: _Asked | None = None
        self._typed_at = -IDLE_SECONDS
        self._gathering = Gathering()
        self._ended = False

    # --- what the engine asks -----------------------------------------------------------------

    def block(
        self,
        request: CompletionRequest,
        family: Family,
        characters: int,
        room: int,
        window: Window,
    ) -> ContextBlock:
        """Return the block as it is; see `sirdab.completion.context.ContextSource`."""
        uri = request.snapshot.uri
        characters = characters if self.characters is None else min(self.characters, room)
        self._usual = _Asked(family, characters, window.first_line, window.last_line)
        self._asked[uri] = self._usual
        kept = self._kept.get(uri)
        if kept is None or characters <= 0 or kept.conditions != _conditions(request):
            return ContextBlock()
        return self._write(request, kept, family, characters)

    def _write(
        self, request: CompletionRequest, kept: _Kept, family: Family, characters: int
    ) -> ContextBlock:
        uri, key = request.snapshot.uri, self._wording_of(family)
        known = self._written.get(uri)
        # More room than there was is no reason to write it anew while somebody types.
        if known is None or known[0] != key or len(known[1].text) > characters:
            known = key, self._render(request, kept.pieces, family, characters)
            self._written[uri] = known
        return known[1]

    def _wording_of(self, family: Family) -> Hashable:
        """Return what the text of a block depends on beside its pieces and the room for it."""
        return family.id, family.context_style, self.characters

    @staticmethod
    def _render(
        request: CompletionRequest, pieces: Sequence[Piece], family: Family, characters: int
    ) -> ContextBlock:
        path = path_of(request.snapshot.uri) or "untitled"
        root, shown = relative(path, request.workspace_folders)
        return writing.write(
            pieces,
            family,
            request.snapshot.language_id,
            characters,
            workspace=PurePath(root).name or "workspace",
            path=shown,
        )

    # --- what happens ---------------------------------------------------------------------------

    def typed(self, uri: str, changes: Sequence[Change]) -> None:
        """Take it that a document was changed."""
        self._typed_at = self._clock()
        self.edits.changed(uri, changes)
        for _, index in self._indexes.values():
            index.somebody_types()
        self._gathering.pace.somebody_types()

    def closed(self, snapshot: Snapshot) -> None:
        """Take it that a document was closed; it is still shown to others for a while."""
        uri = snapshot.uri
        self.forget(uri)
        self._closed[uri] = snapshot
        self._closed.move_to_end(uri)
        while len(self._closed) > _MOST_CLOSED or (
            len(self._closed) > 1
            and sum(one.text.char_count for one in self._closed.values()) > _MOST_CLOSED_CHARACTERS
        ):
            self._closed.popitem(last=False)

    def file_changed(self, path: str) -> None:
        """Take it that a file was written, made or removed."""
        if PurePath(path).name in IGNORE_FILES:
            # What stands in a block may be excluded now.
            self._kept.clear()
            self._written.clear()
        for _, index in self._indexes.values():
            index.changed(path)

    def files_changed_all_over(self) -> None:
        """Take it that more files were changed than are worth being looked at one by one."""
        # Files that exclude others may be among them.
        self._kept.clear()
        self._written.clear()
        for _, index in self._indexes.values():
            index.changed_all_over()

    def forget(self, uri: str) -> None:
        """Drop the block of a document."""
        self._kept.pop(uri, None)
        self._written.pop(uri, None)
        self._asked.pop(uri, None)

    def clear(self) -> None:
        """Drop every block and what closed documents and past edits left."""
        self._kept.clear()
        self._written.clear()
        self._closed.clear()
        self.edits.clear()

    async def close(self) -> None:
        """End all work in the background."""
        self._ended = True
        self._gathering.pace.stop()
        indexes, self._indexes = list(self._indexes.values()), {}
        # All at once: each of them may have to wait for a moment.
        await asyncio.gather(*(asyncio.to_thread(index.close) for _, index in indexes))

    # --- renewing -------------------------------------------------------------------------------

    @property
    def wanted(self) -> bool:
        """Whether blocks are wanted: whether the model reads fast enough for any."""
        return not self._ended and self._characters(None) > 0

    @property
    def is_indexing(self) -> bool:
        """Whether there is an index of a folder."""
        return bool(self._indexes)

    def idle_in(self) -> float:
        """Return after how many seconds somebody will be taken to have stopped typing."""
        return max(0.0, self._typed_at + IDLE_SECONDS - self._clock())

    async def renew(self, request: CompletionRequest) -> bool:
        """Make the block of a document anew, unless somebody types.

        Args:
            request: The document and where the cursor rests.

        Returns:
            Whether the block is another now. Never raises but for cancellation.
        """
        if not self.wanted or self.idle_in() or request.snapshot.language_id not in LANGUAGES:
            return False
        self._follow(request)
        typed_at = self._typed_at
        asked = self._asked.get(request.snapshot.uri)
        work = self._gathering.work(
            request,
            self.edits.regions(),
            tuple(self._closed.values()),
            tuple(index for _, index in self._indexes.values()),
            (asked.first_line, asked.last_line + 1) if asked else _around(request),
        )
        try:
            pieces = await asyncio.to_thread(work)
        except Stopped:
            return False
        except Exception as error:  # noqa: BLE001 - there is less context then, and no more
            _log.error("no context was found: %s", type(error).__name__)
            return False
        if self._typed_at != typed_at or self._ended:
            # What was found is of a text that is no longer there.
            return False
        return self._keep(request, tuple(pieces))

    def _keep(self, request: CompletionRequest, pieces: tuple[Piece, ...]) -> bool:
        """Take what was found, when it makes another block that is worth the reading."""
        uri, conditions = request.snapshot.uri, _conditions(request)
        family, characters = self._family(uri), self._characters(uri)
        before = ContextBlock()
        after = self._render(request, pieces, family, characters)
        kept = self._kept.get(uri)
        if kept is not None and kept.conditions == conditions:
            before = self._write(request, kept, family, characters)
            near = abs(kept.line - request.point.line) <= SAME_PLACE_LINES
            news = _definitions(after) - _definitions(before)
            if after == before or (near and before.parts and not news):
                return False
        self._kept[uri] = _Kept(pieces, request.point.line, conditions)
        self._kept.move_to_end(uri)
        # Written already, so that no keystroke has to wait for it.
        self._written[uri] = self._wording_of(family), after
        while len(self._kept) > _MOST_BLOCKS:
            old, _ = self._kept.popitem(last=False)
            self._written.pop(old, None)
        return after != before

    def _family(self, uri: str) -> Family:
        asked = self._asked.get(uri) or self._usual
        return asked.family if asked is not None else family_of("")

    def _characters(self, uri: str | None) -> int:
        if self.characters is not None:
            return self.characters
        asked = self._asked.get(uri or "") or self._usual
        return asked.characters if asked is not None else Speed().context_characters(0, 0)

    def _follow(self, request: CompletionRequest) -> None:
        """Index the folders of the workspace as it is now."""
        exclude = request.settings.privacy.exclude
        folders = request.workspace_folders[:_MOST_FOLDERS] if request.trusted else ()
        for root, (globs, index) in list(self._indexes.items()):
            if root not in folders or globs != exclude:
                del self._indexes[root]
                threading.Thread(target=index.close, daemon=True).start()
        for root in folders:
            if root not in self._indexes:
                index = WorkspaceIndex(root, self._directory, exclude)
                self._indexes[root] = (exclude, index)
                index.start()

    def indexed(self, seconds: float) -> bool:
        """Wait until the indexes are complete, for benches and tests; return whether they are."""
        return all(index.wait(seconds) for _, index in list(self._indexes.values()))


def _conditions(request: CompletionRequest) -> Hashable:
    """Return what a block depends on that must not change under it."""
    return (
        request.snapshot.language_id,
        request.settings.privacy,
        request.workspace_folders,
        request.trusted,
    )


def _definitions(block: ContextBlock) -> set[tuple[str, int]]:
    return {(part.path, part.first_line) for part in block.parts if part.kind == "definition"}


def _around(request: CompletionRequest) -> tuple[int, int]:
    """Return the lines around the cursor that a prompt mostly holds."""
    return max(0, request.point.line - 60), request.point.line + 30


__all__ = ["IDLE_SECONDS", "SAME_PLACE_LINES", "Keeper"]
