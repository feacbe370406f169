"""Mends findings by rule, without a model, where one plain change is the cure.

Each mender looks at the syntax tree and gives up where the case is not the plain one; then a model
is asked. What it writes passes the same checks as what a model writes (`review.edit`, `verify`).
"""

from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from sirdab.review import edit, units
from sirdab.review.refactor import verify
from sirdab.review.refactor.mechanical.case import Case, Change
from sirdab.review.refactor.mechanical.registry import known, menders
from sirdab.review.refactor.refusal import RefusalError
from sirdab.review.refactor.region import Part, part_after, region
from sirdab.review.refactor.shrink import LineEdit
from sirdab.review.rules import rule_named
from sirdab.review.tree import TooMuch, copy, release
from sirdab.syntax.parse import parse_alone, to_source
from sirdab.text.store import Text

if TYPE_CHECKING:
    from sirdab.review.refactor.wanted import Rewriting

__all__ = ["Mended", "changes", "known", "mended"]


class Mended(list[LineEdit]):
    """Edits in order that were made by rule: no model was asked, and none has written them."""


def mended(wanted: "Rewriting") -> Mended | None:
    """Return the edits that mend a finding by rule.

    It parses the document several times, so call it in a thread.

    Args:
        wanted: What a model would be asked for.

    Returns:
        None where it is not about a finding of a rule that can be mended so, where the case is not
        the plain one, or where the checks of `review.edit` and `verify` do not let it pass.
    """
    snapshot, rule = wanted.snapshot, wanted.rule
    if wanted.stretch is None or not known(rule, snapshot.language_id):
        return None
    discipline = replace(wanted.discipline, near=None)
    made = _made(
        snapshot.text, snapshot.language_id, rule, wanted.stretch, wanted.lines, discipline
    )
    return None if made is None else Mended(made)


# Editors ask what can be done at each move of the cursor, mostly in the same lines.
@lru_cache(maxsize=4)
def _made(
    text: Text,
    language_id: str,
    rule: str,
    stretch: tuple[int, int],
    lines: tuple[int, int],
    discipline: edit.Discipline,
) -> tuple[LineEdit, ...] | None:
    found = changes(text, language_id, rule, stretch)
    if not found:
        return None
    first, last = lines
    after = _applied(text, found)
    grown = after.line_count - text.line_count
    try:
        # Nobody is shown these lines, so no secret has to be taken out of them.
        asked = region(text, first, last, redact_secrets=False)
        written = [after.line_body(row) for row in range(asked.first, last + grown + 1)]
        bodies = [line.removeprefix(asked.indent).rstrip() for line in written]
        made = edit.edits(text, language_id, asked, bodies, discipline)
        old = Part(text, asked.first, asked.last)
        new = part_after(asked, edit.apply(text, made), made)
        verify.defect_gone(old, new, language_id, rule)
        verify.nothing_worse(old, new, language_id)
    except RefusalError:
        return None
    return tuple(made)


def changes(
    text: Text, language_id: str, rule: str, lines: tuple[int, int]
) -> tuple[Change, ...] | None:
    """Return the changes that mend a finding, in order and apart; None where it is not plain.

    Args:
        text: The document.
        language_id: Its language.
        rule: The rule of the finding.
        lines: First and last line of the finding, 0-based.
    """
    parsed = parse_alone(text, language_id) if known(rule, language_id) else None
    if parsed is None or parsed.tree.root_node.has_error or parsed.source != _bytes(text):
        return None
    root = copy(parsed.tree.root_node, parsed.source)
    if root is None:
        return None
    try:
        case = Case(root, language_id, *lines, _shown(text, language_id, rule, lines))
        for mender in menders(rule, language_id):
            found = sorted(set(mender(case) or ()))
            if found and not _overlap(found):
                return tuple(found)
    except TooMuch:
        return None
    finally:
        release(root)
    return None


def _bytes(text: Text) -> bytes:
    # Half a pair of surrogates, which an editor may send, and line ends of old have no place here.
    return str(text).encode("utf-8", "surrogatepass")


def _overlap(found: list[Change]) -> bool:
    return any(one.stop > other.start for one, other in pairwise(found))


def _shown(
    text: Text, language_id: str, rule_id: str, lines: tuple[int, int]
) -> tuple[int, int] | None:
    """Return the bytes that show a rule's sign in some lines."""
    rule = rule_named(rule_id)
    if rule is None:
        return None
    for unit in units.split(text, language_id):
        for row in rule.lines_of(unit, language_id):
            at = unit.first + row
            span = rule.span(unit, row, language_id) if lines[0] <= at <= lines[1] else None
            if span is not None:
                base = sum(len(text.line(number).encode()) for number in range(at))
                body = text.line_body(at)
                start, stop = (base + len(body[:column].encode()) for column in span)
                return start, stop
    return None


def _applied(text: Text, found: tuple[Change, ...]) -> Text:
    source = to_source(str(text))
    end = text.line_end
    for change in reversed(found):
        written = change.text.replace("\n", end).encode()
        source = source[: change.start] + written + source[change.stop :]
    return Text(source.decode())
