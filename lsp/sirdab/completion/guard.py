"""Keeps suggestions away that break the syntax of code that was whole.

A suggestion is put into the top-level item around the cursor (`sirdab.completion.region`), and the
item is parsed. When the tree has an error and the item without the suggestion had none, the
suggestion is shortened to the most whole lines that bring no error, or dropped.

Half-written code is no error here, whoever has half-written it: the call that the user opened two
lines above, the `if` whose body comes with the next key. So each text is tried with what could
still follow it at the place where the suggestion ends:

- the closing brackets and words of what is open there and what the text below does not close;
- a placeholder where an operand, an argument or a name is still to come;
- the rest of a statement: a body behind a header, a semicolon.

What closes a bracket that nothing opened is not half-written but wrong.

A text is whole when the item has no error with any of these. What cannot be made whole even
without the suggestion is not judged: a macro, a dialect, a region that was cut in the wrong place.
"""

from typing import NamedTuple

from sirdab.completion.region import NAME, Filled, LateError, Region, Variants
from sirdab.syntax.parse import to_source


class _Tails(NamedTuple):
    """What can follow a text that ends in the middle of a statement.

    Attributes:
        operands: Stand right behind the text, before brackets are closed.
        endings: Stand behind the round and square brackets, before blocks are closed.
    """

    operands: tuple[str, ...]
    endings: tuple[str, ...]


_BRACES = _Tails(("", NAME), ("", ";", " {}", f" = {NAME};", f": {NAME}", f"\n{NAME};"))
_TAILS: dict[str, _Tails] = {
    "python": _Tails(
        ("", NAME, f": {NAME}", f" in {NAME}"),
        (
            "",
            ": pass",
            f" else {NAME}",
            f" import {NAME}",
            f" in {NAME}: pass",
            f"\ndef {NAME}(): pass",
        ),
    ),
    "lua": _Tails(
        ("", NAME),
        ("", "()", " then end", " do end", f" = {NAME}", f" = {NAME}, {NAME} do end"),
    ),
    "go": _Tails(
        ("", NAME), ("", " {}", f" := {NAME}", f" {NAME}", f": {NAME}", f" = {NAME}", ":")
    ),
    "rust": _Tails(
        ("", NAME), ("", ";", " {}", f" => {NAME}", f" = {NAME};", f"\nfn {NAME}() {{}}")
    ),
    "java": _Tails(
        ("", NAME),
        ("", ";", " {}", f" {NAME};", f" {NAME}() {{}}", f" class {NAME} {{}}", ":"),
    ),
    "c": _Tails(("", NAME), ("", ";", " {}", f" {NAME};", f": {NAME};", " {};", ":")),
}
_TAILS["cpp"] = _TAILS["c"]


class Verdict(NamedTuple):
    """What became of a suggestion.

    Attributes:
        text: The suggestion, shortened; "" when it was dropped.
        judged: Whether it could be judged, in time.
    """

    text: str
    judged: bool


def guard(text: str, region: Region, variants: Variants | None = None) -> Verdict:
    """Shorten a suggestion until it breaks nothing.

    Args:
        text: The suggestion, with LF line ends.
        region: The code around the cursor.
        variants: Parses it; made anew, with a budget of its own, when left out.
    """
    variants = variants or Variants(region)
    try:
        if _is_whole(text, variants):
            return Verdict(text, judged=True)
        if not _is_whole("", variants) and (
            _is_broken_above(variants) or not _may_become_whole("", variants)
        ):
            return Verdict(text, judged=False)
        if _may_become_whole(text, variants):
            return Verdict(text, judged=True)
        lines = text.split("\n")
        for count in range(len(lines) - 1, 0, -1):
            head = "\n".join(lines[:count]).rstrip()
            if not head.strip():
                break
            if _is_whole(head, variants):
                return Verdict(head, judged=True)
    except LateError:
        return Verdict(text, judged=False)
    return Verdict("", judged=True)


def _is_whole(text: str, variants: Variants) -> bool:
    """Whether the region has no error with a text in it and what is open closed behind it."""
    return _has_no_error(Filled(variants.region, text).content("", ""), variants)


def _is_broken_above(variants: Variants) -> bool:
    """Whether there is an error above the cursor's line, which nothing at the cursor can mend.

    A look at the tree instead of some forty parses that would all fail.
    """
    root = variants.parse(Filled(variants.region, "").content())
    start = len(to_source(variants.region.before.rpartition("\n")[0]))
    waiting = [] if root is None else [root]
    while waiting:
        node = waiting.pop()
        if node.is_error or node.is_missing:
            if node.end_byte <= start:
                return True
        elif node.has_error:
            waiting += node.children
    return False


def _may_become_whole(text: str, variants: Variants) -> bool:
    """Whether it has none when the statement that the text ends in is completed."""
    filled = Filled(variants.region, text)
    tails = _TAILS.get(variants.region.language_id, _BRACES)
    if filled.closes_too_much:
        return False
    return any(
        _has_no_error(filled.content(operand, ending), variants)
        for ending in tails.endings
        for operand in tails.operands
        if operand or ending
    )


def _has_no_error(content: str, variants: Variants) -> bool:
    root = variants.parse(content)
    return root is None or not root.has_error
