"""Finds the code that a block is written of: in the index, the open documents and past edits."""

import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePath

from sirdab.completion.gates import Rules
from sirdab.completion.request import CompletionRequest
from sirdab.context.code import Piece
from sirdab.context.definitions import MOST_OF_ONE_NAME, Names, Resolver, names_near
from sirdab.context.edits import AROUND_LINES, Region
from sirdab.context.index import WorkspaceIndex
from sirdab.context.pace import Pace
from sirdab.context.similar import MOST_LINES, Source, reference, similar, words_of
from sirdab.context.store import Found
from sirdab.context.symbols import Definition, definitions_of, kin_of
from sirdab.policy.secrets import redact
from sirdab.policy.uris import path_of
from sirdab.text.document import Snapshot
from sirdab.text.store import Text

# Characters of all documents of which it is remembered what was read out of them: lines and their
# words take some ten times as many bytes.
_MOST_DIGESTED = 1_000_000
# Longer documents are shown by their definitions alone.
_MOST_CHARACTERS = 200_000
_EDIT_LINES = 40


def relative(path: str, folders: Sequence[str]) -> tuple[str, str]:
    """Return the folder a file lies in, and its path from there with "/" between the parts."""
    path = os.path.normpath(path)
    for folder in sorted(map(os.path.normpath, folders), key=len, reverse=True):
        start = folder.rstrip(os.sep) + os.sep
        if path.startswith(start):
            return folder, path.removeprefix(start).replace(os.sep, "/")
    return str(PurePath(path).parent), PurePath(path).name


def local_path(uri: str) -> str:
    """Return the path that a document's URI names, as the index spells it; else the URI."""
    path = path_of(uri)
    return uri if path is None else os.path.normpath(path)


