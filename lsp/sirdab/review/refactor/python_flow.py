"""Which names some statements of Python read from before them, and which they surely set."""

import ast
from dataclasses import dataclass, field

from sirdab.review.refactor.python_names import names_of

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_LEAVES = ast.Raise | ast.Return | ast.Continue | ast.Break


@dataclass(slots=True)
class Flow:
    """What has been seen of some statements, in the order in which they run.

    Attributes:
        exposed: Names that are read and may not have been set by the statements before.
        certain: Names that are set whatever happens.
    """

    exposed: set[str] = field(default_factory=set[str])
    certain: set[str] = field(default_factory=set[str])

    def run(self, statements: list[ast.stmt]) -> None:
        """Take statements that run one after the other."""
        for statement in statements:
            self._take(statement)

    def _reads(self, *nodes: ast.AST | None) -> None:
        for node in nodes:
            if node is not None:
                names = names_of(node)
                self.exposed |= set(names.read) - self.certain
                # An assignment expression; whether it is come to is not asked.
                self.certain |= set(names.bound)

    def _branch(self, statements: list[ast.stmt], bound: set[str] | None = None) -> set[str]:
        """Take statements that may run or not, and return what is certain if they do."""
        inner = Flow(self.exposed, self.certain | (bound or set()))
        inner.run(statements)
        return inner.certain

    def _take(self, statement: ast.stmt) -> None:
        match statement:
            case ast.If():
                self._reads(statement.test)
                one = self._branch(statement.body)
                other = self._branch(statement.orelse)
                self.certain = _joined(
                    (one, statement.body), (other, statement.orelse), before=self.certain
                )
            case ast.For() | ast.AsyncFor():
                self._reads(statement.iter)
                self._branch(statement.body, set(names_of(statement.target).bound))
                self._branch(statement.orelse)
            case ast.While():
                self._reads(statement.test)
                self._branch(statement.body)
                self._branch(statement.orelse)
            case ast.With() | ast.AsyncWith():
                for item in statement.items:
                    self._reads(item.context_expr, item.optional_vars)
                inside = self._branch(statement.body)
                if not any("suppress" in ast.unparse(one.context_expr) for one in statement.items):
                    self.certain = inside
            case ast.Try() | ast.TryStar():
                self._try(statement)
            case ast.Match():
                self._reads(statement.subject)
                for case in statement.cases:
                    bound = set(names_of(case.pattern).bound)
                    inner = Flow(self.exposed, self.certain | bound)
                    inner._reads(case.pattern, case.guard)
                    inner.run(case.body)
            case _:
                names = names_of(statement)
                self.exposed |= set(names.read) - self.certain
                self.certain |= set(names.bound)

    def _try(self, statement: ast.Try | ast.TryStar) -> None:
        whole = self._branch([*statement.body, *statement.orelse])
        ends = [(whole, [*statement.body, *statement.orelse])]
        for handler in statement.handlers:
            self._reads(handler.type)
            bound = {handler.name} if handler.name else set[str]()
            # The name of an error is gone behind its handler.
            ends.append((self._branch(handler.body, bound) - bound, handler.body))
        self.certain = _joined(*ends, before=self.certain)
        self.run(statement.finalbody)


def _joined(*ends: tuple[set[str], list[ast.stmt]], before: set[str]) -> set[str]:
    """Return what is certain behind branches; one that leaves does not count."""
    staying = [certain for certain, body in ends if not (body and isinstance(body[-1], _LEAVES))]
    if not staying:
        return set(before)
    certain = set(staying[0])
    for other in staying[1:]:
        certain &= other
    return certain
