"""Signs of branches that do what only makes sense where their condition does not hold."""

import re
from collections.abc import Iterator

from sirdab.review.signs.branches import leaves
from sirdab.review.signs.conditions import emptiness
from sirdab.review.signs.look import (
    CALLS,
    MEMBERS,
    NAMES,
    arguments,
    bare,
    called_name,
    receiver,
    string_value,
)
from sirdab.review.signs.objections import operator_of
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.signs.searching import parts_of
from sirdab.review.tree import Node

_ENDING = re.compile(r"^(clear|close|cancel|release|remove|stop|abort|unsubscribe)(\w*)$")


@sign("inverted-condition", *PYTHON, *SCRIPT)
def denied(scene: Scene) -> Iterator[Node]:
    """Yield conditions whose branch relies on the opposite."""
    for node in scene.all("if_statement", "elif_clause"):
        condition, body = bare(node.child("condition")), node.child("consequence")
        if condition is None or body is None:
            continue
        if (
            _is_nothing_used(condition, body)
            or _is_zero_shut_in(scene, node, condition, body)
            or _is_end_cut(condition, body)
        ):
            yield operator_of(condition)


def _is_nothing_used(condition: Node, body: Node) -> bool:
    """Whether what was asked to be None is raised, ended or kept, as if it were something."""
    empty, text = emptiness(condition)
    if not empty or not text:
        return False
    is_compared = condition.kind in ("comparison_operator", "binary_expression")
    statements = [one for one in body.children if one.kind != "comment"]
    if body.kind not in ("block", "statement_block"):
        statements = [body]
    if len(statements) != 1:
        return False
    statement = statements[0]
    first = bare(statement.children[0]) if statement.children else None
    if first is None:
        return False
    if statement.kind in ("raise_statement", "throw_statement"):
        return first.text == text
    if statement.kind != "expression_statement" or not is_compared:
        return False
    if first.kind in CALLS:
        given, on = arguments(first), receiver(first)
        if on is not None and on.text == text:
            return True
        return len(given) == 1 and given[0].text == text and (
            _ENDING.match(called_name(first)) is not None
        )  # fmt: skip
    if first.kind in ("assignment", "assignment_expression"):
        left, right = first.child("left"), first.child("right")
        return (
            left is not None
            and right is not None
            and (left.kind in MEMBERS or left.kind in ("subscript", "subscript_expression"))
            and right.text == text
            and text.rpartition(".")[2] != left.text.rpartition(".")[2]
        )
    return False


def _is_zero_shut_in(scene: Scene, node: Node, condition: Node, body: Node) -> bool:
    """Whether all but 0 is sent away in front of a division by it."""
    left, operator, right = parts_of(condition)
    if left is None or operator is None or right is None:
        return False
    if operator.kind not in ("!=", "!==") or right.text not in ("0", "0.0"):
        return False
    if not leaves(body) or node.child("alternative") is not None:
        return False
    if left.kind not in NAMES and left.kind not in MEMBERS:
        return False
    for mention in scene.scope(node).mentions(left.text):
        if mention.start < node.end:
            if body.holds(mention):
                return False
            continue
        outer = mention.parent
        mark = outer.child("operator") if outer is not None else None
        return mark is not None and mark.kind in ("/", "//", "%") and mention.field == "right"
    return False


_ENDS_ASKED = frozenset({"startswith", "startsWith", "endswith", "endsWith"})


def _is_end_cut(condition: Node, body: Node) -> bool:
    """Whether `if not x.startswith(y)` takes y off x.

    That `if x.startswith(y)` puts another y there is how texts are escaped.
    """
    if condition.kind != "not_operator" and not condition.text.startswith("!"):
        return False
    call = bare(condition.child("argument"))
    if call is None or call.kind not in CALLS or called_name(call) not in _ENDS_ASKED:
        return False
    on, given = receiver(call), arguments(call)
    if on is None or len(given) != 1 or on.kind not in (*NAMES, *MEMBERS):
        return False
    statements = [one for one in body.children if one.kind != "comment"]
    first = statements[0].children[0] if statements and statements[0].children else None
    if first is None or first.kind not in ("assignment", "assignment_expression"):
        return False
    left, right = first.child("left"), bare(first.child("right"))
    if left is None or right is None or left.text != on.text:
        return False
    at_start = called_name(call).lower() == "startswith"
    return _cuts(right, on.text, given[0], at_start)


def _cuts(value: Node, text: str, part: Node, at_start: bool) -> bool:
    length = len(string_value(part) or "")
    if value.kind in CALLS:
        on, given = receiver(value), arguments(value)
        if on is None or on.text != text or not given:
            return False
        if called_name(value) in ("removeprefix", "removesuffix"):
            return given[0].text == part.text
        is_cut = called_name(value) in ("slice", "substring", "substr") and length > 0
        return is_cut and given[0].text == str(length) and at_start
    if value.kind != "subscript" or (base := value.child("value")) is None or base.text != text:
        return False
    bounds = value.text.removeprefix(text).replace(" ", "")
    if at_start:
        return bounds in (f"[{length}:]" if length else "", f"[len({part.text}):]")
    return bounds in (f"[:-{length}]" if length else "", f"[:-len({part.text})]")
