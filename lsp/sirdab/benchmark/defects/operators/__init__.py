"""The mutation operators, one module for each kind of defect."""

from functools import cache

from sirdab.benchmark.defects.mutation import Operator, registered


@cache
def all_operators() -> tuple[Operator, ...]:
    """Return every operator: those for Python first, then those for JavaScript and TypeScript."""
    from sirdab.benchmark.defects.operators import (
        javascript_logic,
        javascript_performance,
        javascript_safety,
        javascript_security,
        python_bounds,
        python_checks,
        python_concurrency,
        python_errors,
        python_injection,
        python_logic,
        python_performance,
        python_scopes,
        python_security,
    )

    # Importing is what registers them.
    del javascript_logic, javascript_performance, javascript_safety, javascript_security
    del python_bounds, python_checks, python_concurrency, python_errors, python_injection
    del python_logic, python_performance, python_scopes, python_security
    return tuple(sorted(registered(), key=lambda one: one.family != "python"))


def operator_named(name: str) -> Operator | None:
    """Return the operator of that name, or None."""
    return next((one for one in all_operators() if one.id == name), None)
