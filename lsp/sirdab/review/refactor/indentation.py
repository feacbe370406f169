"""Compares the indentation of what a model wrote with that of the document."""

from collections import Counter
from collections.abc import Iterable, Sequence

from sirdab.review.refactor.refusal import RefusalError

# Lines of a document that are looked at for its style.
_MOST_LINES = 2_000
# By how many spaces a step goes in where the lines do not say.
_USUAL_WIDTH = 4
# What opens a block, so that the next line is one step further in.
_OPENERS = (":", "{")


def check(document: Iterable[str], asked: Sequence[str], written: Sequence[str]) -> None:
    """Hold that new lines are indented as the document is.

    Args:
        document: The lines of the document.
        asked: The lines that were asked about, without the indentation they share.
        written: What takes their place.

    Raises:
        RefusalError: They mix tabs and spaces, or go in by another width.
    """
    lines = [line for line, _ in zip(document, range(_MOST_LINES), strict=False)]
    tabs = any(line.startswith("\t") for line in lines)
    spaces = any(line.startswith("  ") for line in lines)
    known = set(asked)
    new = [line for line in written if line not in known]
    indents = [line[: len(line) - len(line.lstrip())] for line in new]
    mixed = (tabs and not spaces and any("  " in indent for indent in indents)) or (
        spaces and not tabs and any("\t" in indent for indent in indents)
    )
    if mixed or any(" \t" in indent for indent in indents):
        word = "tabs" if tabs and not spaces else "spaces"
        raise RefusalError(
            "The model mixes tabs and spaces, so nothing is done.", hint=f"Indent with {word}."
        )
    usual = width_of(lines)
    if usual and any(
        step != usual for step, line in _steps(written) if line.strip() and line not in known
    ):
        raise RefusalError(
            "The model indents by another width than the document, so nothing is done.",
            hint=f"Indent each block by {usual} spaces.",
        )


def with_tabs(document: Iterable[str], asked: Sequence[str], written: Sequence[str]) -> list[str]:
    """Return new lines that go in by spaces with tabs instead, where the document has only tabs.

    Small models write spaces whatever they are shown. A line whose spaces make no whole number of
    steps stays as it is, and `check` refuses it.
    """
    lines = [line for line, _ in zip(document, range(_MOST_LINES), strict=False)]
    if not any(line.startswith("\t") for line in lines) or any(
        line.startswith("  ") for line in lines
    ):
        return list(written)
    known, width = set(asked), width_of(written) or _USUAL_WIDTH
    return [line if line in known else _tabbed(line, width) for line in written]


def _tabbed(line: str, width: int) -> str:
    steps, rest = divmod(_spaces(line), width)
    return line if rest else "\t" * steps + line.lstrip(" ")


def width_of(lines: Sequence[str]) -> int:
    """Return how many spaces a block goes in by; 0 where it is not known, or with tabs."""
    counts = Counter(step for step, _ in _steps(lines))
    if not counts:
        return 0
    width, often = counts.most_common(1)[0]
    # In a document without a style of its own any width is as good as another.
    return width if often * 4 >= 3 * counts.total() else 0


def _steps(lines: Sequence[str]) -> Iterable[tuple[int, str]]:
    """Yield by how many spaces the first line of each block goes in, and that line."""
    before = ""
    for line in lines:
        if not line.strip():
            continue
        step = _spaces(line) - _spaces(before)
        if before.rstrip().endswith(_OPENERS) and step > 0 and "\t" not in line[:step]:
            yield step, line
        before = line


def _spaces(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
