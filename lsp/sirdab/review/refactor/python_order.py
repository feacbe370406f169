"""Finds names that a function of Python reads before anything has set them."""

import ast

from sirdab.review.refactor.python_names import COMPREHENSIONS, arguments_of, names_of
from sirdab.review.refactor.refusal import RefusalError

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_LOOPS = ast.For | ast.AsyncFor | ast.While


def check(before: str, after: str) -> None:
    """Hold that code reads no local name before it is set, where it did not before.

    Args:
        before: A module as it is.
        after: The module as it would be.

    Raises:
        RefusalError: A function would raise UnboundLocalError.
    """
    old, new = _unset(before), _unset(after)
    if new is None or old is None or not new - old:
        return
    name = min(new - old)[1][:60]
    raise RefusalError(
        f"The new code reads {name} before it is set, so nothing is done.",
        hint=f"{name} is read before it is set.",
    )


def _unset(text: str) -> set[tuple[str, str]] | None:
    """Return functions with names that they read before they set them; None where it is unknown."""
    try:
        tree = ast.parse(text)
        found: set[tuple[str, str]] = set()
        for node in ast.walk(tree):
            if isinstance(node, _Function):
                found |= {(node.name, name) for name in _Order(node).early}
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return found


class _Order:
    """Goes through a function in the order in which it runs, with every branch as if taken."""

    def __init__(self, function: _Function) -> None:
        outside = {
            name
            for node in ast.walk(function)
            if isinstance(node, ast.Global | ast.Nonlocal)
            for name in node.names
        }
        self._known = set(arguments_of(function))
        self._local = set(names_of(*function.body).bound) - outside
        self.early: set[str] = set()
        for statement in function.body:
            self._take(statement)

    def _take(self, node: ast.AST) -> None:  # noqa: PLR0912 - one case for each kind of node
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                self._read(name)
            case ast.Name(id=name):
                self._known.add(name)
            case ast.Assign(value=value, targets=targets):
                self._all(value, *targets)
            case ast.AugAssign(value=value, target=target):
                self._take(value)
                if isinstance(target, ast.Name):
                    self._read(target.id)
                self._take(target)
            case ast.AnnAssign(value=value, target=target):
                # Without a value nothing is set.
                if value is not None:
                    self._all(value, target)
            case ast.For(target=target, iter=values) | ast.AsyncFor(target=target, iter=values):
                self._all(values, target)
                self._loop(node)
            case ast.While(test=test):
                self._take(test)
                self._loop(node)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                # Its body runs when it is called, and what it reads may be set by then.
                self._known.add(name)
            case ast.ClassDef(name=name):
                self._known.add(name)
            case ast.Lambda():
                pass
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                self._comprehension(node)
            case _:
                # An error's name, a pattern's, an import's.
                self._known |= set(names_of(node).bound) if _binds(node) else set()
                self._all(*ast.iter_child_nodes(node))

    def _all(self, *nodes: ast.AST) -> None:
        for node in nodes:
            self._take(node)

    def _read(self, name: str) -> None:
        if name in self._local and name not in self._known:
            self.early.add(name)

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While) -> None:
        # What one round sets, the next one reads.
        self._known |= set(names_of(*node.body).bound)
        self._all(*node.body, *node.orelse)

    def _comprehension(self, node: COMPREHENSIONS) -> None:
        names = names_of(node)
        for name in names.read:
            self._read(name)
        self._known |= set(names.bound)


def _binds(node: ast.AST) -> bool:
    return isinstance(
        node,
        ast.Import | ast.ImportFrom | ast.ExceptHandler | ast.MatchAs | ast.MatchStar
        | ast.MatchMapping,
    )  # fmt: skip
