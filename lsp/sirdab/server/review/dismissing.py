"""Dismisses findings, and shows again what was dismissed."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from sirdab.policy.sanitize import visible
from sirdab.server.jsonrpc import Code
from sirdab.server.protocol import RequestError
from sirdab.server.review.known import Known, key_of

if TYPE_CHECKING:
    from sirdab.review.dismissals import Dismissals, Scope
    from sirdab.server.language_server import SirdabServer

_log = logging.getLogger(__name__)
_P = ParamSpec("_P")
_T = TypeVar("_T")

# Files of one renaming whose dismissals go with them.
_MOST_RENAMED = 1_000


class Dismissing:
    """What the user does with findings that are none to him.

    Args:
        ls: The server.
        known: What is known of documents.
        changed: Called when something else is shown now.
    """

    def __init__(self, ls: "SirdabServer", known: Known, changed: Callable[[], None]) -> None:
        self._ls = ls
        self._known = known
        self._changed = changed

    async def dismiss(self, fingerprint: str, scope: "Scope", uri: str = "") -> None:
        """Do not show a finding, or its rule, again.

        Args:
            fingerprint: The finding.
            scope: How much of its kind is dismissed with it.
            uri: The document it is dismissed in, because copied code has one fingerprint in
                several; "" when it is not known.

        Raises:
            RequestError: The finding is not known, or it cannot be remembered.
        """
        named = key_of(uri)
        for desk in sorted(self._known, key=lambda desk: desk.key != named):
            for finding in desk.findings:
                if finding.fingerprint == fingerprint:
                    known = self._known.dismissals
                    await _kept(
                        known,
                        known.dismiss,
                        fingerprint,
                        finding.rule,
                        desk.snapshot.uri,
                        scope,
                    )
                    self._changed()
                    return
        raise RequestError(
            Code.REQUEST_FAILED, "That finding is no longer there; review the document again."
        )

    async def restore(self, uri: str = "") -> int:
        """Show again what has been dismissed, and return how many entries that were.

        Args:
            uri: The document whose findings are meant; "" for everything that was ever
                dismissed, in any project.

        Raises:
            RequestError: The document is not known, or it cannot be remembered.
        """
        known = self._known.dismissals
        if not uri:
            count = await _kept(known, known.restore_all)
        else:
            desk, snapshot = self._known.find(uri), self._ls.session.snapshot(uri)
            if snapshot is None:
                raise RequestError(
                    Code.REQUEST_FAILED, "That document is not open; open it and try again."
                )
            hidden = list(desk.findings) if desk is not None else []
            count = await _kept(known, known.restore, hidden, snapshot.uri)
        self._changed()
        return count

    async def renamed(self, names: Sequence[tuple[str, str]]) -> None:
        """Take it that files have other names: pairs of the URIs before and now."""
        for old, new in names[:_MOST_RENAMED]:
            try:
                if await asyncio.to_thread(self._known.dismissals.renamed, old, new):
                    self._changed()
            except (OSError, TimeoutError) as error:
                path = visible(str(self._known.dismissals.path))
                _log.warning("What is dismissed in a renamed file is lost: %s", _why(error, path))
                return


async def _kept(
    dismissals: "Dismissals", change: Callable[_P, _T], *arguments: _P.args, **named: _P.kwargs
) -> _T:
    """Change what is dismissed, in a thread because of its lock.

    Raises:
        RequestError: It cannot be remembered.
    """
    try:
        return await asyncio.to_thread(change, *arguments, **named)
    except (OSError, TimeoutError) as error:
        why = _why(error, visible(str(dismissals.path)))
        raise RequestError(Code.REQUEST_FAILED, why) from error


def _why(error: OSError, path: str) -> str:
    """Return what the user is told, in one sentence: what is the case, and what to do."""
    from sirdab.review.dismissed_list import UnreadableListError

    if isinstance(error, UnreadableListError):
        return (
            f"The list of dismissed findings in {path} is {error.reason}, and so nothing was "
            "changed in it; move that file away to begin a new one."
        )
    if isinstance(error, TimeoutError):
        return (
            f"Another program keeps the list of dismissed findings in {path} locked; try again in "
            "a moment."
        )
    if error.errno is None:
        # A sentence of our own, which says what to do.
        return f"The list of dismissed findings cannot be changed: {visible(str(error))}."
    return (
        f"The list of dismissed findings in {path} cannot be changed ({error.strerror}); check "
        "that its directory can be written, and that there is space left on the disk."
    )
