"""The imports that Python code needs: names that are read and bound nowhere.

What is bound where is asked of Python's own compiler (`symtable`), which knows scopes.
"""

import ast
import builtins
import symtable
import sys
import warnings
from collections.abc import Iterator

from sirdab.review.refactor.imports.lifted import Lifted
from sirdab.review.refactor.refusal import RefusalError
from sirdab.review.refactor.shrink import LineEdit
from sirdab.text.store import Point, Text

# Names of the standard library that are usually imported by themselves.
_FROM: dict[str, str] = {
    **dict.fromkeys(
        ("Callable", "Iterable", "Iterator", "Mapping", "MutableMapping", "Sequence", "Generator",
         "Awaitable", "AsyncIterator", "Hashable", "Coroutine"),
        "collections.abc",
    ),
    **dict.fromkeys(
        ("Any", "Optional", "Union", "List", "Dict", "Tuple", "Set", "FrozenSet", "Type",
         "TypeVar", "Literal", "NamedTuple", "Protocol", "TypedDict", "cast", "ClassVar", "Final",
         "TextIO", "BinaryIO", "IO"),
        "typing",
    ),
    **dict.fromkeys(
        ("defaultdict", "Counter", "deque", "OrderedDict", "namedtuple"), "collections"
    ),
    **dict.fromkeys(("closing", "suppress", "contextmanager", "ExitStack"), "contextlib"),
    **dict.fromkeys(("dataclass", "field"), "dataclasses"),
    **dict.fromkeys(("lru_cache", "cache", "partial", "reduce", "wraps"), "functools"),
    **dict.fromkeys(("chain", "islice", "groupby", "accumulate", "combinations"), "itertools"),
    **dict.fromkeys(("Path", "PurePath"), "pathlib"),
    **dict.fromkeys(("datetime", "timedelta", "timezone"), "datetime"),
    "Decimal": "decimal",
    "literal_eval": "ast",
    "StringIO": "io",
}  # fmt: skip
_BUILTINS = frozenset(dir(builtins)) | {
    "__file__", "__name__", "__doc__", "__package__", "__spec__", "__loader__", "__builtins__",
    "__annotations__", "__path__", "__class__", "__module__", "__qualname__", "WindowsError",
}  # fmt: skip
# Bringing these in for a name that is missing would do more than the name asks for.
_NEVER = frozenset({"antigravity", "this", "idlelib", "turtledemo", "test", "ctypes"})


def needed(before: Text, after: Text, lifted: Lifted) -> list[LineEdit]:
    """Return the edit that adds the imports which new code needs; see `imports.needed`."""
    old = undefined(str(before))
    new = undefined(str(after))
    if old is None or new is None:
        return []
    written = _bound_by(lifted)
    # What was missing before is the business of a fix that writes the import for it.
    wanted = sorted((new - old) | (new & written.keys()))
    if not wanted:
        return []
    statements: dict[str, None] = {}
    for name in wanted:
        statement = written.get(name) or import_of(name)
        if statement is None:
            raise RefusalError(
                f"The new code uses {name[:60]}, which is not defined, so nothing is done.",
                hint=f"{name[:60]} is not defined; define it or do without it.",
            )
        statements[statement] = None
    row = _row(before)
    end = before.line_end
    new_lines = "".join(f"{statement}{end}" for statement in sorted(statements))
    if not _is_import(before.line_body(row - 1) if row else "") and row < before.line_count:
        # Behind a docstring, or at the very top: two blank lines keep the code apart.
        new_lines += end if before.line_body(row).strip() else ""
        new_lines = (end if row and before.line_body(row - 1).strip() else "") + new_lines
    return [LineEdit(Point(row, 0), Point(row, 0), new_lines)]


def parses(text: str) -> bool:
    """Whether Python's own parser accepts a module."""
    return _tree(text) is not None


def _tree(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            # What it thinks of escapes in somebody else's strings is none of our business.
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def undefined(text: str) -> set[str] | None:
    """Return the names that a module reads and binds nowhere; None when it cannot be said."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            top = symtable.symtable(text, "<document>", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    bound: set[str] = set()
    read: set[str] = set()
    tables = [top]
    while tables:
        table = tables.pop()
        tables.extend(table.get_children())
        for symbol in table.get_symbols():
            name = symbol.get_name()
            binds = symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()
            if table is top or symbol.is_global():
                bound |= {name} if binds else set()
                read |= {name} if symbol.is_referenced() else set()
    if any(line.lstrip().startswith("from ") and "import *" in line for line in text.split("\n")):
        return None
    return read - bound - _BUILTINS


def _bound_by(lifted: Lifted) -> dict[str, str]:
    """Return the statement that binds each name, of those that the model wrote."""
    found: dict[str, str] = {}
    for written in lifted.statements:
        tree = _tree(written)
        for node in () if tree is None else tree.body:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    name = alias.asname or alias.name.partition(".")[0]
                    found[name] = ast.unparse(ast.Import([alias]))
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    one = ast.ImportFrom(node.module, [alias], node.level)
                    found[alias.asname or alias.name] = ast.unparse(one)
    return found


def import_of(name: str) -> str | None:
    """Return the import of the standard library that binds a name, or None."""
    if name in _FROM:
        return f"from {_FROM[name]} import {name}"
    if name in sys.stdlib_module_names and name not in _NEVER and not name.startswith("_"):
        return f"import {name}"
    return None


def _row(text: Text) -> int:
    """Return the line before which an import goes: behind the imports, or the docstring."""
    tree = _tree(str(text))
    row = 0
    for index, node in enumerate(() if tree is None else tree.body):
        is_import = isinstance(node, ast.Import | ast.ImportFrom)
        if is_import or (index == 0 and _is_docstring(node)):
            row = node.end_lineno or node.lineno
        elif row or index > 0:
            break
    if row == 0:
        row = sum(1 for _ in _head(text))
    return row


def _is_docstring(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _head(text: Text) -> Iterator[str]:
    """Yield the comments that begin a module, such as `#!` and the encoding."""
    for number in range(text.line_count):
        body = text.line_body(number)
        if not body.startswith("#"):
            return
        yield body


def _is_import(line: str) -> bool:
    return line.startswith(("import ", "from ", ")"))
