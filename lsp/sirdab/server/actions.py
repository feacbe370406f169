"""What a code action of ours carries in its `data`, and the work that it stands for.

The data is all that is needed: the action may be chosen after the findings are gone from memory, or
from another copy of the server.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from lsprotocol import types
from pygls.capabilities import get_capability

from sirdab.server import convert
from sirdab.server.jsonrpc import Code
from sirdab.server.places import points_of, snapshot_of
from sirdab.server.protocol import RequestError
from sirdab.text.document import Snapshot
from sirdab.text.store import Point

if TYPE_CHECKING:
    from sirdab.review.edit import LineEdit
    from sirdab.review.finding import Finding
    from sirdab.review.refactor.kinds import Name
    from sirdab.review.refactor.newtests import NewFile
    from sirdab.review.rewrite import Rewriting
    from sirdab.server.language_server import SirdabServer

    Made = list[LineEdit] | NewFile

CHANGED = "The document has changed meanwhile, so nothing is done; ask again."
_NOT_OURS = "This code action is none of Sirdab's."

Report = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Work:
    """What is done when an action is chosen.

    Attributes:
        snapshot: The document it was chosen in.
        doing: What a person reads while it is done.
        asks_model: Whether a model writes what comes of it.
        make: Does it; given what to tell the progress in percent to. Raises RefusalError.
    """

    snapshot: Snapshot
    doing: str
    asks_model: bool
    make: "Callable[[Report], Awaitable[Made]]"


def can_create(ls: "SirdabServer") -> bool:
    """Whether the client makes files that an edit asks for."""
    capabilities = ls.session.capabilities
    kinds = get_capability(capabilities, "workspace.workspace_edit.resource_operations")
    changes = get_capability(capabilities, "workspace.workspace_edit.document_changes")
    return bool(changes) and types.ResourceOperationKind.Create in (kinds or ())


def check_enabled(ls: "SirdabServer") -> None:
    """Raise where reviews, and with them all that the model rewrites, are turned off."""
    if not ls.session.settings.review.enabled:
        raise RequestError(Code.REQUEST_FAILED, "Reviews are off; set review.enabled to true.")


def work_of(ls: "SirdabServer", data: Any) -> Work:
    """Read the data of an action that was chosen.

    Raises:
        RequestError: It is none of ours, or what it is about is no longer there.
    """
    match data:
        case {"uri": str(uri), "version": int(version), "do": str(do), **more}:
            snapshot = snapshot_of(ls, uri)
        case _:
            raise RequestError(Code.INVALID_PARAMS, _NOT_OURS)
    check_enabled(ls)
    if do == "fix" and isinstance(more.get("fingerprint"), str):
        return _fix_of_finding(ls, snapshot, more)
    if do == "ignore" and isinstance(more.get("fingerprint"), str):
        return _ignore(ls, snapshot, more)
    if version != snapshot.version:
        raise RequestError(
            Code.REQUEST_FAILED, "The document has changed meanwhile; choose the action again."
        )
    if do == "fix" and isinstance(message := more.get("message"), str):
        from sirdab.review.rewrite import fix

        lines = lines_of(ls, snapshot, more.get("range"))
        return _rewriting(ls, fix(*_given(ls, snapshot), lines, message), "Fixing")
    return refactoring(ls, snapshot, do, more.get("range"))


def refactoring(ls: "SirdabServer", snapshot: Snapshot, do: str, span: Any) -> Work:
    """Return the work of a refactoring of a range.

    Args:
        ls: The server.
        snapshot: The document.
        do: Name of the refactoring, or "tests".
        span: The selection, or an empty range: then it is about the function or class around it.

    Raises:
        RequestError: There is no such refactoring, or nothing there to refactor.
    """
    from sirdab.review.refactor.kinds import KINDS, offered

    start, stop = points_of(ls, snapshot, span, "The action")
    if do == "tests":
        return _tests(ls, snapshot, start, stop)
    kind = KINDS.get(cast("Name", do))
    if kind is None:
        raise RequestError(Code.INVALID_PARAMS, _NOT_OURS)
    if kind not in offered(snapshot.language_id):
        raise RequestError(
            Code.REQUEST_FAILED, f"“{kind.title}” is not offered in {snapshot.language_id[:40]}."
        )
    from sirdab.review.rewrite import refactor

    lines = target(snapshot, start, stop)
    part: tuple[int, int] | None = None
    if kind.extracts:
        if start == stop:
            raise RequestError(
                Code.REQUEST_FAILED, "Select the lines that are to become a function."
            )
        part, lines = lines, _around(snapshot, start, stop)
    wanted = refactor(kind.name, *_given(ls, snapshot), lines, part)
    return _rewriting(ls, wanted, kind.doing)


def instructed(ls: "SirdabServer", snapshot: Snapshot, span: Any, instruction: str) -> Work:
    """Return the work of rewriting a range as a person says.

    Raises:
        RequestError: The range is none.
    """
    from sirdab.review import rewrite

    lines = target(snapshot, *points_of(ls, snapshot, span, "sirdab.rewrite"))
    wanted = rewrite.instructed(*_given(ls, snapshot), lines, instruction)
    return _rewriting(ls, wanted, "Rewriting")


def target(snapshot: Snapshot, start: Point, stop: Point) -> tuple[int, int]:
    """Return the lines that a range is about: those selected, else the symbol's, else the line."""
    if start != stop:
        # One that ends before a line leaves it out.
        last = stop.line - 1 if stop.column == 0 and stop.line > start.line else stop.line
        return start.line, last
    from sirdab.review.refactor.symbols import enclosing

    symbol = enclosing(snapshot.text, snapshot.language_id, start, stop)
    return (start.line, start.line) if symbol is None else (symbol.first, symbol.last)


