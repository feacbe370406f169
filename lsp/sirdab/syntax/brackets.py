"""What is open at a place in a text: brackets, and the words that some languages use instead.

A syntax tree of unfinished code says what a parser made of it, not what the user has opened and
not closed yet. So this reads the text like a lexer: comments and strings are skipped, and
what is left of brackets and block words is paired. It takes time in proportion to the text
and is wrong only where a lexer without a parser has to be, as in regular expressions of
JavaScript that hold quotes.
"""

import re
from functools import lru_cache
from typing import NamedTuple

# What is never closed on its line ends with it; a block comment or a string that spans lines
# goes on to the end of the text.
_C_COMMENT = r"//[^\n]*|/\*(?:[^*]|\*(?!/))*+(?:\*/)?"
_DOUBLE = r'"(?:[^"\\\n]|\\[\s\S])*+"?'
_SINGLE = r"'(?:[^'\\\n]|\\[\s\S])*+'?"
# Where a single quote is more than the sign of a character (a lifetime, 1'000'000).
_CHARACTER = r"'(?:[^'\\\n]|\\[^\n]{1,9})'"
# Division stands behind a value, a regular expression behind a sign or a word that wants one.
_REGEX = (
    r"(?:(?<=[(,=:\[!&|?;{}])|(?<=[(,=:\[!&|?;{}] )|(?<=\breturn ))"
    r"/(?![*/])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*+\])++/"
)
_TEMPLATE = r"`(?:[^`\\]|\\[\s\S])*+`?"
_QUOTES, _APOSTROPHES = '"' * 3, "'" * 3
_BRACKETS = r"[()\[\]{}]"


def _triple(quotes: str) -> str:
    first = quotes[0]
    return rf"{quotes}(?:[^{first}\\]|\\[\s\S]|{first}(?!{first}{first}))*+(?:{quotes})?"


class _Lexis(NamedTuple):
    """How a language is read.

    Attributes:
        comment: What its comments look like.
        string: What its strings look like.
        words: Words that open or close a block.
    """

    comment: str
    string: str
    words: str = ""


_SCRIPT = _Lexis(_C_COMMENT, f"{_DOUBLE}|{_SINGLE}|{_TEMPLATE}|{_REGEX}")
_C_LIKE = _Lexis(_C_COMMENT, f"{_DOUBLE}|{_CHARACTER}")
_LEXES: dict[str, _Lexis] = {
    "c": _C_LIKE,
    "cpp": _C_LIKE,
    "go": _Lexis(_C_COMMENT, f"{_DOUBLE}|{_CHARACTER}|`[^`]*+`?"),
    "java": _Lexis(_C_COMMENT, f"{_triple(_QUOTES)}|{_DOUBLE}|{_CHARACTER}"),
    "javascript": _SCRIPT,
    "javascriptreact": _SCRIPT,
    "typescript": _SCRIPT,
    "typescriptreact": _SCRIPT,
    "lua": _Lexis(
        r"--\[(?P<cl>=*)\[[\s\S]*?(?:\](?P=cl)\]|\Z)|--[^\n]*",
        rf"\[(?P<sl>=*)\[[\s\S]*?(?:\](?P=sl)\]|\Z)|{_DOUBLE}|{_SINGLE}",
        r"\b(?:function|then|do|repeat|elseif|end|until)\b",
    ),
    "python": _Lexis(
        r"#[^\n]*",
        f"{_triple(_QUOTES)}|{_triple(_APOSTROPHES)}|{_DOUBLE}|{_SINGLE}",
    ),
    "rust": _Lexis(
        _C_COMMENT,
        rf'\bb?r(?P<sl>#*)"[\s\S]*?(?:"(?P=sl)|\Z)|"(?:[^"\\]|\\[\s\S])*+"?|{_CHARACTER}',
    ),
}
_CLOSED_BY = {
    "(": ")",
    "[": "]",
    "{": "}",
    "function": "end",
    "then": "end",
    "do": "end",
    "repeat": "until",
}
_CLOSERS = frozenset(_CLOSED_BY.values())

# The same few stretches around a cursor are read again and again while one answer is judged.
_REMEMBERED = 16

LANGUAGES = frozenset(_LEXES)
"""Language identifiers whose brackets can be read: those that have a grammar."""


class Reading(NamedTuple):
    """What a text leaves behind.

    Attributes:
        opened: What it opens and does not close, outermost first: a bracket or a word.
        unmatched: What it closes and did not open, in order: a bracket or a word.
        in_comment: Whether it ends within a comment that ends with the line.
    """

    opened: tuple[str, ...]
    unmatched: tuple[str, ...]
    in_comment: bool


@lru_cache(maxsize=_REMEMBERED)
def read(text: str, language_id: str) -> Reading:
    """Read a text from its start, which is in code.

    Args:
        text: With LF line ends.
        language_id: As LSP spells it; one without a grammar leaves nothing behind.
    """
    pattern = _pattern(language_id)
    if pattern is None:
        return Reading((), (), in_comment=False)
    opened: list[str] = []
    unmatched: list[str] = []
    in_comment = False
    for match in pattern.finditer(text):
        kind, sign = match.lastgroup, match[0]
        if kind == "comment":
            in_comment = match.end() == len(text) and not sign.startswith("/*")
        elif kind == "sign":
            _take(sign, opened, unmatched)
    return Reading(tuple(opened), tuple(unmatched), in_comment)


def _take(sign: str, opened: list[str], unmatched: list[str]) -> None:
    if sign in _CLOSED_BY:
        opened.append(sign)
    elif sign == "elseif":
        # It ends the branch before it; its own `then` opens the next one.
        if opened and opened[-1] == "then":
            opened.pop()
        else:
            unmatched.append(sign)
    elif opened and _CLOSED_BY[opened[-1]] == sign:
        opened.pop()
    else:
        unmatched.append(sign)


def left_open(before: str, after: str, language_id: str) -> tuple[str, ...]:
    """Return what a text opens and what follows it does not close, outermost first.

    Args:
        before: The text, from a place in code on.
        after: What follows it.
        language_id: As LSP spells it.
    """
    opened = list(read(before, language_id).opened)
    missing: list[str] = []
    for unmatched in read(after, language_id).unmatched:
        # The branch that it ends is closed; its own `then` has been paired with an `end`.
        sign = "end" if unmatched == "elseif" else unmatched
        if not any(_CLOSED_BY[one] == sign for one in opened):
            continue
        # What is further in than the one that is closed here was forgotten.
        while _CLOSED_BY[opened[-1]] != sign:
            missing.append(opened.pop())
        opened.pop()
    return (*opened, *reversed(missing))


def closer(sign: str) -> str:
    """Return what closes a bracket or a block word."""
    return _CLOSED_BY[sign]


def _pattern(language_id: str) -> re.Pattern[str] | None:
    known = _patterns.get(language_id)
    lexis = _LEXES.get(language_id)
    if known is None and lexis is not None:
        signs = _BRACKETS + (f"|{lexis.words}" if lexis.words else "")
        known = re.compile(
            f"(?P<comment>{lexis.comment})|(?P<string>{lexis.string})|(?P<sign>{signs})"
        )
        _patterns[language_id] = known
    return known


_patterns: dict[str, re.Pattern[str]] = {}
