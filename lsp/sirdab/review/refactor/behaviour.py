"""Looks for behaviour that got lost in code that was to stay the same in what it does.

Nothing of a workspace is ever run, so whether two pieces of code do the same cannot be tried. But
what small models lose when they make code shorter is mostly one of a few things, and each leaves a
word behind: that something is sorted, trimmed, rounded, raised, closed or awaited.
"""

import re

from sirdab.review.refactor.refusal import RefusalError

_LOST: dict[str, re.Pattern[str]] = {
    "sorts": re.compile(r"\b(?:sort\w*|toSorted|orderBy|OrderBy|Sort\w*|heapq|bisect\w*)\b"),
    "reverses": re.compile(r"\b(?:revers\w*|toReversed)\b|\[::-1\]"),
    "trims": re.compile(r"\b(?:\w?strip|trim\w*|Trim\w*)\b"),
    "changes the case of letters": re.compile(
        r"\b(?:lower|upper|casefold|title|toLowerCase|toUpperCase|ToLower|ToUpper"
        r"|toLocaleLowerCase|to_lowercase|to_uppercase)\b"
    ),
    "rounds": re.compile(r"\b(?:round|floor|ceil|trunc|toFixed|Round|Floor|Ceil)\b"),
    "raises": re.compile(r"\b(?:raise|throw|panic|reject|assert|abort)\b"),
    "closes or keeps": re.compile(
        r"\b(?:close|commit|rollback|flush|release|unlock|Unlock|Close|save|write|append_to)\b"
    ),
    "waits": re.compile(r"\bawait\b"),
    "locks": re.compile(r"\b(?:lock|Lock|acquire|synchronized)\b"),
}
_WITH = re.compile(r"\bwith\b|\bdefer\b|\btry\s*\(")


def check(before: list[str], after: list[str]) -> None:
    """Hold that what the code before did, by its words, the code after does as well.

    Args:
        before: The lines of code that go.
        after: The lines that come in their place.

    Raises:
        RefusalError: A kind of behaviour is gone.
    """
    old, new = "\n".join(before), "\n".join(after)
    for what, pattern in _LOST.items():
        if not pattern.search(old) or pattern.search(new):
            continue
        if what == "closes or keeps" and _WITH.search(new):
            continue
        raise RefusalError(
            f"The old code {what} something and the new code does not, so nothing is done.",
            hint=f"The old code {what} something; the new code must do so too.",
        )


_TEXT = re.compile(r"""\"([^\"\\]*+(?:\\.[^\"\\]*+)*+)\"|'([^'\\]*+(?:\\.[^'\\]*+)*+)'""")
_LONGEST_LINE = 2_000


def check_texts(before: list[str], after: list[str]) -> None:
    """Hold that the texts which code writes are in it still.

    Args:
        before: The lines as they were.
        after: The lines as they would be.

    Raises:
        RefusalError: One is gone.
    """
    now = "\n".join(after)
    for line in before:
        if len(line) > _LONGEST_LINE or line.lstrip().startswith(("#", "//", "*")):
            continue
        for one, other in _TEXT.findall(line):
            # What is put into a text is written in another way in each kind of text.
            for piece in re.split(r"%[sdrfi]|\{[^{}]*\}|\$\{[^{}]*\}", one or other):
                if piece and piece not in now:
                    raise RefusalError(
                        "The new code leaves out a text that the old code has, so nothing is done.",
                        hint=f'The old code has the text "{piece[:80]}"; keep it.',
                    )
