"""Turns an answer into a suggestion: small pure steps, applied in the order of `STEPS`.

Each step takes the suggestion so far and what surrounds it, and returns it shortened,
changed or empty. The name of the step that emptied it is the reason that the user is given.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from sirdab.completion.request import Reason

# Shown whole, three equal lines in a row are never what a person was about to write.
_REPEATED_LINES = 3
# A piece of at least 3 characters six times over, or of at least 10 four times over, at the
# end of a line (the figures that tabby-agent's post-processing settled on).
_REPEATED_TAIL = re.compile(r"(.{3,}?)\1{5,}$|(.{10,}?)\2{3,}$")
_PAIRS = {")": "(", "]": "[", "}": "{"}
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
    """

    line_before: str
    rest_of_line: str
    below: str
    sentinels: tuple[str, ...] = ()
    uses_tabs: bool = False


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
        if _REPEATED_TAIL.search(line):
            return "\n".join(lines[:number])
    return text


def trim_overlap(text: str, around: Surroundings) -> str:
    """Cut what the rest of the line says already: its brackets, its quote, its very text."""
    rest = around.rest_of_line.strip()
    if not rest:
        return text
    if rest[0] in _CLOSING:
        # A bracket that the text itself opened belongs to it, equal or not.
        place = _unmatched(text, rest[0])
        return text if place is None else text[:place]
    for size in range(min(len(text), len(rest)), 0, -1):
        if text.endswith(rest[:size]) and (size > 1 or not rest[0].isalnum()):
            return text[:-size]
    return text


def _unmatched(text: str, closer: str) -> int | None:
    """Where a closing bracket or quote stands that nothing in the text opened."""
    if closer in "\"'`":
        place = text.find(closer)
        return place if place >= 0 and text.count(closer) % 2 == 1 else None
    opener = _PAIRS.get(closer)
    if opener is None:
        return None
    depth = 0
    for place, character in enumerate(text):
        if character == opener:
            depth += 1
        elif character == closer:
            depth -= 1
            if depth < 0:
                return place
    return None


def drop_duplicate(text: str, around: Surroundings) -> str:
    """Drop what only repeats the lines that follow the cursor, and cut where it begins to."""
    below = [line.strip() for line in around.below.split("\n") if line.strip()]
    if not below or not text.strip():
        return text
    lines = text.split("\n")
    whole_first = (around.line_before + lines[0]).strip()
    if len(whole_first) > 1 and whole_first == below[0]:
        return ""
    for number, line in enumerate(lines[1:], 1):
        stripped = line.strip()
        follows = [part.strip() for part in lines[number:] if part.strip()]
        if stripped and follows == below[: len(follows)]:
            return "\n".join(lines[:number])
    return text


def match_indentation(text: str, around: Surroundings) -> str:
    """Indent the new lines as the document does: with tabs where it uses tabs."""
    if not around.uses_tabs or "\n" not in text:
        return text
    head, *rest = text.split("\n")
    return "\n".join([head, *(_to_tabs(line) for line in rest)])


def _to_tabs(line: str) -> str:
    body = line.lstrip(" \t")
    indent = line[: len(line) - len(body)].replace("\t", "    ")
    return "\t" * (len(indent) // 4) + " " * (len(indent) % 4) + body


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
