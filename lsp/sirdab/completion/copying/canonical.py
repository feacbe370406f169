"""Lines of code in the form in which they are compared: as tokens, whatever their spacing.

A canonical line has no indentation, and a single blank only where two words would run together.
Two lines are the same here when they have the same tokens. A plain string and not a list of
tokens, because searching and comparing strings is what the interpreter is fast at.
"""

import re
from itertools import islice

# A longer line is data or was made by a machine; it is treated as a blank one.
LONGEST_LINE = 1_000

TOKEN = re.compile(r"\w+|[^\w ]")
"""A token of canonical text. The line feed that ends a line is one as well."""

_NEEDLESS_BLANK = re.compile(r"(?<!\w) | (?!\w)")
_VISIBLE = re.compile(r"\S")
_LAST_WORD = re.compile(r"\w+$")


def canonical(line: str) -> str:
    """Return the tokens of a line, with or without its line end, as one string."""
    if len(line) > LONGEST_LINE:
        return ""
    words = line.split()
    return _NEEDLESS_BLANK.sub("", " ".join(words)) if len(words) > 1 else "".join(words)


def last_word(text: str) -> str:
    """Return the word that a text ends with, "" when it ends with something else."""
    found = _LAST_WORD.search(text)
    return found[0] if found else ""


def column_behind(line: str, head: str) -> int:
    """Return the column of a line behind what has the canonical form `head`.

    Args:
        line: The line as it stands in the document.
        head: A beginning of its canonical form.
    """
    seen = len(head) - head.count(" ")
    if not seen:
        return len(line) - len(line.lstrip())
    last = next(islice(_VISIBLE.finditer(line), seen - 1, None), None)
    return len(line) if last is None else last.end()
