"""Turns what a model wrote into the smallest edit, or refuses it.

A rewriting is only ever taken for the lines that were asked about, and for the imports that it
needs at the top of the document; what stays the same is not touched; and it is refused where it
does nothing, leaves code out, breaks the syntax, changes the style of indentation, would write
over a secret that the model has not seen, or does what nobody asked for.
"""

import re
from difflib import SequenceMatcher
from itertools import pairwise

from sirdab.policy.sanitize import clean_output
from sirdab.review.refactor import (
    comments,
    danger,
    imports,
    indentation,
    nearby,
)
from sirdab.review.refactor.answer import code_of_answer, is_chatter
from sirdab.review.refactor.checks import Discipline, check_changed, check_syntax
from sirdab.review.refactor.refusal import RefusalError
from sirdab.review.refactor.region import Part, Region, part_after, region
from sirdab.review.refactor.shrink import LineEdit, shrunk
from sirdab.text.store import Point, Text

__all__ = [
    "Discipline",
    "LineEdit",
    "RefusalError",
    "Region",
    "apply",
    "edits",
    "extract",
    "region",
]

# A model's way of saying "and so on"; code would be lost.
_LEFT_OUT = re.compile(
    r"^\s*(#|//|--|/\*|;)?\s*(\.\.\.|…)\s*$|"
    r"^\s*(#|//|--|/\*).{0,80}(\.\.\.|…|\b(rest|remainder|remaining|existing|unchanged)\b).{0,80}"
    r"\b(code|implementation|function|unchanged|same|here)\b|"
    r"^\s*(#|//|--|/\*)\s*(todo|handle (the|this) (error|exception)|(add|put|write|insert) your)\b",
    re.IGNORECASE,
)
_LONGEST = 400

Opcode = tuple[str, int, int, int, int]


def extract(answer: str, fence: str = "```") -> list[str]:
    """Return the lines of code of an answer; see `refactor.answer.code_of_answer`."""
    return code_of_answer(answer, fence)


def edits(
    text: Text,
    language_id: str,
    asked: Region,
    written: list[str],
    discipline: Discipline | None = None,
    *,
    keep: float = 0.0,
    only_comments: bool = False,
) -> list[LineEdit]:
    """Return the edits that make the region what the model wrote, in order.

    Args:
        text: The document.
        language_id: Its language.
        asked: What the model was asked to rewrite.
        written: What it wrote; see `extract`.
        discipline: What it may do; None for `keep` and `only_comments` alone.
        keep: See `Discipline`.
        only_comments: See `Discipline`.

    Raises:
        RefusalError: The edit must not be made; the message says why.
    """
    rules = discipline or Discipline(keep, only_comments)
    lifted, after = imports.lift(list(asked.lines), written, language_id)
    before, after = list(asked.lines), _as_shown(asked, after)
    after = indentation.with_tabs(_bodies(text), before, after)
    _check_lines(before, after)
    if rules.near is not None:
        after = comments.without_new(before, after, language_id)
    indentation.check(_bodies(text), before, after)
    changes = _changes(before, after)
    if rules.only_comments:
        changes = [change for change in changes if change[0] == "insert"]
    elif rules.near is not None:
        row = min(max(rules.near - asked.first, 0), len(before) - 1)
        changes = nearby.chosen(
            changes,
            before,
            after,
            row,
            lambda some: _is_whole(text, language_id, asked, some, after),
        )
    if any(set(range(low, high)) & asked.hidden for _, low, high, _, _ in changes):
        raise RefusalError("The change touches a line with a secret, which the model cannot see.")
    fresh = [line for _, _, _, low, high in changes for line in after[low:high]]
    danger.check_visible(fresh)
    danger.check_addresses(before, fresh, rules.wanted)
    danger.check_marks(before, fresh, rules.wanted)
    if not rules.only_comments:
        _check_kept(before, after, rules.keep)
    found = [_edit(text, asked, change, after) for change in changes]
    above = imports.needed(text, apply(text, found), language_id, lifted)
    found = sorted(above + found, key=lambda edit: (edit.start, edit.stop))
    if any(one.stop > other.start for one, other in pairwise(found)):
        raise RefusalError("The new code would need an import that it has no place for.")
    if not found:
        raise RefusalError(
            "The model would change nothing here.",
            hint="It is the same code as before; it must change.",
        )
    new = part_after(asked, apply(text, found), found)
    check_changed(Part(text, asked.first, asked.last), new, language_id, rules)
    return [small for edit in found for small in shrunk(text, edit)]


