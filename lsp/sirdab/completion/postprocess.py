"""Turns an answer into a suggestion: small pure steps, applied in the order of `STEPS`.

Each step takes the suggestion so far and what surrounds it, and returns it shortened,
changed or empty. The name of the step that emptied it is the reason that the user is given.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from sirdab.completion.lines import TAB_COLUMNS, columns, opens_block, repeats
from sirdab.completion.request import Reason

# Shown whole, three equal lines in a row are never what a person was about to write.
_REPEATED_LINES = 3
# A piece of at least 3 characters six times over, or of at least 10 four times over, at the
# end of a line (the figures that tabby-agent's post-processing settled on).
_REPEATED_TAIL = re.compile(r"(.{3,}?)\1{5,}$|(.{10,}?)\2{3,}$")
# Characters of a line's end that are searched for it: the search takes the cube of this.
_SEARCHED_TAIL = 240
_STRING = re.compile(r""""(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""")
_PAIRS = {")": "(", "]": "[", "}": "{"}
_DOCSTRING = re.compile(r"\n?(?P<indent>[ \t]*)[rR]?(?P<quotes>\"\"\"|''')[ \t]*[^\s\"']")
_CLOSING = ")]}\"'`"


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
    """

    line_before: str
    rest_of_line: str
    below: str
    sentinels: tuple[str, ...] = ()
    uses_tabs: bool = False
    above: str = ""


Step = Callable[[str, Surroundings], str]


def cut_sentinels(text: str, around: Surroundings) -> str:
    """Cut at the first control token that leaked into the answer."""
    places = [place for token in around.sentinels if (place := text.find(token)) >= 0]
    return text[: min(places)] if places else text


def clean_characters(text: str, around: Surroundings) -> str:
    """Remove characters that show something else than they are."""
    del around
    from sirdab.policy.sanitize import clean_output

    return clean_output(text)


def cut_repetition(text: str, around: Surroundings) -> str:
    """Cut where the model went round in a circle."""
    del around
    lines = text.split("\n")
    for number in range(len(lines) - _REPEATED_LINES + 1):
        window = lines[number : number + _REPEATED_LINES]
        if window[0].strip() and len({line.strip() for line in window}) == 1:
            return "\n".join(lines[: number + 1])
    for number, line in enumerate(lines):
        if _REPEATED_TAIL.search(line[-_SEARCHED_TAIL:]):
            return "\n".join(lines[:number])
    return text


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
        for size in range(min(len(text), len(rest)), 0, -1):
            if text.rstrip().endswith(rest[:size]) and (size > 1 or not rest[0].isalnum()):
                text = text.rstrip()[:-size]
                break
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
    for number, line in enumerate(lines[1:], 1):
        follows = [part for part in lines[number:] if part.strip()]
        if line.strip() and len(follows) <= len(below) and all(map(repeats, follows, below)):
            return "\n".join(lines[:number])
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


def match_indentation(text: str, around: Surroundings) -> str:
    """Indent the new lines as the document does: with tabs where it uses tabs."""
    if not around.uses_tabs:
        return text
    head, *rest = text.split("\n")
    if not around.line_before:
        head = _to_tabs(head)
    return "\n".join([head, *map(_to_tabs, rest)])


def _to_tabs(line: str) -> str:
    tabs, blanks = divmod(columns(line), TAB_COLUMNS)
    return "\t" * tabs + " " * blanks + line.lstrip(" \t")


def trim_end(text: str, around: Surroundings) -> str:
    """Take off trailing white space, and everything when nothing else is left."""
    if not text.strip():
        return ""
    return text.rstrip() if not around.rest_of_line.strip() else text.rstrip("\n")


STEPS: tuple[tuple[str, Step, Reason], ...] = (
    ("cut sentinels", cut_sentinels, Reason.EMPTY),
    ("clean characters", clean_characters, Reason.EMPTY),
    ("cut repetition", cut_repetition, Reason.REPETITION),
    ("trim overlap", trim_overlap, Reason.DUPLICATE),
    ("drop duplicate", drop_duplicate, Reason.DUPLICATE),
    ("undouble indentation", undouble_indentation, Reason.EMPTY),
    ("close docstring", close_docstring, Reason.EMPTY),
    ("match indentation", match_indentation, Reason.EMPTY),
    ("trim end", trim_end, Reason.EMPTY),
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
