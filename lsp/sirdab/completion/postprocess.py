"""Turns an answer into a suggestion: small pure steps, applied in the order of `STEPS`.

Each step takes the suggestion so far and what surrounds it, and returns it shortened,
changed or empty. The name of the step that emptied it is the reason that the user is given.

The order is not free: what is not text goes first, so that nothing behind it is misled by it; what
stands next to the cursor already is taken off before indentation is touched, because it is found
by what it says; the guard judges what would really be inserted, so it comes last.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from sirdab.completion.guard import guard as judge
from sirdab.completion.incoming import Incoming
from sirdab.completion.lines import TAB_COLUMNS, columns, opens_block, opens_suite, repeats
from sirdab.completion.region import Region
from sirdab.completion.repetition import ends_in_circle, is_circle, overlap, unrepeated_lines
from sirdab.completion.request import Reason

_STRING = re.compile(r""""(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""")
_PAIRS = {")": "(", "]": "[", "}": "{"}
_DOCSTRING = re.compile(r"\n?(?P<indent>[ \t]*)[rR]?(?P<quotes>\"\"\"|''')[ \t]*[^\s\"']")
_CLOSING = ")]}\"'`"
# One sign is typed faster than it is read. tabby-agent drops what is shorter than 4 characters, but
# the shortest right answers are a digit or a name of one letter.
_SHORTEST_SIGNS = 2


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands around the cursor, with LF line ends.

    Attributes:
        line_before: The cursor's line before the cursor.
        rest_of_line: The cursor's line after the cursor.
        below: The lines after it.
        sentinels: Control tokens of the model's family.
        uses_tabs: Whether the document is indented with tabs.
        above: The last line above the cursor that is not blank.
        mended: Control tokens of the user's own text, which the prompt holds in a broken form.
        indent_width: Columns of one step of the document's indentation; 0 when not known.
        region: The code around the cursor as a parser needs it; None where there is no grammar.
    """

    line_before: str
    rest_of_line: str
    below: str
    sentinels: tuple[str, ...] = ()
    uses_tabs: bool = False
    above: str = ""
    mended: tuple[str, ...] = ()
    indent_width: int = 0
    region: Region | None = None


Step = Callable[[str, Surroundings], str]


def cut_sentinels(text: str, around: Surroundings) -> str:
    """Cut at the first control token, or half of a character, that leaked into the answer.

    Those of the user's own text, which the prompt holds in a broken form, are mended. The stream
    has done both already, so one of those that stands here is meant.
    """
    ends = tuple(token for token in around.sentinels if token not in around.mended)
    incoming = Incoming(ends, around.mended)
    return incoming.feed(text) + incoming.finish()


def clean_characters(text: str, around: Surroundings) -> str:
    """Remove characters that show something else than they are."""
    del around
    from sirdab.policy.sanitize import clean_output

    return clean_output(text)


def cut_repetition(text: str, around: Surroundings) -> str:
    """Cut where the model went round in a circle."""
    del around
    lines = text.split("\n")
    kept = unrepeated_lines(lines)
    if kept is not None:
        lines = lines[:kept]
    for number, line in enumerate(lines):
        if ends_in_circle(line) or is_circle(line):
            return "\n".join(lines[:number])
    return "\n".join(lines)


def keep_one_line(text: str, around: Surroundings) -> str:
    """Cut at the first line end where text stays on the cursor's line, and would be pushed down."""
    return text.partition("\n")[0] if around.rest_of_line.strip() else text


def trim_overlap(text: str, around: Surroundings) -> str:
    """Cut what the rest of the line says already: its brackets, its quote, its very text."""
    rest = around.rest_of_line.strip()
    if not rest:
        return text
    if rest[0] in _CLOSING:
        # A bracket that the text itself opened belongs to it, equal or not.
        text = text[: _unmatched(text, rest[0])]
    else:
        text = text[: _closed_again(text, around)]
        size = overlap(text.rstrip(), rest)
        if size > 1 or (size and not rest[0].isalnum()):
            text = text.rstrip()[:-size]
    # The rest of the line brings the blank in front of it along.
    return text.rstrip(" \t") if around.rest_of_line[0].isspace() else text


