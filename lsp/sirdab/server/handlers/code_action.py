"""`textDocument/codeAction` and `codeAction/resolve`: fixes, refactorings, dismissals.

Listing them asks nobody, because editors do it at every move of the cursor; a fix that can be made
by rule is tried out, so that it can be said that no model writes it. The model is asked when one is
chosen: on `codeAction/resolve`, or by a command where the client cannot resolve.

`isPreferred` is never set and `source.fixAll` never offered: both let an editor apply an edit that
nobody has looked at.
"""

import asyncio
from collections.abc import Awaitable, Iterator, Sequence
from typing import Any, cast

from lsprotocol import types

from sirdab.completion.request import Trigger
from sirdab.policy.sentences import neutral_line
from sirdab.server import actions, convert, edits
from sirdab.server.action_form import (
    MAX_TITLE_CHARACTERS,
    Action,
    done_by,
    in_clients_form,
    is_within,
    plain,
    title,
)
from sirdab.server.actions import CHANGED, Work, span_of
from sirdab.server.edits import workspace_edit
from sirdab.server.language_server import SirdabServer
from sirdab.server.refactoring_actions import Place, refactorings, with_tests

# Diagnostics that a fix is offered for at one place, ours and those of other servers.
_MOST_PASSED = 64
_MOST_FOREIGN = 3
# Fixes at one place that are tried out before they are offered.
_MOST_BY_RULE = 3
# That takes some 100 ms for 1,000 lines, and editors ask at each move of the cursor. What is
# longer is looked at when the fix is chosen.
_MOST_CHARACTERS = 40_000


def handle(
    ls: SirdabServer, params: types.CodeActionParams
) -> Awaitable[list[Action]] | list[Action] | None:
    """List what can be done at a place."""
    uri, cursor = params.text_document.uri, params.range.end
    resting = ls.session.completion_request(uri, cursor, Trigger.INVOKED)
    if resting is not None:
        ls.warm_up.asked_about(resting)
    snapshot = ls.session.snapshot(uri)
    if snapshot is None or not ls.session.settings.review.enabled:
        return None
    encoding = ls.session.encoding
    place = Place(
        snapshot,
        params.range,
        convert.point_of(snapshot, params.range.start, encoding),
        convert.point_of(snapshot, params.range.end, encoding),
        params.context.trigger_kind is not types.CodeActionTriggerKind.Automatic,
    )
    wanted = [
        str(kind.value if isinstance(kind, types.CodeActionKind) else kind)
        for kind in params.context.only or ()
    ]

    found = list(_quick_fixes(ls, place, params.context.diagnostics))
    if _wants(wanted, "refactor.rewrite") or _wants(wanted, "refactor.extract"):
        found += refactorings(ls, place)
    found = [action for action in found if _wants(wanted, action.kind)]
    by_rule = [action for action in found if _may_be_by_rule(place, action)]
    if by_rule or any(done_by(action) == "tests" for action in found):
        return _with_more(ls, place, found, by_rule)
    return _in_clients_form(ls, found)


async def _with_more(
    ls: SirdabServer,
    place: Place,
    found: list[types.CodeAction],
    by_rule: list[types.CodeAction],
) -> list[Action]:
    for action in by_rule[:_MOST_BY_RULE]:
        await _say_by_rule(ls, place, action)
    if any(done_by(action) == "tests" for action in found):
        found = await with_tests(ls, place, found)
    return _in_clients_form(ls, found)


def _may_be_by_rule(place: Place, action: types.CodeAction) -> bool:
    from sirdab.review.refactor.mechanical import known

    if place.snapshot.text.char_count > _MOST_CHARACTERS:
        return False
    match action.data:
        case {"do": "fix", "rule": str(rule)}:
            return known(rule, place.snapshot.language_id)
        case _:
            return False


async def _say_by_rule(ls: SirdabServer, place: Place, action: types.CodeAction) -> None:
    """Say of a fix that no model writes it, where that is so."""
    from sirdab.review.refactor.mechanical import mended
    from sirdab.review.rewrite import fix_finding

    data = cast("dict[str, Any]", action.data)
    finding = actions.find(ls, place.snapshot, data, data["range"])
    if finding is None:
        return
    session = ls.session
    folders = session.workspace_folders

    def is_mended() -> bool:
        return mended(fix_finding(place.snapshot, session.settings, folders, finding)) is not None

    if await asyncio.to_thread(is_mended):
        action.data = {**data, "byRule": True}
        action.title = title(f"{action.title} (by rule)")


