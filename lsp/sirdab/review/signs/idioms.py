"""What looks like a defect and is an idiom of tests.

A test compares a value with itself to try its `__eq__`, throws a result away because it waits for
the error, and opens what is patched. What is wrong in a test as well, such as a coroutine that
nobody awaits, and all that is about security, is none of these.
"""

import re

from sirdab.review.calls import CLASSES, FUNCTIONS, name_of
from sirdab.review.signs.look import CALLS, arguments, called_name, callee
from sirdab.review.tree import Node

_EXPECTING = re.compile(
    r"\b(assertRaises(Regex)?|assertWarns(Regex)?|assertLogs|raises|warns|deprecated_call|"
    r"suppress|check_py3k_warnings|check_warnings)\("
)
_ASSERTING = re.compile(r"^(assert|assume|expect|fail_?(if|unless)?)")
_TEST_CASE = re.compile(r"TestCase\b")
_TEST_NAME = re.compile(r"^(test|it_|should_)|^(setUp|tearDown)")
_TEST_BLOCKS = frozenset({"it", "test", "describe", "suite", "specify"})
_PATCHING = re.compile(r"(^|\.)patch(\.(object|dict|multiple))?$|(^|\.)setattr$|^mock_open$")
# By rule, the forms that are meant so in tests.
_WHERE_AN_ERROR_IS_EXPECTED = frozenset(
    {"self-comparison", "ignored-result", "missing-return", "resource-leak", "division-by-zero",
     "none-dereference", "unused-value", "off-by-one"}
)  # fmt: skip
_IN_AN_ASSERTION = frozenset({"self-comparison", "float-equality", "identity-comparison"})
_IN_A_TEST = frozenset({"ignored-result", "missing-return", "swallowed-error", "broad-except"})
NAMES = _WHERE_AN_ERROR_IS_EXPECTED | _IN_AN_ASSERTION | _IN_A_TEST
"""The signs that are asked about."""


def is_test_idiom(name: str, node: Node) -> bool:
    """Whether what shows a sign is meant so, because it is part of a test.

    Args:
        name: The sign.
        node: What shows it.
    """
    if name not in NAMES:
        return False
    for outer in (node, *node.ancestors()):
        if name in _WHERE_AN_ERROR_IS_EXPECTED and _expects_error(outer):
            return True
        if name in _IN_AN_ASSERTION and _asserts(outer):
            return True
        if name in _IN_A_TEST and _is_test(outer):
            return True
        if name == "resource-leak" and outer.kind in FUNCTIONS and _patches(outer, node):
            return True
    return False


def _expects_error(node: Node) -> bool:
    """Whether a `with` waits for an error in it, or a call for one of the function it is given."""
    if node.kind == "with_statement":
        head = node.first("with_clause")
        return head is not None and _EXPECTING.search(head.text) is not None
    return node.kind in CALLS and _EXPECTING.match(f"{called_name(node)}(") is not None


def _asserts(node: Node) -> bool:
    if node.kind == "assert_statement":
        return True
    return node.kind in CALLS and _ASSERTING.match(called_name(node)) is not None


def _is_test(node: Node) -> bool:
    """Whether a node is a function of a test, a class of test cases, or a block of a runner."""
    if node.kind in FUNCTIONS:
        return _TEST_NAME.match(name_of(node)) is not None
    if node.kind in CLASSES:
        bases = node.child("superclasses")
        return bases is not None and _TEST_CASE.search(bases.text) is not None
    return node.kind == "call_expression" and callee(node) in _TEST_BLOCKS


def _patches(function: Node, call: Node) -> bool:
    """Whether a function, or a decorator of it, puts something else in the place of a name."""
    name = called_name(call)
    holder = function.parent
    decorated = holder is not None and holder.kind == "decorated_definition"
    for node in (holder if decorated and holder is not None else function).walk():
        if node.kind in CALLS and _PATCHING.search(callee(node)):
            given = "".join(one.text for one in arguments(node)[:2])
            if callee(node).endswith("mock_open") or (name and name in given):
                return True
    return False
