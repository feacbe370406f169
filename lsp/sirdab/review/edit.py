"""Turns what a model wrote into the smallest edit, or refuses it.

A rewriting is only ever taken for the lines that were asked about; what stays the same in them
is not touched; and it is refused where it does nothing, leaves code out, breaks the syntax, changes
the style of indentation, or would write over a secret that the model has not seen.
"""

import re
import textwrap
from dataclasses import dataclass
from difflib import SequenceMatcher

from sirdab.policy.sanitize import clean_output
from sirdab.review.conversation import without_thoughts
from sirdab.review.units import code_of
from sirdab.syntax.parse import Parsed, parse_alone
from sirdab.text.store import Point, Text

_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[^\n]*$", re.MULTILINE)
# A model's way of saying "and so on"; code would be lost.
_LEFT_OUT = re.compile(
    r"^\s*(#|//|--|/\*|;)?\s*(\.\.\.|…)\s*$|"
    r"^\s*(#|//|--|/\*).*(\.\.\.|…|\b(rest|remainder|remaining|existing|unchanged)\b).*"
    r"\b(code|implementation|function|unchanged|same|here)\b",
    re.IGNORECASE,
)
_MOST_LINES = 400


class RefusalError(Exception):
    """A rewriting that must not be applied.

    Attributes:
        message: One sentence for a person.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class LineEdit:
    """A stretch of text that is replaced.

    Attributes:
        start: Where it begins.
        stop: Where it ends.
        text: What takes its place, with the document's line ends.
    """

    start: Point
    stop: Point
    text: str


@dataclass(frozen=True, slots=True)
class Region:
    """The lines that a model is asked to rewrite.

    Attributes:
        first: Number of the first line, 0-based.
        lines: The lines as the model is shown them, without the indentation they share and
            without line ends; as many as in the document.
        indent: The indentation they share.
        hidden: Numbers of lines, counted from `first`, in which a secret was taken out.
    """

    first: int
    lines: tuple[str, ...]
    indent: str
    hidden: frozenset[int]


def region(text: Text, first: int, last: int, *, redact_secrets: bool) -> Region:
    """Cut the lines `first`..`last` (0-based, inclusive) out of a document.

    Raises:
        RefusalError: There is nothing in them, or too much.
    """
    while first < last and not text.line_body(first).strip():
        first += 1
    while last > first and not text.line_body(last).strip():
        last -= 1
    bodies = [text.line_body(number) for number in range(first, last + 1)]
    if not any(body.strip() for body in bodies):
        raise RefusalError("There is no code in the lines that were chosen.")
    if len(bodies) > _MOST_LINES:
        raise RefusalError(f"More than {_MOST_LINES} lines are too many to rewrite; choose fewer.")
    shown = bodies
    if redact_secrets:
        from sirdab.policy.secrets import redact

        # The whole document is searched, because a key may begin far above.
        count = text.line_count
        whole = redact("\n".join(text.line_body(number) for number in range(count)))
        lines = whole.split("\n")
        if len(lines) != count:
            raise RefusalError("The secrets of this document cannot be taken out of it safely.")
        shown = lines[first : last + 1]
    hidden = frozenset(
        number for number, pair in enumerate(zip(bodies, shown, strict=True)) if len(set(pair)) > 1
    )
    indent = _shared_indent(shown)
    return Region(
        first, tuple(line.removeprefix(indent).rstrip() for line in shown), indent, hidden
    )


def extract(answer: str) -> list[str]:
    """Return the lines of code of an answer, without fences, chatter and hidden characters.

    Raises:
        RefusalError: It holds no code, or does not say which.
    """
    answer = clean_output(answer.replace("\r\n", "\n").replace("\r", "\n"))
    answer = without_thoughts(answer)
    fences = list(_FENCE.finditer(answer))
    if len(fences) > 2:
        raise RefusalError("The model wrote several pieces of code, so none of them is used.")
    if len(fences) == 2:
        answer = answer[fences[0].end() + 1 : fences[1].start()]
    elif fences:
        # The prompt opens the block, so one fence alone closes it; before it stands the code.
        answer = answer[: fences[0].start()] or answer[fences[0].end() + 1 :]
    code = "\n".join(line.rstrip() for line in answer.split("\n")).strip("\n")
    if not code:
        raise RefusalError("The model wrote no code.")
    return textwrap.dedent(code).split("\n")


def edits(
    text: Text,
    language_id: str,
    asked: Region,
    written: list[str],
    *,
    keep: float = 0.0,
    only_comments: bool = False,
) -> list[LineEdit]:
    """Return the edits that make the region what the model wrote.

    Args:
        text: The document.
        language_id: Its language.
        asked: What the model was asked to rewrite.
        written: What it wrote; see `extract`.
        keep: Share of the lines with code that have to stay, but for their indentation.
        only_comments: Take only lines that were added, and none that changes the code.

    Raises:
        RefusalError: The edit must not be made; the message says why.
    """
    before, after = list(asked.lines), written
    _check_indentation(asked, after)
    _check_lines(before, after)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    changes = [code for code in matcher.get_opcodes() if code[0] != "equal"]
    if only_comments:
        changes = [code for code in changes if code[0] == "insert"]
    if not changes:
        raise RefusalError("The model would change nothing here.")
    if any(set(range(low, high)) & asked.hidden for _, low, high, _, _ in changes):
        raise RefusalError("The change touches a line with a secret, which the model cannot see.")
    if not only_comments:
        _check_kept(before, after, keep)
    found = [_edit(text, asked, change, after) for change in changes]
    changed = apply(text, found)
    _check_syntax(text, changed, language_id)
    if only_comments and code_of(text, language_id) != code_of(changed, language_id):
        raise RefusalError("The model would change the code as well, so nothing is done.")
    return found


def apply(text: Text, changes: list[LineEdit]) -> Text:
    """Return the text with edits applied that do not overlap and are in order."""
    for change in reversed(changes):
        text = text.replace(change.start, change.stop, change.text)
    return text


def _shared_indent(lines: list[str]) -> str:
    indents = [line[: len(line) - len(line.lstrip())] for line in lines if line.strip()]
    shortest = min(indents, key=len)
    while any(not indent.startswith(shortest) for indent in indents):
        shortest = shortest[:-1]
    return shortest


def _check_indentation(asked: Region, written: list[str]) -> None:
    tabs = any(line.startswith("\t") for line in asked.lines) or "\t" in asked.indent
    spaces = any(line.startswith("  ") for line in asked.lines) or "  " in asked.indent
    new = [line for line in written if line not in asked.lines]
    if (tabs and not spaces and any(line.startswith("  ") for line in new)) or (
        spaces and not tabs and any(line.startswith("\t") for line in new)
    ):
        raise RefusalError("The model mixes tabs and spaces, so nothing is done.")


def _check_lines(before: list[str], after: list[str]) -> None:
    if len(after) > 3 * len(before) + 20:
        raise RefusalError("The model wrote far more than it was asked for, so nothing is done.")
    known = set(before)
    if any(_LEFT_OUT.search(line) for line in after if line not in known):
        raise RefusalError("The model left code out, so nothing is done.")


def _edit(
    text: Text, asked: Region, change: tuple[str, int, int, int, int], after: list[str]
) -> LineEdit:
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


def _check_kept(before: list[str], after: list[str], keep: float) -> None:
    coded = [line.strip() for line in before if line.strip()]
    there = {line.strip() for line in after}
    if sum(line in there for line in coded) < keep * len(coded):
        raise RefusalError(
            "The model would rewrite far more than it was asked to, so nothing is done."
        )


def _check_syntax(text: Text, changed: Text, language_id: str) -> None:
    before = parse_alone(text, language_id)
    if before is None:
        return
    after = parse_alone(changed, language_id)
    if after is None or _errors(after) > _errors(before):
        raise RefusalError("What the model wrote is not valid code, so nothing is done.")


def _errors(parsed: Parsed) -> int:
    """Count what the parser could not make sense of."""
    count = 0
    stack = [parsed.tree.root_node]
    while stack:
        node = stack.pop()
        if node.is_error or node.is_missing:
            count += 1
        if node.has_error:
            stack.extend(node.children)
    return count
