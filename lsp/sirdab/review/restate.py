"""Recognises sentences that say nothing: those that repeat a comment, or are about style.

A small model that is asked for a defect where there is none fills its sentence with what it sees:
the comment above the line, the line itself, or that a name could be better. Such a sentence is a
sign that nothing was found.
"""

import re
from collections.abc import Iterable

_WORD = re.compile(r"[^\W\d_]{2,}")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_EMPTY = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "been",
        "being",
        "but",
        "by",
        "can",
        "code",
        "does",
        "for",
        "from",
        "has",
        "have",
        "here",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "line",
        "of",
        "on",
        "or",
        "so",
        "statement",
        "that",
        "the",
        "their",
        "then",
        "there",
        "this",
        "to",
        "used",
        "uses",
        "using",
        "was",
        "were",
        "which",
        "will",
        "with",
        "value",
        "variable",
        "function",
        "method",
        "call",
        "calls",
        "called",
        "returns",
        "return",
    ]
)

# About how code looks, and not about what it does.
_STYLE = re.compile(
    r"(?i)\b(naming conventions?|docstrings?|type (hints?|annotations?)|line (is )?too long|"
    r"white ?space|indentation|pep ?8|more (readable|descriptive|pythonic|idiomatic|concise)|"
    r"(less|not very) (readable|descriptive|pythonic)|readability|code style|formatting|"
    r"magic numbers?|missing (a )?comments?|add(ing)? (a )?comments?|not documented|"
    r"best practices?|blank lines?|variable names? (is|are|should|could)|snake_case|camelcase|"
    r"quotes? style|trailing (comma|space))\b"
)

# A sentence of which this share stands elsewhere repeats it.
_SHARE_THAT_REPEATS = 0.85
_FEWEST_WORDS = 3


def says_nothing(message: str, comments: Iterable[str] = (), rule: str = "") -> bool:
    """Whether a sentence only repeats a comment, or is about style.

    Args:
        message: The model's sentence.
        comments: Comments near what it is about.
        rule: The words of the rule that it is about. Small models repeat them, and they say
            something.
    """
    said = _words(message)
    if not said or _repeats(said, _words(rule)):
        return not said
    if any(match[0].lower() not in rule.lower() for match in _STYLE.finditer(message)):
        return True
    return len(said) >= _FEWEST_WORDS and any(_repeats(said, _words(text)) for text in comments)


def repeats_code(message: str, code: str) -> bool:
    """Whether a sentence only reads the code aloud: the words of the rule say more."""
    said = _words(message)
    return len(said) >= _FEWEST_WORDS and _repeats(said, _words(code))


def _repeats(said: set[str], known: set[str]) -> bool:
    return len(said & known) >= _SHARE_THAT_REPEATS * len(said)


def _words(text: str) -> set[str]:
    """Return the words of a sentence, or the parts of the names in code, without their endings."""
    spaced = _CAMEL.sub(" ", text.replace("_", " "))[:2_000]
    words = (word.lower() for word in _WORD.findall(spaced))
    return {_stem(word) for word in words if word not in _EMPTY}


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return word[: -len(ending)]
    return word
