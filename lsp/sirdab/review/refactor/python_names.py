"""The names that Python code of one function reads and binds, scopes within it apart."""

import ast
from dataclasses import dataclass, field

_Function = ast.FunctionDef | ast.AsyncFunctionDef
COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


@dataclass(slots=True)
class Names:
    """Names, in order.

    Attributes:
        read: Names that are read.
        bound: Names that are set.
        every: Both.
    """

    read: list[str] = field(default_factory=list[str])
    bound: list[str] = field(default_factory=list[str])
    every: list[str] = field(default_factory=list[str])

    def take(self, node: ast.AST) -> None:  # noqa: PLR0912 - one case for each way to bind
        """Add the names of some code."""
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                self._read(name)
            case ast.Name(id=name):
                self._bind(name)
                return
            case ast.AugAssign(target=ast.Name(id=name)):
                self._read(name)
            case ast.ExceptHandler(name=name) | ast.MatchAs(name=name) | ast.MatchStar(name=name):
                self._bind(name)
            case ast.MatchMapping(rest=name):
                self._bind(name)
            case ast.Import(names=aliases):
                for alias in aliases:
                    self._bind(alias.asname or alias.name.partition(".")[0])
            case ast.ImportFrom(names=aliases):
                for alias in aliases:
                    self._bind(alias.asname or alias.name)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._bind(node.name)
                self._inner(node, set(arguments_of(node)))
                return
            case ast.ClassDef():
                self._bind(node.name)
                self._inner(node, set())
                return
            case ast.Lambda(args=given):
                parameters = (*given.posonlyargs, *given.args, *given.kwonlyargs)
                self._inner(node, {one.arg for one in parameters})
                return
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                self._inner(node, set())
                return
            case _:
                pass
        for child in ast.iter_child_nodes(node):
            self.take(child)

    def _read(self, name: str) -> None:
        self.read.append(name)
        self.every.append(name)

    def _bind(self, name: str | None) -> None:
        if name:
            self.bound.append(name)
            self.every.append(name)

    def _inner(self, node: ast.AST, own: set[str]) -> None:
        """Take from a scope of its own what it reads of the one around it."""
        inner = names_of(*ast.iter_child_nodes(node))
        own |= set(inner.bound)
        for name in inner.read:
            if name not in own:
                self._read(name)
        if isinstance(node, COMPREHENSIONS):
            for part in ast.walk(node):
                # An assignment expression binds outside of a comprehension.
                if isinstance(part, ast.NamedExpr):
                    self._bind(part.target.id)


def arguments_of(function: _Function) -> list[str]:
    """Return the names of a function's parameters."""
    given = function.args
    found = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    found += [one for one in (given.vararg, given.kwarg) if one is not None]
    return [one.arg for one in found]


def names_of(*nodes: ast.AST) -> Names:
    """Return the names that some code reads and binds."""
    names = Names()
    for node in nodes:
        names.take(node)
    return names
