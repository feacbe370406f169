"""Makes a function of some lines of Python, exactly; the model only gives it its name.

A small model that is asked to move lines rewrites them, or moves others. What the lines read and
what is read of them afterwards can be worked out from the syntax, so it is.
"""

import ast
import builtins
import keyword
import re
import textwrap
from dataclasses import dataclass

from sirdab.review.refactor.python_blocks import (
    bound_before,
    bound_by,
    in_order,
    leaves_loop,
    own_nodes,
    path_to,
    read_after,
    statements_in,
)
from sirdab.review.refactor.python_flow import Flow
from sirdab.review.refactor.python_names import arguments_of
from sirdab.review.refactor.refusal import RefusalError
from sirdab.review.refactor.shrink import LineEdit
from sirdab.text.store import Point, Text

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,48}")
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_BUILTINS = frozenset(dir(builtins))


@dataclass(frozen=True, slots=True)
class Plan:
    """How some statements become a function.

    Attributes:
        first: First of their lines, 0-based.
        last: Last of their lines.
        before: Line before which the new function goes.
        parameters: What it takes, in order, as it is written.
        arguments: What it is given.
        results: The names that it gives back.
        returns: Whether its own last statement returns.
        is_async: Whether it has to be awaited.
        owner: "self" or "cls" for a method, else "".
        taken: Names that it must not have.
        code: Its body, without indentation.
    """

    first: int
    last: int
    before: int
    parameters: tuple[str, ...]
    arguments: tuple[str, ...]
    results: tuple[str, ...]
    returns: bool
    is_async: bool
    owner: str
    taken: frozenset[str]
    code: str

    def name_of(self, answer: str) -> str:
        """Return the name that a model gave, or one of ours where that cannot be used."""
        found = _NAME.match(answer.strip().removeprefix("def ").strip())
        name = found[0] if found else ""
        if not name.strip("_") or keyword.iskeyword(name) or name in self.taken:
            name = "extracted"
        number = 2
        free = name
        while free in self.taken or free in _BUILTINS:
            free, number = f"{name}_{number}", number + 1
        return free

    def edits(self, text: Text, name: str) -> list[LineEdit]:
        """Return the edits that define the function and call it.

        Args:
            text: The document.
            name: Its name.
        """
        end = text.line_end
        body = text.line_body(self.before)
        outer = body[: len(body) - len(body.lstrip())]
        step = _step(text, outer)
        word = "async def" if self.is_async else "def"
        lines = [f"{outer}{word} {name}({', '.join(self.parameters)}):"]
        lines += textwrap.indent(self.code, outer + step).split("\n")
        if self.results:
            lines.append(f"{outer}{step}return {', '.join(self.results)}")
        # Functions of a module stand two lines apart, methods one (PEP 8, "Blank Lines").
        lines += [""] if outer else ["", ""]
        new = LineEdit(
            Point(self.before, 0), Point(self.before, 0), "".join(line + end for line in lines)
        )
        head = text.line_body(self.first)
        indent = head[: len(head) - len(head.lstrip())]
        called = f"{self.owner}.{name}" if self.owner else name
        call = f"{called}({', '.join(self.arguments)})"
        if self.is_async:
            call = f"await {call}"
        if self.returns:
            call = f"return {call}"
        elif self.results:
            call = f"{', '.join(self.results)} = {call}"
        stop = Point(self.last, len(text.line_body(self.last)))
        return [new, LineEdit(Point(self.first, len(indent)), stop, call)]


