"""Tells what a model says about code from code.

The answer of a chat model is read line by line. A line that is taken for prose is left out, so the
signs are those that source code hardly ever shows: a sentence, or one of the phrases with which
models begin and end their answers.
"""

import re

# Documents that are prose themselves: every sentence belongs there.
PROSE_LANGUAGES = frozenset(
    {
        "asciidoc",
        "bibtex",
        "git-commit",
        "latex",
        "markdown",
        "plaintext",
        "quarto",
        "restructuredtext",
        "rst",
        "tex",
        "typst",
    }
)

_REFUSAL = re.compile(
    r"(?:i(?:'|\u2019)?m |i am )?(?:sorry|afraid)\b|unfortunately\b|as an? (?:ai|language model)\b"
    r"|i(?: can(?:'|\u2019)?t| cannot|(?:'|\u2019)m (?:not able|unable)| am (?:not able|unable)"
    r"| apologi[sz]e| don(?:'|\u2019)?t (?:have|know|see|understand)| need more)\b"
    r"|there is (?:not enough|no (?:missing|code))\b|it (?:is|'s) not (?:clear|possible)\b"
    r"|(?:could|can) you (?:please )?(?:provide|share|give)\b|please provide\b|no completion\b",
    re.IGNORECASE,
)
_CHATTER = re.compile(
    r"(?:sure|certainly|absolutely|of course|okay|ok|great|alright|yes|got it)(?:[,.!:]|\s*$)"
    r"|(?:here|below|above)(?:'|\u2019)?s? (?:is|are|(?:a|an|the|how|my|your)\b)"
    r"|(?:the|this|that|your|my) (?:\w+ ){0,4}(?:code|line|lines|function|method|class|completion|"
    r"gap|snippet|implementation|solution|answer|part|cursor|program|script|example|output|"
    r"expression|statement|value|argument|file|test)s?\b(?! *[=(.\[:{])"
    r"|(?:to|let(?:'|\u2019)s|let me|let us|we|you|i|it|in this|based on|given|since|because|"
    r"first|next|finally|then|note|explanation|output|answer|completion|result|changes?|"
    r"key points?|in summary|hope this)(?::\s*$| that\b| (?:complete|fill|add|see|will|'ll|can|"
    r"should|need|have|use|think|would|have to|the|is|completes|adds|returns|code|helps)\b)",
    re.IGNORECASE,
)
_LIST_ITEM = re.compile(r"(?:[-*+\u2022]|\d{1,2}[.)])\s+(?P<text>.*)")
_HEADING = re.compile(r"#{2,6} \w|\*\*[^*]+\*\*:?\s*$")
_SPAN = re.compile(r"``[^`]+``|`[^`]+`|\*\*[^*]+\*\*")
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
# Sentences do without these; a dot stands in one only before a blank or at its end.
_CODE = re.compile(r"[=(){}\[\];<>_@$\\|&^%+]|->|::|\.\w|/\w+/|//")
_SHORTEST_SENTENCE = 4


def is_refusal(line: str) -> bool:
    """Whether a line says that there will be no code."""
    return _REFUSAL.match(line.strip()) is not None


def is_prose(line: str) -> bool:
    """Whether a line is said to a person and is no line of code."""
    said = line.strip()
    if not said:
        return False
    if is_refusal(said):
        return True
    item = _LIST_ITEM.fullmatch(said)
    if _HEADING.match(said):
        return True
    if item is not None:
        return _is_sentence(item["text"])
    if _CHATTER.match(said) and not _ends_like_code(said):
        return True
    return _is_sentence(said)


def is_preamble(line: str) -> bool:
    """Whether a line is no part of a text either, but introduces or refuses it."""
    said = line.strip()
    return is_refusal(said) or (said.endswith(":") and _CHATTER.match(said) is not None)


def _ends_like_code(said: str) -> bool:
    bare = _SPAN.sub("", said).rstrip()
    return bare.endswith((";", "{", "}", ")", "]", ",", "\\")) or "=" in bare


def _is_sentence(said: str) -> bool:
    bare = _SPAN.sub("it", said)
    if _CODE.search(bare) or not bare[:1].isalpha():
        return False
    words = len(_WORD.findall(bare))
    if not bare[0].isupper():
        # A header such as "for item in items:" is no sentence.
        return words >= _SHORTEST_SENTENCE and bare.endswith((".", "!", "?"))
    ending = bare[-1]
    return words >= (2 if ending == ":" else 3 if ending in ".!?" else _SHORTEST_SENTENCE)


def quoted(line: str) -> str | None:
    """Return the code that a line of prose names at its end in backticks; None when none is."""
    match = re.search(r"(?:^|\s)`([^`]+)`[.!]?\s*$", line)
    return match[1] if match and line.count("`") == 2 else None


def only_quoted(line: str) -> str | None:
    """Return what a line holds that is nothing but code in backticks."""
    match = re.fullmatch(
        r"\s*(?:```(?!`)(?P<three>[^`]+)```|``(?P<two>[^`]+)``|`(?P<one>[^`]+)`)\s*", line
    )
    return (match["three"] or match["two"] or match["one"]).strip() if match else None
