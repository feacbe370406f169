"""Which statements some lines of Python are, what is around them, and what others need of them."""

import ast

from sirdab.review.refactor.python_names import names_of
from sirdab.review.refactor.refusal import RefusalError

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_LOOPS = ast.For | ast.AsyncFor | ast.While


def path_to(tree: ast.Module, first: int, last: int) -> list[ast.AST]:
    """Return the nodes with statements in them that hold some lines, from the outside in."""
    path: list[ast.AST] = [tree]
    while True:
        inner = [
            child
            for block in blocks(path[-1])
            for child in block
            if blocks(child)
            and child.lineno < first
            and last <= (child.end_lineno or 0)
            and any(
                b and b[0].lineno <= last and first <= (b[-1].end_lineno or 0)
                for b in blocks(child)
            )
        ]
        if not inner:
            return path
        path.append(inner[0])


def blocks(node: ast.AST) -> list[list[ast.stmt]]:
    """Return the lists of statements that stand directly in a node."""
    match node:
        case ast.Try() | ast.TryStar():
            handlers = [handler.body for handler in node.handlers]
            return [node.body, *handlers, node.orelse, node.finalbody]
        case ast.Match():
            return [case.body for case in node.cases]
        case ast.If() | ast.For() | ast.AsyncFor() | ast.While():
            return [node.body, node.orelse]
        case (
            ast.Module() | ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef()
            | ast.With() | ast.AsyncWith()
        ):  # fmt: skip
            return [node.body]
        case _:
            return []


def statements_in(node: ast.AST, first: int, last: int) -> list[ast.stmt]:
    """Return the statements of one block that some lines touch."""
    for block in blocks(node):
        touched = [
            one for one in block if one.lineno <= last and first <= (one.end_lineno or one.lineno)
        ]
        if touched:
            return touched
    raise RefusalError("Select the lines that are to become a function.")


def leaves_loop(statements: list[ast.stmt]) -> bool:
    """Whether statements have a break or continue of a loop around them."""
    for statement in statements:
        if isinstance(statement, ast.Break | ast.Continue):
            return True
        if isinstance(statement, _LOOPS):
            # Its own; but what is in its `else` belongs to the loop around it.
            if leaves_loop(statement.orelse):
                return True
        elif not isinstance(statement, _Function | ast.ClassDef) and any(
            leaves_loop(block) for block in blocks(statement)
        ):
            return True
    return False


def own_nodes(statements: list[ast.stmt]) -> list[ast.AST]:
    """Return the nodes of some statements, without those of functions within them."""
    found: list[ast.AST] = []
    stack: list[ast.AST] = list(statements)
    while stack:
        node = stack.pop()
        found.append(node)
        if not isinstance(node, _Function | ast.Lambda | ast.ClassDef):
            stack.extend(ast.iter_child_nodes(node))
    return found


def bound_by(statements: list[ast.stmt]) -> set[str]:
    """Return the names that statements set."""
    return set(names_of(*statements).bound)


def in_order(statements: list[ast.stmt]) -> list[str]:
    """Return the names in statements, each once, in the order in which they come."""
    return list(dict.fromkeys(names_of(*statements).every))


def bound_before(function: _Function, line: int) -> set[str]:
    """Return the names that may be bound before a line; in a loop around it, anywhere in it."""
    found: set[str] = set()
    stack: list[ast.AST] = list(function.body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
            if isinstance(node, ast.stmt) and node.lineno >= line:
                continue
            around = isinstance(node, _LOOPS) and (node.end_lineno or 0) >= line
            if around or (not blocks(node) and isinstance(node, ast.stmt)):
                found |= set(names_of(node).bound)
                continue
        if isinstance(node, _Function | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.expr | ast.pattern):
            found |= set(names_of(node).bound)
        else:
            if isinstance(node, ast.ExceptHandler) and node.name:
                found.add(node.name)
            stack.extend(ast.iter_child_nodes(node))
    return found


def read_after(function: _Function, path: list[ast.AST], first: int, last: int) -> set[str]:
    """Return the names that are read behind some lines, or around them in a loop."""
    loops = [node for node in path if isinstance(node, _LOOPS)]
    top = min((loop.lineno for loop in loops), default=last + 1)
    found: set[str] = set()
    for node in ast.walk(function):
        if not isinstance(node, ast.Name) or first <= node.lineno <= last:
            continue
        if isinstance(node.ctx, ast.Load) and (node.lineno > last or node.lineno >= top):
            found.add(node.id)
    for node in ast.walk(function):
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            line = node.lineno
            if not first <= line <= last and (line > last or line >= top):
                found.add(node.target.id)
    return found