def lines_of(ls: "SirdabServer", snapshot: Snapshot, span: Any) -> tuple[int, int]:
    """Return the first and last line of a range; one that ends before a line leaves it out."""
    start, stop = points_of(ls, snapshot, span, "The action")
    last = stop.line - 1 if stop.column == 0 and stop.line > start.line else stop.line
    return start.line, last


def find(ls: "SirdabServer", snapshot: Snapshot, data: Any, span: Any) -> "Finding | None":
    """Return the finding that a diagnostic of ours is about, where its code still stands.

    Args:
        ls: The server.
        snapshot: The document as it is now.
        data: The diagnostic's data: fingerprint, rule and unit.
        span: Its range, for a finding that is not in memory.
    """
    match data:
        case {"fingerprint": str(name), **more}:
            pass
        case _:
            return None
    for finding in ls.reviews.shown(snapshot):
        if finding.fingerprint == name:
            return finding
    rule_id, unit = more.get("rule"), more.get("unit")
    if not isinstance(rule_id, str) or not isinstance(unit, str):
        return None
    from sirdab.review.finding import Finding, fingerprint
    from sirdab.review.rules import rule_named

    rule = rule_named(rule_id)
    try:
        start, stop = points_of(ls, snapshot, span, "The diagnostic")
    except RequestError:
        return None
    code = snapshot.text.slice(start, stop)
    if rule is None or fingerprint(rule_id, unit, code) != name:
        return None
    return Finding(
        start=start,
        stop=stop,
        code=code,
        category=rule.category,
        rule=rule.id,
        severity=rule.severity,
        message=f"{rule.title}.",
        replacement=None,
        fingerprint=name,
        unit=unit,
    )


def _given(ls: "SirdabServer", snapshot: Snapshot) -> tuple[Snapshot, Any, tuple[str, ...]]:
    return snapshot, ls.session.settings, ls.session.workspace_folders


def _rewriting(ls: "SirdabServer", wanted: "Rewriting", doing: str) -> Work:
    async def make(report: Report) -> "Made":
        rewriter = await ls.reviews.rewriter()
        return await rewriter.rewrite(wanted, report)

    return Work(wanted.snapshot, doing, True, make)


def _known(ls: "SirdabServer", snapshot: Snapshot, more: dict[str, Any]) -> "Finding":
    finding = find(ls, snapshot, more, more.get("range"))
    if finding is None:
        raise RequestError(
            Code.REQUEST_FAILED, "The code of that finding has changed; review the document again."
        )
    return finding


def _fix_of_finding(ls: "SirdabServer", snapshot: Snapshot, more: dict[str, Any]) -> Work:
    from sirdab.review.rewrite import fix_finding

    finding = _known(ls, snapshot, more)
    return _rewriting(ls, fix_finding(*_given(ls, snapshot), finding), "Fixing")


def _ignore(ls: "SirdabServer", snapshot: Snapshot, more: dict[str, Any]) -> Work:
    from sirdab.review.refactor.ignore import comment_out

    finding = _known(ls, snapshot, more)

    async def make(report: Report) -> "Made":
        del report
        return comment_out(snapshot.text, snapshot.language_id, finding)

    return Work(snapshot, "Ignoring", False, make)


def _tests(ls: "SirdabServer", snapshot: Snapshot, start: Point, stop: Point) -> Work:
    from sirdab.review.refactor.symbols import enclosing

    symbol = enclosing(snapshot.text, snapshot.language_id, start, stop)
    if symbol is None:
        raise RequestError(
            Code.REQUEST_FAILED, "Put the cursor into the function or class that is to be tested."
        )
    if not can_create(ls):
        raise RequestError(
            Code.REQUEST_FAILED, "This editor does not let a language server make a file."
        )

    async def make(report: Report) -> "Made":
        del report
        writer = await ls.refactorings.test_writer()
        return await writer.write(ls.refactorings.tests_wanted(snapshot, symbol))

    return Work(snapshot, "Writing tests", True, make)


def _around(snapshot: Snapshot, start: Point, stop: Point) -> tuple[int, int]:
    """Return the lines of the function that a selection is in, or those selected."""
    from sirdab.review.refactor.symbols import enclosing

    lines = target(snapshot, start, stop)
    first, last = Point(lines[0], 0), Point(lines[1], len(snapshot.text.line_body(lines[1])))
    symbol = enclosing(snapshot.text, snapshot.language_id, first, last)
    if symbol is None or symbol.kind != "function":
        return lines
    return symbol.first, symbol.last


def span_of(span: types.Range) -> dict[str, Any]:
    """Return a range as JSON."""
    return {
        "start": {"line": span.start.line, "character": span.start.character},
        "end": {"line": span.end.line, "character": span.end.character},
    }


def point_of(ls: "SirdabServer", snapshot: Snapshot, position: types.Position) -> Point:
    """Return the point of a position of the protocol."""
    return convert.point_of(snapshot, position, ls.session.encoding)


def can_ignore(snapshot: Snapshot, finding: "Finding") -> bool:
    """Whether a comment in the code can say that a finding is ignored."""
    from sirdab.review.suppress import comment_for

    return comment_for(snapshot.language_id, finding.rule) is not None
