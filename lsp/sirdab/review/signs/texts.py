"""Texts that are put together from parts."""

from sirdab.review.signs.look import CALLS, STRINGS, called_name
from sirdab.review.tree import Node


def whole_text(node: Node) -> Node:
    """Return the outermost expression that a text is put together by."""
    top = node
    for outer in node.ancestors():
        if outer.kind in ("binary_operator", "binary_expression"):
            operator = outer.child("operator")
            if operator is None or operator.kind not in ("+", "%"):
                break
        elif outer.kind in ("attribute", "member_expression"):
            if outer.text.rpartition(".")[2] != "format":
                break
            continue
        elif outer.kind in CALLS:
            if (
                called_name(outer) != "format"
                or top.parent is None
                or (top.parent.kind not in ("attribute", "member_expression"))
            ):
                break
        elif outer.kind not in ("concatenated_string", "parenthesized_expression"):
            break
        top = outer
    return top


def first_text(node: Node) -> Node:
    """Return the first text that an expression is put together from, or the expression."""
    return next((inner for inner in node.walk() if inner.kind in STRINGS), node)


def words_of(node: Node) -> str:
    """Return the constant parts of a text, with blanks where values are put in."""
    pieces = [
        inner.text for inner in node.walk() if inner.kind in ("string_content", "string_fragment")
    ]
    return " ".join(pieces)[:2_000]