def _closed_again(text: str, around: Surroundings) -> int:
    """Where the text closes what was open before it and what the rest of the line closes."""
    rest = around.rest_of_line
    places = [_unmatched(text, closer) for closer in _PAIRS if _unmatched(rest, closer) is not None]
    places += [
        text.find(quote)
        for quote in "\"'`"
        if around.line_before.count(quote) % 2 and quote in rest and quote in text
    ]
    return min((place for place in places if place is not None), default=len(text))


def _unmatched(text: str, closer: str) -> int | None:
    """Where a closing bracket or quote stands that nothing in the text opened."""
    if closer in "\"'`":
        place = text.find(closer)
        return place if place >= 0 and text.count(closer) % 2 == 1 else None
    opener = _PAIRS.get(closer)
    if opener is None:
        return None
    depth = 0
    # A bracket in a string says nothing; it is blanked out, so that places stay what they are.
    bare = _STRING.sub(lambda match: " " * len(match[0]), text)
    for place, character in enumerate(bare):
        if character == opener:
            depth += 1
        elif character == closer:
            depth -= 1
            if depth < 0:
                return place
    return None


def drop_duplicate(text: str, around: Surroundings) -> str:
    """Drop what only repeats the lines that follow the cursor, and cut where it begins to."""
    below = [line for line in around.below.split("\n") if line.strip()]
    if not below or not text.strip():
        return text
    lines = text.split("\n")
    first = around.line_before + lines[0]
    if len(first.strip()) > 1 and repeats(first, below[0]):
        return ""
    said = [number for number, line in enumerate(lines) if number and line.strip()]
    # All that is left has to be there, so no more of it than there is below.
    for place in range(max(len(said) - len(below), 0), len(said)):
        if all(map(repeats, (lines[number] for number in said[place:]), below)):
            return "\n".join(lines[: said[place]])
    if below[0].strip() == "{" and text.rstrip().endswith("{") and first.strip() != "{":
        # The brace stands on a line of its own in this document, and is there already.
        return text.rstrip()[:-1].rstrip()
    return text


def close_docstring(text: str, around: Surroundings) -> str:
    """Close a docstring that the suggestion opens and that nothing closes.

    A suggestion ends at an empty line, and so does the summary of many a docstring; left open, it
    would make a string of the rest of the file.
    """
    head = around.line_before.strip()
    opening = _DOCSTRING.match(text) if not head or head.endswith(":") else None
    if opening is None:
        return text
    quotes = opening["quotes"]
    if text.count(quotes) > 1 or around.below.count(quotes) % 2:
        return text
    text = text.rstrip()
    if "\n" not in text[opening.end() :]:
        return f"{text}{quotes}"
    indent = opening["indent"] if head else around.line_before + opening["indent"]
    return f"{text}\n{indent}{quotes}"


def undouble_indentation(text: str, around: Surroundings) -> str:
    """Take off indentation that the cursor's line has already.

    Below the line that opens a block, and further in than it, the cursor stands where the block's
    lines begin; a model that is used to wider steps indents once more.
    """
    before = around.line_before
    extra = len(text) - len(text.lstrip(" \t"))
    if not extra or not before or before.strip() or not opens_block(around.above):
        return text
    if columns(before) <= columns(around.above):
        return text
    head, *rest = text.split("\n")
    wide = columns(before + head) - columns(before)
    return "\n".join([head.lstrip(" \t"), *(_dedent(line, wide) for line in rest)])


def _dedent(line: str, wide: int) -> str:
    """Take up to `wide` columns of white space off a line."""
    kept = max(columns(line) - wide, 0)
    return " " * kept + line.lstrip(" \t")


