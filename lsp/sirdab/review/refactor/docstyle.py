"""Finds out how a document documents its functions, so that new comments look like the old."""

import re

from sirdab.text.store import Text

# Lines that are looked at; documentation of all functions of a file is alike.
_MOST_LINES = 3_000

_GOOGLE = re.compile(r"^\s*(Args|Arguments|Returns|Raises|Yields):\s*$")
_NUMPY = re.compile(r"^\s*(Parameters|Returns|Raises)\s*$")
_UNDERLINE = re.compile(r"^\s*-{3,}\s*$")
_REST = re.compile(r"^\s*:(param|type|return|returns|rtype|raises)\b")
_TAGS = re.compile(r"^\s*\*?\s*[@\\](param|returns?|throws)\b")

_PYTHON = {
    "google": (
        'Write a docstring in Google style: one sentence, then sections "Args:", "Returns:" '
        'and "Raises:" where they apply.'
    ),
    "numpy": (
        'Write a docstring in NumPy style: one sentence, then sections "Parameters" and "Returns" '
        "underlined with dashes."
    ),
    "rest": (
        'Write a docstring in reStructuredText style: one sentence, then ":param name:" and '
        '":returns:" lines.'
    ),
    "plain": "Write a docstring in triple quotes as the first line of the body: one sentence.",
}
_OTHERS = {
    "javascript": (
        "Write a JSDoc comment (/** ... */) directly before it, with @param and @returns."
    ),
    "typescript": (
        "Write a TSDoc comment (/** ... */) directly before it, with @param and @returns, without "
        "types."
    ),
    "java": "Write a Javadoc comment (/** ... */) directly before it, with @param and @return.",
    "go": "Write a Go doc comment (//) directly before it that begins with its name.",
    "rust": "Write a rustdoc comment (///) directly before it, in Markdown without headings.",
    "c": "Write a comment (/** ... */) directly before it.",
    "lua": "Write a comment (---) directly before it, with @param and @return.",
    "ruby": "Write a comment (#) directly before it.",
    "php": "Write a PHPDoc comment (/** ... */) directly before it, with @param and @return.",
    "csharp": "Write an XML documentation comment (///) directly before it.",
    "shellscript": "Write a comment (#) directly before it.",
}
_OF = {
    "javascriptreact": "javascript", "typescriptreact": "typescript", "cpp": "c",
    "kotlin": "java", "scala": "java", "swift": "rust", "perl": "ruby",
}  # fmt: skip


def style_of(text: Text, language_id: str) -> str:
    """Name the style of a Python document: "google", "numpy", "rest" or "plain".

    "" for another language, and where a document has no docstrings.
    """
    if language_id != "python":
        return ""
    google = numpy = rest = quotes = 0
    before = ""
    for number in range(min(text.line_count, _MOST_LINES)):
        line = text.line_body(number)[:300]
        google += bool(_GOOGLE.match(line))
        rest += bool(_REST.match(line))
        numpy += bool(_UNDERLINE.match(line) and _NUMPY.match(before))
        quotes += line.lstrip().startswith(('"""', "'''", 'r"""'))
        before = line
    if not quotes:
        return ""
    most = max((google, "google"), (numpy, "numpy"), (rest, "rest"))
    return most[1] if most[0] else "plain"


def task_of(text: Text, language_id: str) -> str:
    """Return what the model is told of the style, "" where nothing is known of the language."""
    if language_id == "python":
        said = _PYTHON[style_of(text, language_id) or "google"]
        return f"{said} Leave out sections with nothing to say, and do not describe self."
    said = _OTHERS.get(_OF.get(language_id, language_id), "")
    if language_id in ("javascript", "javascriptreact", "typescript", "typescriptreact"):
        lines = (
            text.line_body(number)[:300] for number in range(min(text.line_count, _MOST_LINES))
        )
        found = [line for line in lines if line.lstrip().startswith(("/**", "*", "@"))]
        if any(line.lstrip().startswith("/**") for line in found) and not any(
            _TAGS.match(line) for line in found
        ):
            # The file's own comments do without tags.
            return "Write one sentence in a comment (/** ... */) directly before it."
    return said