def _in_clients_form(ls: SirdabServer, found: list[types.CodeAction]) -> list[Action]:
    shaped = (in_clients_form(ls, action) for action in found)
    return [action for action in shaped if action is not None]


def _wants(wanted: list[str], kind: object) -> bool:
    return not wanted or any(is_within(kind, one) for one in wanted)


def resolve(ls: SirdabServer, action: types.CodeAction) -> Awaitable[types.CodeAction]:
    """Compute the edit of an action that was chosen."""
    return _resolve(ls, action, actions.work_of(ls, action.data))


async def _resolve(ls: SirdabServer, action: types.CodeAction, work: Work) -> types.CodeAction:
    made = await edits.made(ls, work, None)
    if made is None:
        # Cancelled by the person who chose it.
        return action
    if isinstance(made, str):
        # Editors show the error of a resolve as one of their own, or not at all.
        ls.warn(made)
        return action
    now = ls.session.snapshot(work.snapshot.uri)
    if now is None or now.text is not work.snapshot.text:
        # Clients without versioned edits would apply it to lines that it is not about.
        ls.warn(CHANGED)
        return action
    if edits.is_by_rule(made):
        action.tags = None
    action.edit = workspace_edit(ls, now, made, asks_model=work.asks_model)
    return action


# --- what is offered ----------------------------------------------------------------------


def _quick_fixes(
    ls: SirdabServer, place: Place, passed: Sequence[types.Diagnostic]
) -> Iterator[types.CodeAction]:
    ours = ls.reviews.shown_in(place.snapshot, place.start.line, place.stop.line)
    known = {finding.fingerprint for finding, _ in ours}
    foreign: list[types.Diagnostic] = []
    for diagnostic in passed[:_MOST_PASSED]:
        if diagnostic.source != "sirdab":
            foreign.append(diagnostic)
            continue
        # Shown by the client, and not known here: from before a restart.
        finding = actions.find(ls, place.snapshot, diagnostic.data, span_of(diagnostic.range))
        if finding is not None and finding.fingerprint not in known:
            known.add(finding.fingerprint)
            ours.append((finding, diagnostic))
    named = [
        (
            diagnostic,
            finding,
            {
                **place.data,
                "range": span_of(diagnostic.range),
                "fingerprint": finding.fingerprint,
                "rule": finding.rule,
                "unit": finding.unit,
            },
        )
        for finding, diagnostic in ours
    ]
    for diagnostic, finding, data in named:
        yield types.CodeAction(
            title=title(f"Fix: {finding.message.partition(':')[0].rstrip('.')}"),
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[diagnostic],
            data={**data, "do": "fix"},
        )
    yield from _foreign(place, foreign)
    for diagnostic, finding, data in named:
        yield from _dismissals(place, diagnostic, finding.fingerprint, finding.rule)
        if actions.can_ignore(place.snapshot, finding):
            yield types.CodeAction(
                title=title(f"Ignore “{finding.rule}” here with a comment"),
                kind=types.CodeActionKind.QuickFix,
                diagnostics=[diagnostic],
                data={**data, "do": "ignore"},
            )


def _foreign(place: Place, diagnostics: list[types.Diagnostic]) -> Iterator[types.CodeAction]:
    """Offer to mend what other servers and linters have found."""
    for diagnostic in diagnostics[:_MOST_FOREIGN]:
        message = plain(diagnostic.message)
        if not message:
            continue
        # What others say may quote a workspace, and a title is read as our own words.
        said = neutral_line(message, MAX_TITLE_CHARACTERS) or "this problem"
        yield types.CodeAction(
            title=title(f"Fix with the local model: {said}"),
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[diagnostic],
            data={
                **place.data,
                "do": "fix",
                "range": span_of(diagnostic.range),
                "message": message,
            },
        )


def _dismissals(
    place: Place, diagnostic: types.Diagnostic, fingerprint: str, rule: str
) -> Iterator[types.CodeAction]:
    for said, scope in (
        ("Dismiss: not a problem", "finding"),
        (f"Dismiss: never “{rule}” in this file", "rule-here"),
        (f"Dismiss: never “{rule}” anywhere", "rule"),
    ):
        yield types.CodeAction(
            title=title(said),
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[diagnostic],
            command=types.Command(
                said, "sirdab.dismiss", arguments=[fingerprint, scope, place.snapshot.uri]
            ),
        )
