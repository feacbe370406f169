"""Takes out the comments that a model adds while it mends code."""

from typing import TYPE_CHECKING

from sirdab.syntax.parse import parse_alone
from sirdab.text.store import Text

if TYPE_CHECKING:
    from tree_sitter import Node

_COMMENTS = frozenset({"comment", "line_comment", "block_comment"})


def without_new(before: list[str], after: list[str], language_id: str) -> list[str]:
    """Return rewritten lines without comments that the code did not have.

    Models like to say in the code what they have changed in it, which is of no use in the code
    an hour later. Lines that hold nothing else go with their comments.

    Args:
        before: The lines as they were.
        after: The lines as they are rewritten.
        language_id: Their language; where it has no grammar nothing is taken out.
    """
    text = Text("\n".join(after))
    parsed = parse_alone(text, language_id)
    if parsed is None:
        return after
    known = "\n".join(before)
    lines: list[str | None] = list(after)
    for node in _comments(parsed.tree.root_node):
        row = node.start_point[0]
        said = "" if node.text is None else node.text.decode("utf-8", "replace").strip()
        if row != node.end_point[0] or row >= len(after) or said in known:
            continue
        line = lines[row]
        if line is None or not line.rstrip().endswith(said):
            continue
        kept = line.rstrip()[: -len(said)].rstrip()
        lines[row] = kept or None
    return [line for line in lines if line is not None]


def _comments(root: "Node") -> list["Node"]:
    found: list[Node] = []
    stack = [root]
    while stack:
        node = stack.pop()
        if node.type in _COMMENTS:
            found.append(node)
        else:
            stack.extend(node.children)
    return found
