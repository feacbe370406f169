"""Words that are missing before an expression: raise, throw, await, return."""

from sirdab.review.refactor.mechanical.case import (
    Case,
    Change,
    before,
    function_around,
    indent_of,
    operator_of,
)
from sirdab.review.refactor.mechanical.registry import PYTHON, SCRIPT, mends

_BOUND_TIGHTER = frozenset({"attribute", "subscript", "member_expression", "subscript_expression"})


@mends("exception-not-raised", *PYTHON)
def raised(case: Case) -> list[Change] | None:
    """Put `raise` before an exception that is only made."""
    return _before_made(case, "call", "raise ")


@mends("exception-not-raised", *SCRIPT)
def thrown(case: Case) -> list[Change] | None:
    """Put `throw` before an error that is only made."""
    return _before_made(case, "new_expression", "throw ")


def _before_made(case: Case, kind: str, word: str) -> list[Change] | None:
    statement = case.statement()
    if statement is None or len(statement.children) != 1 or statement.children[0].kind != kind:
        return None
    made = statement.children[0].child("function") or statement.children[0].child("constructor")
    # A class by its name; anything else may do its work when it is called.
    name = "" if made is None else made.text.rpartition(".")[2]
    return [before(statement, word)] if name[:1].isupper() else None


@mends("missing-await", *PYTHON, *SCRIPT)
def awaited(case: Case) -> list[Change] | None:
    """Put `await` before the call that the sign points at; without it, it could be any call."""
    call = None if case.shown is None else case.pointed("call", "call_expression")
    if call is None or call.parent is None or "await" in call.parent.kind:
        return None
    function = function_around(call)
    if function is None or not function.has_word("async"):
        return None
    lazy = call.around("generator_expression")
    if lazy is not None and function.holds(lazy):
        # It would become an asynchronous one, which is gone through in another way.
        return None
    outer = call.parent
    is_called = outer.kind in ("call", "call_expression") and call.field == "function"
    if is_called or (outer.kind in _BOUND_TIGHTER and call.field in ("object", "value")):
        return [before(call, "(await "), Change(call.end, call.end, ")")]
    operator = operator_of(outer)
    if operator is not None and operator.kind == "**":
        return None
    return [before(call, "await ")]


@mends("missing-return", *PYTHON, *SCRIPT)
def returned(case: Case) -> list[Change] | None:
    """Put `return` before an expression that ends a block of a function."""
    statement = case.statement()
    if statement is None or statement.parent is None or not indent_of(statement):
        return None
    if len(statement.children) != 1 or statement.children[0].kind in (
        "assignment", "assignment_expression", "augmented_assignment", "update_expression",
        "augmented_assignment_expression", "yield", "yield_expression", "string",
    ):  # fmt: skip
        return None
    block = statement.parent
    if function_around(statement) is None or block.children[-1] is not statement:
        return None
    loop = statement.around("for_statement", "while_statement", "for_in_statement")
    if loop is not None and function_around(loop) is function_around(statement):
        return None
    return [before(statement, "return ")]
