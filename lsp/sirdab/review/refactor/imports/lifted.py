"""The imports that models write above the code that they were asked for."""

import re
from dataclasses import dataclass

_STATEMENTS: dict[str, re.Pattern[str]] = {
    "python": re.compile(r"(?:import|from)\s+[\w.]"),
    "javascript": re.compile(r"import\b(?!\s*\()|(?:const|let|var)\s+[\w${},\s]+=\s*require\s*\("),
    "go": re.compile(r"import\b|package\s+\w+\s*$"),
}
_OF = {
    "python": "python", "go": "go", "javascript": "javascript", "javascriptreact": "javascript",
    "typescript": "javascript", "typescriptreact": "javascript",
}  # fmt: skip
_OPEN, _CLOSED = "([{", ")]}"
# Lines of one statement; what is longer is no import.
_MOST_LINES = 30


@dataclass(frozen=True, slots=True)
class Lifted:
    """Statements that bring in names, each on one line."""

    statements: tuple[str, ...] = ()


def lift(asked: list[str], written: list[str], language_id: str) -> tuple[Lifted, list[str]]:
    """Take the imports from above what a model wrote, unless it was shown imports there.

    Args:
        asked: The lines that it was shown.
        written: Its own lines.
        language_id: Their language.

    Returns:
        The imports, and the lines without them.
    """
    pattern = _STATEMENTS.get(_OF.get(language_id, ""))
    if pattern is None or any(pattern.match(line.strip()) for line in asked if line[:1].strip()):
        return Lifted(), written
    statements: list[str] = []
    at = 0
    while at < len(written):
        if not written[at].strip():
            at += 1
            continue
        if not pattern.match(written[at]):
            break
        stop = _end(written, at)
        statements.append(" ".join(line.strip() for line in written[at:stop]))
        at = stop
    if not statements:
        return Lifted(), written
    return Lifted(tuple(statements)), written[at:]


def _end(lines: list[str], first: int) -> int:
    """Return the line behind the statement that begins in a line."""
    depth = 0
    for number in range(first, min(len(lines), first + _MOST_LINES)):
        depth += sum((char in _OPEN) - (char in _CLOSED) for char in lines[number])
        if depth <= 0:
            return number + 1
    return first + 1
