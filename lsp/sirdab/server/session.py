"""What the server knows of its client: documents, settings, folders, and what is in flight."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple, cast

from lsprotocol import types

from sirdab.completion.request import CompletionRequest, Trigger
from sirdab.config.schema import Settings
from sirdab.server import convert
from sirdab.server.configuration import Configuration
from sirdab.server.protocol import Pending
from sirdab.server.switches import Switches
from sirdab.server.tally import Tally
from sirdab.text.document import Change, Document, Snapshot
from sirdab.text.positions import Encoding
from sirdab.text.store import Point

# Open documents that a request may look at beside its own.
_MOST_OTHERS = 32


class _Newest(NamedTuple):
    """The newest request of one kind for one document."""

    pending: Pending
    point: Point


class Session:
    """The state of one client's session."""

    def __init__(self, abandon: Callable[[Pending], None]) -> None:
        """Start empty.

        Args:
            abandon: Answers a request with null and stops the work on it.
        """
        self._abandon = abandon
        self._documents: dict[str, Document] = {}
        self._neighbours: dict[str, tuple[Snapshot, ...]] = {}
        self._lost: set[str] = set()
        self._newest: dict[tuple[str, str], _Newest] = {}
        self._folders: dict[str, str] = {}
        self.switches = Switches()
        self.configuration = Configuration(
            lambda before, after: self.switches.overruled(before.completion, after.completion)
        )
        self.tally = Tally()
        self.capabilities = types.ClientCapabilities()
        self.client_commands: frozenset[str] = frozenset()
        self.encoding = Encoding.UTF16

    def begin(self, params: types.InitializeParams) -> None:
        """Take what `initialize` says."""
        self.capabilities = params.capabilities
        self.client_commands = convert.client_commands(params.capabilities.experimental)
        self.configuration.begin(params.initialization_options)
        folders = [folder.uri for folder in params.workspace_folders or ()]
        if not folders and params.root_uri:
            folders = [params.root_uri]
        self.change_folders(folders, [])

    @property
    def settings(self) -> Settings:
        """The settings in force, with what the user has switched for everything."""
        return self.switches.settings(self.configuration.settings)

    @property
    def wants_model(self) -> bool:
        """Whether a document is open that may be completed."""
        return self.settings.completion.enabled and bool(self._documents)

    @property
    def workspace_folders(self) -> tuple[str, ...]:
        """Absolute paths of the workspace's folders."""
        return tuple(self._folders.values())

    def change_folders(self, added: list[str], removed: list[str]) -> None:
        """Take the folders that came and went, by their URIs."""
        for uri in removed:
            self._folders.pop(uri, None)
        for uri in added:
            path = convert.folder_path(uri)
            if path is not None:
                self._folders[uri] = path

    # --- documents -----------------------------------------------------------------------

    def open(self, item: types.TextDocumentItem) -> None:
        """Take a document that the client has opened, unless its URI is not served."""
        key = convert.document_key(item.uri)
        if key is None:
            return
        self._lost.discard(key)
        self._documents[key] = Document.open(
            item.uri, item.language_id, item.version, item.text, self.encoding
        )

    def change(self, uri: str, version: int, changes: list[Change]) -> bool:
        """Apply changes in order and return False when the document is not open here."""
        found = self._find(uri)
        if found is None:
            return False
        key, document = found
        document.apply(changes, version)
        # The documents are kept in the order of their last edits.
        self._documents[key] = self._documents.pop(key)
        if any(change.range is None for change in changes):
            self._lost.discard(key)
        return True

    def lost_change(self, params: Any) -> None:
        """Remember that a change could not be read, so the document cannot be trusted.

        Args:
            params: The params as they were sent; of unknown shape.
        """
        try:
            found = self._find(params["textDocument"]["uri"])
        except (TypeError, KeyError, AttributeError):
            return
        if found is not None:
            self._lost.add(found[0])

    def saved(self, uri: str, text: str | None) -> None:
        """Take the text of a saved document, which is what the client surely holds."""
        found = self._find(uri)
        if found is None or text is None:
            return
        key, document = found
        # Comparing first keeps the identity of the text, which caches are keyed by.
        if key in self._lost or document.suspect or str(document.text) != text:
            document.apply([Change(None, text)], document.version)
            self._lost.discard(key)

    def close(self, uri: str) -> str | None:
        """Forget a document and stop what is still being worked on for it.

        Returns:
            The URI as it was spelt when the document was opened; None when it was not open.
        """
        found = self._find(uri)
        if found is None:
            return None
        key, document = found
        del self._documents[key]
        self._neighbours.pop(key, None)
        self._lost.discard(key)
        for kind, owner in list(self._newest):
            if owner == key:
                self._abandon(self._newest.pop((kind, owner)).pending)
        return document.uri

    def is_open(self, key: str) -> bool:
        """Whether a document is open, by what it is filed under; see `convert.document_key`."""
        return key in self._documents

    def snapshot(self, uri: str) -> Snapshot | None:
        """Return an open document as it is now, or None; nothing is read from disk."""
        found = self._find(uri)
        if found is None:
            return None
        key, document = found
        snapshot = document.snapshot()
        if key in self._lost:
            return replace(snapshot, suspect="The editor sent a change that cannot be read.")
        return snapshot

    def _find(self, uri: Any) -> tuple[str, Document] | None:
        key = convert.document_key(uri) if isinstance(uri, str) else None
        document = self._documents.get(key) if key is not None else None
        return (cast("str", key), document) if document is not None else None

    # --- requests ------------------------------------------------------------------------

    def completion_request(
        self,
        uri: str,
        position: types.Position,
        trigger: Trigger,
        selected: types.SelectedCompletionInfo | None = None,
    ) -> CompletionRequest | None:
        """Bind a request to the document as it is now; None when it is not open here."""
        snapshot = self.snapshot(uri)
        if snapshot is None:
            return None
        request = CompletionRequest(
            snapshot=snapshot,
            point=convert.point_of(snapshot, position, self.encoding),
            trigger=trigger,
            settings=self.settings,
            selected=convert.selected_of(selected, snapshot, self.encoding),
            workspace_folders=self.workspace_folders,
            trusted=self.configuration.trusted,
            open_documents=self._others(snapshot.uri),
            neighbours=self._neighbours.get(convert.document_key(snapshot.uri) or "", ()),
        )
        return self.renewed(request)

    def set_neighbours(self, uri: str, found: tuple[Snapshot, ...]) -> None:
        """Take the files near a document from which code may be copied, while it is open."""
        known = self._find(uri)
        if known is not None:
            self._neighbours[known[0]] = found

    def latest(self, most: int) -> tuple[Snapshot, ...]:
        """Return the open documents, the one that was edited last first."""
        latest = itertools.islice(reversed(self._documents.values()), most)
        return tuple(document.snapshot() for document in latest)

    def _others(self, uri: str) -> tuple[Snapshot, ...]:
        latest = itertools.islice(reversed(self._documents.values()), _MOST_OTHERS + 1)
        return tuple(document.snapshot() for document in latest if document.uri != uri)

    def renewed(self, request: CompletionRequest) -> CompletionRequest:
        """Return a request under the settings as they are now."""
        settings, snapshot = self.configuration.settings, request.snapshot
        key = convert.document_key(snapshot.uri) or ""
        return replace(
            request,
            settings=self.switches.settings_for(settings, snapshot.language_id),
            switched_off=self.switches.why_off(settings, snapshot.language_id, key),
        )

    def supersede(self, kind: str, uri: str, pending: Pending, point: Point) -> None:
        """Make a request the newest of its kind for its document; the older is answered null.

        The newest stays known when it has been answered; giving it up then does nothing.
        """
        key = (kind, convert.document_key(uri) or uri)
        older = self._newest.get(key)
        self._newest[key] = _Newest(pending, point)
        if older is not None:
            self._abandon(older.pending)

    def give_up(self) -> None:
        """Answer every request in flight with null, because nobody wants suggestions now."""
        for newest in self._newest.values():
            self._abandon(newest.pending)
        self._newest.clear()

    def moved(self, uri: str, position: types.Position) -> None:
        """Give up what was asked for at another place than where the cursor is now."""
        snapshot, key = self.snapshot(uri), convert.document_key(uri)
        if snapshot is None:
            return
        point = convert.point_of(snapshot, position, self.encoding)
        for (kind, owner), newest in list(self._newest.items()):
            if owner == key and newest.point != point:
                self._abandon(self._newest.pop((kind, owner)).pending)
