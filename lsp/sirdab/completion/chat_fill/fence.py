"""The code fences of Markdown, in which models are shown code and write it.

CommonMark 0.31, section 4.5: a fence is three or more backticks or tildes, and the one that closes
a block has at least as many as the one that opened it and nothing behind them.
"""

import re
from typing import NamedTuple

SHORTEST = 3

_RUNS = re.compile("`{3,}")
_OPENS = re.compile(r"\s*(?P<marks>`{3,}|~{3,})(?P<info>[^`\n]*)")
# What follows "```" in the Markdown that models were trained on, where it is not the name that
# LSP has for the language ("Text Document Language Identifiers" of the specification).
_INFO = {
    "csharp": "csharp",
    "javascriptreact": "jsx",
    "objective-c": "objectivec",
    "objective-cpp": "objectivec",
    "plaintext": "",
    "shellscript": "bash",
    "typescriptreact": "tsx",
}


class Fence(NamedTuple):
    """What opens a block of code.

    Attributes:
        character: A backtick or a tilde.
        size: How many there are.
    """

    character: str
    size: int

    def closed_by(self, line: str) -> bool:
        """Whether a line closes the block."""
        marks = line.strip()
        return len(marks) >= self.size and not marks.strip(self.character)


def fence_for(*texts: str) -> str:
    """Return a fence of backticks that none of the texts could close."""
    longest = max((len(run) for text in texts for run in _RUNS.findall(text)), default=0)
    return "`" * max(SHORTEST, longest + 1)


def opened(line: str) -> Fence | None:
    """Return the fence that a line opens a block with; None when it is no such line."""
    match = _OPENS.fullmatch(line)
    return Fence(match["marks"][0], len(match["marks"])) if match else None


def may_be_fence(start: str) -> bool:
    """Whether a line that begins so, and is not all there yet, may become a fence."""
    marks = start.strip()
    return not marks or not marks.strip("`") or not marks.strip("~")


def info_string(language_id: str) -> str:
    """Return what stands behind an opening fence for a language."""
    name = _INFO.get(language_id, language_id)
    return name if re.fullmatch(r"[\w+#.-]*", name) else ""