def plan(text: Text, first: int, last: int) -> Plan:
    """Work out how some lines become a function.

    Args:
        text: A Python document.
        first: First of the lines, 0-based.
        last: Last of them.

    Raises:
        RefusalError: They cannot; the message says why.
    """
    try:
        tree = ast.parse(str(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise RefusalError("The file is not valid Python, so nothing can be extracted.") from error
    path = path_to(tree, first + 1, last + 1)
    functions = [node for node in path if isinstance(node, _Function)]
    if not functions:
        raise RefusalError("Select lines of a function.")
    function = functions[-1]
    if len(functions) > 1:
        raise RefusalError("Functions within functions cannot be extracted from.")
    chosen = statements_in(path[-1], first + 1, last + 1)
    low, high = chosen[0].lineno - 1, (chosen[-1].end_lineno or 0) - 1
    _check(function, path, chosen, text)
    inside = own_nodes(chosen)
    returns = any(isinstance(node, ast.Return) for node in inside)
    local = bound_by(function.body) | set(arguments_of(function))
    writes = bound_by(chosen)
    flow = Flow()
    flow.run(chosen)
    known = set(arguments_of(function)) | bound_before(function, low + 1)
    after = read_after(function, path, low + 1, high + 1)
    results = tuple(name for name in in_order(chosen) if name in writes & after)
    if any(name not in flow.certain and name not in known for name in results):
        raise RefusalError(
            "What the lines set is not always set, and read afterwards; select more lines."
        )
    needed = [
        name
        for name in in_order(chosen)
        if name in local
        and (name in flow.exposed or (name in results and name not in flow.certain))
    ]
    owner = _owner(function, path)
    annotations = _annotations(function)
    given = [name for name in needed if name != owner]
    shown = [f"{name}: {annotations[name]}" if name in annotations else name for name in given]
    lines = [text.line_body(row) for row in range(low, high + 1)]
    return Plan(
        low,
        high,
        min([function.lineno, *(one.lineno for one in function.decorator_list)]) - 1,
        (owner, *shown) if owner else tuple(shown),
        tuple(given),
        () if returns else results,
        returns,
        any(isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith) for node in inside),
        owner,
        frozenset(re.findall(r"\w+", str(text))),
        textwrap.dedent("\n".join(line.rstrip() for line in lines)),
    )


def _check(function: _Function, path: list[ast.AST], chosen: list[ast.stmt], text: Text) -> None:
    """Refuse what means something else in a function of its own."""
    inside = own_nodes(chosen)
    if any(isinstance(node, ast.Yield | ast.YieldFrom) for node in inside):
        raise RefusalError("Lines that yield cannot become a function by themselves.")
    if any(isinstance(node, ast.Global | ast.Nonlocal) for node in ast.walk(function)):
        raise RefusalError("A function with global or nonlocal names cannot be extracted from.")
    if any(isinstance(node, ast.Delete) for node in inside):
        raise RefusalError("Lines that delete names cannot become a function by themselves.")
    if leaves_loop(chosen):
        raise RefusalError("Lines with break or continue of a loop around them cannot be moved.")
    if any(isinstance(node, ast.Return) for node in inside):
        tail = path[-1] is function and chosen[-1] is function.body[-1]
        if not tail or not isinstance(chosen[-1], ast.Return | ast.Raise):
            raise RefusalError("Lines that return in their midst cannot become a function.")
    if any(isinstance(node, ast.Name) and node.id in ("super", "__class__") for node in inside):
        raise RefusalError("Lines with super() cannot become a function by themselves.")
    texts = [node for node in inside if isinstance(node, ast.Constant | ast.JoinedStr)]
    if any((node.end_lineno or node.lineno) > node.lineno for node in texts):
        raise RefusalError("Lines with a text of several lines cannot be moved safely.")
    first, final = chosen[0], chosen[-1]
    head = text.line_body(first.lineno - 1)
    tail = text.line_body((final.end_lineno or 1) - 1)
    alone = not head.encode()[: first.col_offset].strip()
    rest = tail.encode()[final.end_col_offset or 0 :].strip()
    if not alone or (rest and not rest.startswith(b"#")) or "\f" in head:
        raise RefusalError("Select whole lines.")


def _annotations(function: _Function) -> dict[str, str]:
    given = function.args
    return {
        one.arg: ast.unparse(one.annotation)
        for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)
        if one.annotation is not None
    }


def _owner(function: _Function, path: list[ast.AST]) -> str:
    """Return what a method is called on, "" for a function."""
    above = path[path.index(function) - 1]
    if not isinstance(above, ast.ClassDef):
        return ""
    names = {ast.unparse(one) for one in function.decorator_list}
    if "staticmethod" in names or not function.args.args:
        raise RefusalError("Static methods cannot be extracted from.")
    first = function.args.args[0].arg
    if first != "self":
        raise RefusalError("Only methods with self can be extracted from.")
    return first


def _step(text: Text, outer: str) -> str:
    """Return one step of indentation, as the document has it."""
    if "\t" in outer:
        return "\t"
    for number in range(min(text.line_count, 2_000)):
        body = text.line_body(number)
        if body.startswith("\t"):
            return "\t"
        if body.startswith("  ") and body.strip():
            return " " * (len(body) - len(body.lstrip(" ")))
    return "    "
