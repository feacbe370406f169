"""Puts the comment into the code that tells a review to ignore a rule there."""

from sirdab.review import suppress
from sirdab.review.finding import Finding
from sirdab.review.refactor import trees
from sirdab.review.refactor.refusal import RefusalError
from sirdab.review.refactor.shrink import LineEdit
from sirdab.syntax.parse import parse_alone
from sirdab.text.store import Point, Text


def comment_out(text: Text, language_id: str, finding: Finding) -> list[LineEdit]:
    """Return the edit that makes a finding be ignored by a comment in the code.

    The comment stands above the line, where it does not make it longer; at the end of the line
    where nothing may stand between it and the one before.

    Args:
        text: The document.
        language_id: Its language.
        finding: A finding that is placed in this state of the document.

    Raises:
        RefusalError: The language has no comments, or none fits there.
    """
    comment = suppress.comment_for(language_id, finding.rule)
    if comment is None:
        raise RefusalError("This language has no comment that could say so.")
    row = finding.start.line
    body = text.line_body(row)
    indent = body[: len(body) - len(body.lstrip())]
    above = LineEdit(Point(row, 0), Point(row, 0), f"{indent}{comment}{text.line_end}")
    end = Point(row, len(body.rstrip()))
    behind = LineEdit(end, Point(row, len(body)), f"  {comment}")
    for edit in (above, behind):
        changed = text.replace(edit.start, edit.stop, edit.text)
        grown = changed.line_count - text.line_count
        marks = suppress.ignored(changed, language_id)
        first, last = finding.start.line + grown, finding.stop.line + grown
        if suppress.is_ignored(marks, finding.rule, first, last) and not _breaks(
            text, changed, language_id
        ):
            return [edit]
    raise RefusalError("No comment fits at this line; dismiss the finding instead.")


def _breaks(text: Text, changed: Text, language_id: str) -> bool:
    before, after = parse_alone(text, language_id), parse_alone(changed, language_id)
    if before is None or after is None:
        return False
    if trees.errors(after) > trees.errors(before):
        return True
    # A comment within a text is no comment, and would be part of it.
    return trees.code_tokens(text, language_id) != trees.code_tokens(changed, language_id)