def match_width(text: str, around: Surroundings) -> str:
    """Bring steps of indentation of another width to the document's.

    Only what is further in than a line that the suggestion itself opens a block with is touched:
    the cursor's own depth is the document's, and arguments may be aligned as one likes.
    """
    head, *rest = text.split("\n")
    base = columns(around.line_before + head)
    inner = [columns(line) - base for line in rest if line.strip()]
    if not around.indent_width or not opens_suite(around.line_before + head):
        return text
    step = inner[0] if inner else 0
    if step <= 1 or step == around.indent_width or any(depth % step for depth in inner):
        return text
    return "\n".join([head, *(_rescale(line, base, step, around.indent_width) for line in rest)])


def _rescale(line: str, base: int, step: int, width: int) -> str:
    if not line.strip():
        return line
    depth = base + (columns(line) - base) // step * width
    return " " * max(depth, 0) + line.lstrip(" \t")


def match_indentation(text: str, around: Surroundings) -> str:
    """Indent the new lines as the document does, with tabs or with blanks."""
    head, *rest = text.split("\n")
    indent = _to_tabs if around.uses_tabs else _to_blanks
    if not around.line_before:
        head = indent(head)
    return "\n".join([head, *map(indent, rest)])


def _to_tabs(line: str) -> str:
    tabs, blanks = divmod(columns(line), TAB_COLUMNS)
    return "\t" * tabs + " " * blanks + line.lstrip(" \t")


def _to_blanks(line: str) -> str:
    return " " * columns(line) + line.lstrip(" \t") if line[:1] in " \t" else line


def drop_short(text: str, around: Surroundings) -> str:
    """Drop what is one sign and no letter or digit."""
    del around
    said = text.strip()
    return text if len(said) >= _SHORTEST_SIGNS or said.isalnum() else ""


def guard_syntax(text: str, around: Surroundings) -> str:
    """Shorten or drop what breaks the syntax of code that was whole."""
    if around.region is None:
        return text
    return judge(text, around.region).text


def trim_end(text: str, around: Surroundings) -> str:
    """Take off trailing white space, and everything when nothing else is left."""
    if not text.strip():
        return ""
    return text.rstrip() if not around.rest_of_line.strip() else text.rstrip("\n")


STEPS: tuple[tuple[str, Step, Reason], ...] = (
    ("cut sentinels", cut_sentinels, Reason.EMPTY),
    ("clean characters", clean_characters, Reason.EMPTY),
    ("cut repetition", cut_repetition, Reason.REPETITION),
    ("keep one line", keep_one_line, Reason.EMPTY),
    ("trim overlap", trim_overlap, Reason.DUPLICATE),
    ("drop duplicate", drop_duplicate, Reason.DUPLICATE),
    ("undouble indentation", undouble_indentation, Reason.EMPTY),
    ("close docstring", close_docstring, Reason.EMPTY),
    ("match width", match_width, Reason.EMPTY),
    ("match indentation", match_indentation, Reason.EMPTY),
    ("trim end", trim_end, Reason.EMPTY),
    ("drop short", drop_short, Reason.TOO_SHORT),
    ("guard syntax", guard_syntax, Reason.SYNTAX),
)


@dataclass(frozen=True, slots=True)
class Processed:
    """The result of the chain.

    Attributes:
        text: The suggestion; empty when nothing is left.
        reason: `SUGGESTED`, or why nothing is left.
        changed_by: Names of the steps that changed it, in order.
    """

    text: str
    reason: Reason
    changed_by: tuple[str, ...]


def process(text: str, around: Surroundings) -> Processed:
    """Apply every step in order, stopping when nothing is left."""
    changed: list[str] = []
    for name, step, reason in STEPS:
        result = step(text, around)
        if result != text:
            changed.append(name)
        text = result
        if not text.strip():
            return Processed("", reason if name in changed else Reason.EMPTY, tuple(changed))
    return Processed(text, Reason.SUGGESTED, tuple(changed))
