"""What the syntax tree says of the block that the cursor is in: is it empty, is it closed.

Grammars name their blocks in a hundred ways, but nearly all of them end in a sign or a word of its
own. So a block is any node with such an end, which holds for argument lists and literals as
well; Python's blocks end with their indentation.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sirdab.completion.lines import columns, opens_block
from sirdab.completion.region import Filled, LateError, Region, Variants
from sirdab.syntax.brackets import read
from sirdab.syntax.parse import to_source

if TYPE_CHECKING:
    from tree_sitter import Node

BUDGET_MS = 5.0
"""What the tree may cost for one question, and again for one answer, in milliseconds. Whoever has
no tree in time goes by indentation."""

_OPENS = frozenset({"{", "(", "[", "do", "then", "else", "repeat", "parameters", "=>", "->"})
_CLOSES = frozenset({"}", ")", "]", "end", "until", "else", "elseif", "else_statement"})
_ENDS = frozenset({"}", ")", "]", "end", "until"})
_COMMENTS = frozenset({"comment", "line_comment", "block_comment"})
# A statement wherever one may stand.
_STATEMENT = "pass"


def is_empty(region: Region, variants: Variants | None = None) -> bool | None:
    """Whether the cursor is in a block that holds nothing yet but comments and its docstring.

    Args:
        region: The code around the cursor.
        variants: Parses it; made anew when left out.

    Returns:
        None when the tree does not say.
    """
    variants = variants or Variants(region, budget_ms=BUDGET_MS)
    by_indentation = (
        region.language_id == "python" and not read(region.before, region.language_id).opened
    )
    try:
        root = variants.parse(Filled(region, _STATEMENT if by_indentation else "").content())
    except LateError:
        return None
    if root is None:
        return None
    offset = len(to_source(region.before))
    if by_indentation:
        return _is_empty_suite(root, region, offset)
    node = root.descendant_for_byte_range(offset, offset)
    # Right behind a sign the smallest node is that sign.
    while node is not None and (node.start_byte >= offset or not node.children):
        if node.type in _COMMENTS and node.start_byte < offset:
            return False
        node = node.parent
    if node is None or node.is_error:
        return None
    before = [one for one in node.children if one.end_byte <= offset and not _is_comment(one)]
    after = [one for one in node.children if one.start_byte >= offset and not _is_comment(one)]
    if len(before) + len(after) < sum(not _is_comment(one) for one in node.children):
        return False
    return _opens(before[-1:]) and (not after or after[0].type in _CLOSES)


def _opens(last: "list[Node]") -> bool:
    """Whether the last of what stands before a place opens a block, as an empty `else` does."""
    return any(node.type in _OPENS or _opens(node.children[-1:]) for node in last)


def _is_empty_suite(root: "Node", region: Region, offset: int) -> bool | None:
    """Whether the statement that was put at the cursor is alone in a block of Python's."""
    node = root.descendant_for_byte_range(offset, offset + len(_STATEMENT))
    if node is None or node.type not in ("pass_statement", "pass"):
        return False
    statement = node if node.type == "pass_statement" else node.parent
    block = statement.parent if statement is not None else None
    if statement is None or block is None or block.is_error:
        return None
    above, _, line_before = region.before.rpartition("\n")
    if block.type != "block":
        # Where the cursor is not as far in as the body will be, the tree knows of no body.
        return None if opens_block(above.rstrip()) else False
    if line_before.strip():
        # Behind the colon: what is further in below is the block.
        following = next((line for line in region.below.split("\n") if line.strip()), "")
        return columns(following) <= columns(line_before)
    others = [one for one in block.children if one.id != statement.id and not _is_comment(one)]
    if len(others) == 1 and others[0].end_byte <= offset:
        return others[0].child_count == 1 and others[0].children[0].type == "string"
    return not others


def _is_comment(node: "Node") -> bool:
    return node.type in _COMMENTS


def end_of_block(region: Region) -> Callable[[str], bool]:
    """Return what says whether whole lines of an answer close the block that the cursor is in.

    That is the innermost block that is open at the cursor, or the one that begins in the answer's
    first line. Each question repairs the tree of the one before it.

    Args:
        region: The code around the cursor.
    """
    variants = Variants(region, budget_ms=BUDGET_MS)
    start = len(to_source(region.before))

    def is_closed(answer: str) -> bool:
        try:
            root = variants.parse(Filled(region, answer).content())
        except LateError:
            return False
        stop = start + len(to_source(answer))
        if root is None:
            return False
        if _closes_around(root, start, stop):
            return True
        first = answer.split("\n", 1)[0]
        if "\n" not in answer or not read(first, region.language_id).opened:
            return False
        return not read(answer, region.language_id).opened and not root.has_error

    return is_closed


def _closes_around(root: "Node", start: int, stop: int) -> bool:
    """Whether the innermost block that is open at the start ends before the stop."""
    node = root.descendant_for_byte_range(start, start)
    while node is not None:
        if node.start_byte < start < node.end_byte:
            ends = [one for one in node.children if one.type in _ENDS and one.end_byte > start]
            if ends:
                return ends[0].end_byte <= stop and not ends[0].is_missing
        node = node.parent
    return False