class Gathering:
    """Finds the pieces for a block, in a thread, one block at a time."""

    def __init__(self) -> None:
        self.pace = Pace()
        self._lock = threading.Lock()
        self._rules = Rules()
        self._digests: OrderedDict[int, _Digest] = OrderedDict()

    def work(
        self,
        request: CompletionRequest,
        regions: Sequence[Region],
        closed: Sequence[Snapshot],
        indexes: Sequence[WorkspaceIndex],
        hidden: tuple[int, int],
    ) -> Callable[[], list[Piece]]:
        """Return the work, which may be done in any thread."""

        def run() -> list[Piece]:
            with self._lock:
                return self._gather(request, regions, closed, indexes, hidden)

        return run

    def _gather(
        self,
        request: CompletionRequest,
        regions: Sequence[Region],
        closed: Sequence[Snapshot],
        indexes: Sequence[WorkspaceIndex],
        hidden: tuple[int, int],
    ) -> list[Piece]:
        own = request.snapshot
        open_uris = {own.uri, *(one.uri for one in request.open_documents)}
        others = [
            one
            for one in (
                *request.open_documents,
                *(one for one in reversed(closed) if one.uri not in open_uris),
            )
            if self._rules.may_be_read(one, request)
        ]
        return [
            *self._definitions(request, others, indexes, hidden),
            *self._similar(request, others, hidden),
            *self._edited(request, others, regions, hidden),
        ]

    def _definitions(
        self,
        request: CompletionRequest,
        others: Sequence[Snapshot],
        indexes: Sequence[WorkspaceIndex],
        hidden: tuple[int, int],
    ) -> list[Piece]:
        own = request.snapshot
        names = names_near(own.text, request.point)
        found: list[Found] = []
        # What a document says is newer than what the index has of its file.
        said: dict[str, Sequence[Definition]] = {}
        for one in (own, *others):
            if kin_of(one.language_id) == kin_of(own.language_id):
                path = local_path(one.uri)
                said[path] = self._digest(one).definitions(self.pace.pause)
                found += [
                    Found(path, definition)
                    for definition in said[path]
                    if definition.name in names.weights
                    and not (one is own and hidden[0] <= definition.line < hidden[1])
                ]
        found += self._indexed(names, own, indexes, said)

        def members(path: str, container: str, most: int) -> Sequence[Definition]:
            if path in said:
                return [one for one in said[path] if one.container == container][:most]
            for index in indexes:
                if inside := index.members(path, container, most):
                    return inside
            return ()

        resolver = Resolver(
            local_path(own.uri),
            own.language_id,
            lambda path: relative(path, request.workspace_folders)[1],
            members,
        )
        return resolver.pieces(names, found)

    @staticmethod
    def _indexed(
        names: Names,
        own: Snapshot,
        indexes: Sequence[WorkspaceIndex],
        said: dict[str, Sequence[Definition]],
    ) -> Iterator[Found]:
        wanted = names.ranked()
        for index in indexes:
            for one in index.find(wanted, own.language_id, MOST_OF_ONE_NAME):
                if one.path not in said:
                    yield one

    def _similar(
        self, request: CompletionRequest, others: Sequence[Snapshot], hidden: tuple[int, int]
    ) -> list[Piece]:
        wanted = reference(request.snapshot.text, request.point)
        sources = (
            self._source(request, one, hidden if one is request.snapshot else (0, 0))
            for one in (*others, request.snapshot)
            if one.text.char_count <= _MOST_CHARACTERS
        )
        return similar(wanted, sources, self.pace.pause)

    def _source(
        self, request: CompletionRequest, snapshot: Snapshot, hidden: tuple[int, int]
    ) -> Source:
        digest = self._digest(snapshot)
        words = digest.words(self.pace.pause)
        return Source(self._shown(request, snapshot), digest.lines(), words, hidden)

    def _edited(
        self,
        request: CompletionRequest,
        others: Sequence[Snapshot],
        regions: Sequence[Region],
        hidden: tuple[int, int],
    ) -> list[Piece]:
        by_uri = {one.uri: one for one in (request.snapshot, *others)}
        found: list[Piece] = []
        for uri, first, last in regions:
            snapshot = by_uri.get(uri)
            if snapshot is None or snapshot.text.char_count > _MOST_CHARACTERS:
                continue
            if snapshot is request.snapshot and first < hidden[1] and last >= hidden[0]:
                continue
            lines = self._digest(snapshot).lines()
            start = max(0, first - AROUND_LINES)
            shown = lines[start : min(last + AROUND_LINES + 1, start + _EDIT_LINES)]
            if shown:
                worth = tuple(
                    5 if first <= number <= last else 1
                    for number in range(start, start + len(shown))
                )
                path = self._shown(request, snapshot)
                found.append(
                    Piece("edit", path, start, start + len(shown) - 1, tuple(shown), worth)
                )
        return found

    @staticmethod
    def _shown(request: CompletionRequest, snapshot: Snapshot) -> str:
        path = path_of(snapshot.uri)
        return relative(path, request.workspace_folders)[1] if path else "untitled"

    def _digest(self, snapshot: Snapshot) -> "_Digest":
        key = id(snapshot.text)
        known = self._digests.get(key)
        if known is None or known.text() is not snapshot.text:
            for old in [old for old, one in self._digests.items() if one.text() is None]:
                del self._digests[old]
            known = self._digests[key] = _Digest(snapshot)
        self._digests.move_to_end(key)
        while (
            len(self._digests) > 1
            and sum(one.size for one in self._digests.values()) > _MOST_DIGESTED
        ):
            self._digests.popitem(last=False)
        return known


class _Digest:
    """What was read out of one state of a document, each thing when it is first needed."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.text: weakref.ref[Text] = weakref.ref(snapshot.text)
        self.size = snapshot.text.char_count
        self._language_id = snapshot.language_id
        self._definitions: list[Definition] | None = None
        self._lines: list[str] | None = None
        self._words: list[frozenset[str]] | None = None

    def _str(self) -> str:
        text = self.text()
        return str(text).replace("\r\n", "\n").replace("\r", "\n") if text is not None else ""

    def definitions(self, pause: Callable[[], None]) -> Sequence[Definition]:
        """Return what it defines, without secrets."""
        if self._definitions is None:
            found = definitions_of(self._str(), self._language_id, pause)
            self._definitions = [
                one._replace(head=redact(one.head), doc=redact(one.doc)) for one in found
            ]
        return self._definitions

    def lines(self) -> list[str]:
        """Return its lines, without secrets."""
        if self._lines is None:
            # Whole, because a key that goes on over many lines is known by its first.
            self._lines = redact(self._str()).split("\n")
        return self._lines

    def words(self, pause: Callable[[], None]) -> list[frozenset[str]]:
        """Return the identifiers of each line."""
        if self._words is None:
            found: list[frozenset[str]] = []
            for line in self.lines()[:MOST_LINES]:
                pause()
                found.append(words_of(line))
            self._words = found
        return self._words
