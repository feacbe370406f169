"""Comparisons with the wrong operator, or of the wrong kind."""

from sirdab.review.refactor.mechanical.case import (
    Case,
    Change,
    operands_of,
    operator_of,
    replaced,
    whole,
)
from sirdab.review.refactor.mechanical.registry import PYTHON, SCRIPT, mends

_LITERALS = frozenset(
    {"string", "integer", "float", "concatenated_string", "tuple", "list", "dictionary", "set"}
)
_EQUAL = {"is": "==", "is not": "!="}
_STRICT = {"==": "===", "!=": "!=="}
_TURNED = {"is": "is not", "is not": "is"}
_NOTHING = frozenset({"null", "undefined"})


@mends("identity-comparison", *PYTHON)
def by_value(case: Case) -> list[Change] | None:
    """Compare with a literal by value."""
    found: list[Change] = []
    for node in case.all("comparison_operator"):
        operator, operands = operator_of(node), operands_of(node)
        if operator is None or operands is None or operator.kind not in _EQUAL:
            continue
        if any(one.kind in _LITERALS for one in operands):
            found.append(replaced(operator, _EQUAL[operator.kind]))
    return found


@mends("loose-equality", *SCRIPT)
def strictly(case: Case) -> list[Change] | None:
    """Compare without conversion; `== null` also means undefined, and is left alone."""
    found: list[Change] = []
    for node in case.all("binary_expression"):
        operator, operands = operator_of(node), operands_of(node)
        if operator is None or operands is None or operator.kind not in _STRICT:
            continue
        if not any(one.kind in _NOTHING for one in operands):
            found.append(replaced(operator, _STRICT[operator.kind]))
    return found


@mends("inverted-condition", *PYTHON)
def turned_round(case: Case) -> list[Change] | None:
    """Turn a comparison with None that the sign itself points at."""
    if case.shown is None:
        return None
    node = case.pointed("comparison_operator")
    operator = None if node is None else operator_of(node)
    operands = None if node is None else operands_of(node)
    if operator is None or operands is None or operator.kind not in _TURNED:
        return None
    return [replaced(operator, _TURNED[operator.kind])] if operands[1].kind == "none" else None


@mends("float-equality", *PYTHON)
def nearly(case: Case) -> list[Change] | None:
    """Compare with a literal of floating point by `math.isclose`."""
    node = case.pointed("comparison_operator")
    operator = None if node is None else operator_of(node)
    operands = None if node is None else operands_of(node)
    if node is None or operator is None or operands is None or operator.kind not in ("==", "!="):
        return None
    value = next((one for one in operands if one.kind == "float"), None)
    if value is None:
        return None
    left, right = (whole(one) for one in operands)
    # Near zero a relative tolerance lets nothing pass.
    near = ", abs_tol=1e-12" if not value.text.strip("0.") else ""
    close = f"math.isclose({left}, {right}{near})"
    return [replaced(node, close if operator.kind == "==" else f"not {close}")]
