"""The imports that Go code needs, and those that it no longer needs, which Go does not compile."""

import re
from typing import TYPE_CHECKING, NamedTuple

from sirdab.review.refactor.imports.lifted import Lifted
from sirdab.review.refactor.imports.modules import GO_PACKAGES
from sirdab.review.refactor.refusal import RefusalError
from sirdab.review.refactor.shrink import LineEdit
from sirdab.syntax.parse import Parsed, parse_alone
from sirdab.text.store import Point, Text

if TYPE_CHECKING:
    from tree_sitter import Node

_SPEC = re.compile(r'(?:([\w.]+)\s+)?"([\w./-]{1,200})"')


class _Import(NamedTuple):
    name: str
    path: str
    row: int
    alone: bool


def needed(before: Text, after: Text, lifted: Lifted) -> list[LineEdit]:
    """Return the edits that add and remove imports; see `imports.needed`."""
    old, new = parse_alone(before, "go"), parse_alone(after, "go")
    if old is None or new is None:
        return []
    imports = _imports(old)
    names = {one.name for one in imports}
    used_before, used_after = _qualifiers(old), _qualifiers(new)
    local = _declared(new)
    missing = sorted(used_after - used_before - names - local)
    written = {
        name or path.rpartition("/")[2]: path
        for statement in lifted.statements
        for name, path in _SPEC.findall(statement)
    }
    paths: list[str] = []
    for name in missing:
        path = written.get(name, GO_PACKAGES.get(name))
        if path is None:
            raise RefusalError(
                f"The new code uses {name[:60]}, which is not defined, so nothing is done.",
                hint=f"{name[:60]} is not defined; define it or do without it.",
            )
        paths.append(path)
    # One of the same name for another package: crypto/rand in place of math/rand.
    gone = [
        one
        for one in imports
        if one.name in used_before and one.name not in used_after and one.name not in ("_", ".")
    ]
    edits = [_without(one) for one in gone]
    if paths:
        edits.append(_with(before, imports, sorted(paths)))
    return sorted(edits, key=lambda edit: (edit.start, edit.stop))


def without_unused(source: str) -> str:
    """Return a Go file without the imports that nothing in it uses: Go compiles none."""
    text = Text(source)
    parsed = parse_alone(text, "go")
    if parsed is None:
        return source
    used = _qualifiers(parsed)
    gone = {one.row for one in _imports(parsed) if one.name not in used | {"_", "."}}
    return "".join(line for row, line in enumerate(text.lines()) if row not in gone)


def with_missing(source: str, tested: str) -> str:
    """Return a Go file of tests with the imports of the standard library that it lacks.

    Args:
        source: The file.
        tested: The file that it tests, which is of the same package.

    Raises:
        RefusalError: It uses a name that is nowhere.
    """
    text = Text(source)
    parsed = parse_alone(text, "go")
    if parsed is None:
        return source
    imports = _imports(parsed)
    there = {one.name for one in imports} | _declared(parsed) | set(re.findall(r"\w+", tested))
    missing = sorted(_qualifiers(parsed) - there)
    for name in missing:
        if name not in GO_PACKAGES:
            raise RefusalError(
                f"The tests use {name[:60]}, which is not defined, so nothing is made.",
                hint=f"{name[:60]} is not defined; define it or do without it.",
            )
    if not missing:
        return source
    edit = _with(text, imports, sorted(GO_PACKAGES[name] for name in missing))
    return str(text.replace(edit.start, edit.stop, edit.text))


def _imports(parsed: Parsed) -> list[_Import]:
    found: list[_Import] = []
    for declaration in parsed.tree.root_node.named_children:
        if declaration.type != "import_declaration":
            continue
        specs = [declaration]
        while specs:
            node = specs.pop()
            if node.type == "import_spec":
                alias = node.child_by_field_name("name")
                path = _text(node.child_by_field_name("path")).strip('"`')
                name = _text(alias) or re.sub(r"^v\d+$", "", path.rpartition("/")[2])
                alone = declaration.start_point[0] == declaration.end_point[0]
                found.append(_Import(name, path, node.start_point[0], alone))
            else:
                specs.extend(reversed(node.named_children))
    return found


def _qualifiers(parsed: Parsed) -> set[str]:
    """Return the names that something is taken from: `name.X`."""
    found: set[str] = set()
    stack = [parsed.tree.root_node]
    while stack:
        node = stack.pop()
        if node.type in ("selector_expression", "qualified_type"):
            first = node.child_by_field_name("operand") or node.child_by_field_name("package")
            if first is not None and first.type in ("identifier", "package_identifier"):
                found.add(_text(first))
        stack.extend(node.named_children)
    return found


def _declared(parsed: Parsed) -> set[str]:
    """Return the identifiers that stand anywhere but before a dot: variables, parameters."""
    found: set[str] = set()
    stack = [parsed.tree.root_node]
    while stack:
        node = stack.pop()
        if node.type == "identifier" and (
            node.parent is None or node.parent.type != "selector_expression"
        ):
            found.add(_text(node))
        stack.extend(node.named_children)
    return found


def _without(one: _Import) -> LineEdit:
    return LineEdit(Point(one.row, 0), Point(one.row + 1, 0), "")


def _with(text: Text, imports: list[_Import], paths: list[str]) -> LineEdit:
    end = text.line_end
    block = next((one for one in imports if not one.alone), None)
    if block is not None:
        at = block.row
        return LineEdit(Point(at, 0), Point(at, 0), "".join(f'\t"{path}"{end}' for path in paths))
    lines = "".join(f'import "{path}"{end}' for path in paths)
    if imports:
        at = imports[-1].row + 1
        return LineEdit(Point(at, 0), Point(at, 0), lines)
    row = next(
        (row + 1 for row in range(text.line_count) if text.line(row).startswith("package ")), 0
    )
    return LineEdit(Point(row, 0), Point(row, 0), f"{end}{lines}")


def _text(node: "Node | None") -> str:
    return "" if node is None or node.text is None else node.text.decode("utf-8", "replace")