def apply(text: Text, changes: list[LineEdit]) -> Text:
    """Return the text with edits applied that do not overlap and are in order."""
    for change in reversed(changes):
        text = text.replace(change.start, change.stop, change.text)
    return text


def check_whole(text: Text, changes: list[LineEdit], language_id: str) -> None:
    """Hold that a document is valid code with edits applied, and finds all that it names.

    Raises:
        RefusalError: It is not.
    """
    changed = apply(text, changes)
    check_syntax(text, changed, language_id)
    if imports.needed(text, changed, language_id, imports.Lifted()):
        raise RefusalError("The new code would need an import that it has no place for.")


def _as_shown(asked: Region, written: list[str]) -> list[str]:
    """Return what was written, with lines that only lost what nobody sees as they were shown."""
    shown = set(asked.lines)
    return [clean if (clean := clean_output(line)) in shown else line for line in written]


def _changes(before: list[str], after: list[str]) -> list[Opcode]:
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    return [code for code in matcher.get_opcodes() if code[0] != "equal"]


def _bodies(text: Text) -> list[str]:
    return [text.line_body(number) for number in range(min(text.line_count, 2_000))]


def _check_lines(before: list[str], after: list[str]) -> None:
    if len(after) > 3 * len(before) + 20:
        raise RefusalError(
            "The model wrote far more than it was asked for, so nothing is done.",
            hint="Write the code that was given, and no more.",
        )
    known = set(before)
    fresh = [line for line in after if line not in known]
    if any(_LEFT_OUT.search(line[:_LONGEST]) for line in fresh) or (
        # What stands for code in the examples that the model is shown.
        any("…" in line for line in fresh) and not any("…" in line for line in before)
    ):
        raise RefusalError(
            "The model left code out, so nothing is done.",
            hint="Write the complete code; leave nothing out.",
        )
    if any(is_chatter(line) for line in fresh):
        raise RefusalError(
            "The model wrote an explanation into the code, so nothing is done.",
            hint="Write code only, without explanations.",
        )


def _edit(text: Text, asked: Region, change: Opcode, after: list[str]) -> LineEdit:
    """Return one change of whole lines in the terms of the document."""
    _, low, high, new_low, new_high = change
    lines = [f"{asked.indent}{line}" if line.strip() else "" for line in after[new_low:new_high]]
    end = text.line_end
    first, stop = asked.first + low, asked.first + high
    if stop < text.line_count:
        return LineEdit(Point(first, 0), Point(stop, 0), "".join(line + end for line in lines))
    # The last line of the document has no line end.
    if lines and first < text.line_count:
        return LineEdit(Point(first, 0), text.end, end.join(lines))
    start = Point(first - 1, len(text.line_body(first - 1))) if first else Point(0, 0)
    return LineEdit(start, text.end, "".join(end + line for line in lines))


def _is_whole(
    text: Text, language_id: str, asked: Region, changes: list[Opcode], after: list[str]
) -> bool:
    """Whether some of the changes make code by themselves."""
    changed = apply(text, [_edit(text, asked, change, after) for change in changes])
    try:
        check_syntax(text, changed, language_id)
        imports.needed(text, changed, language_id, imports.Lifted())
    except RefusalError:
        return False
    return True


def _check_kept(before: list[str], after: list[str], keep: float) -> None:
    coded = [line.strip() for line in before if line.strip()]
    there = {line.strip() for line in after}
    if sum(line in there for line in coded) < keep * len(coded):
        raise RefusalError(
            "The model would rewrite far more than it was asked to, so nothing is done.",
            hint="Change as few lines as you can.",
        )
