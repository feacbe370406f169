"""Questions about one node that several signs ask, for Python and the JavaScript family alike."""

from collections.abc import Iterator

from sirdab.review.calls import CLASSES, FUNCTIONS
from sirdab.review.tree import Node

SCOPES = FUNCTIONS | {"lambda"}
"""Nodes that have names of their own."""

CALLS = frozenset({"call", "call_expression"})
MEMBERS = frozenset({"attribute", "member_expression"})
SUBSCRIPTS = frozenset({"subscript", "subscript_expression"})
LOOPS = frozenset({"for_statement", "while_statement", "for_in_statement", "do_statement"})
COMPREHENSIONS = frozenset(
    {"list_comprehension", "set_comprehension", "dictionary_comprehension", "generator_expression"}
)
BLOCKS = frozenset({"block", "statement_block", "module", "program", "else_clause"})
STRINGS = frozenset({"string", "concatenated_string", "template_string"})
NUMBERS = frozenset({"integer", "float", "number"})
AWAITS = frozenset({"await", "await_expression"})
NAMES = frozenset({"identifier", "shorthand_property_identifier"})
REPEATING = frozenset(
    {"forEach", "map", "filter", "some", "every", "flatMap", "find", "findIndex", "reduce"}
)
"""Methods of JavaScript's arrays that call a function once for each item."""

_WRAPPERS = frozenset({"parenthesized_expression", "non_null_expression", "as_expression"})


def bare(node: Node | None) -> Node | None:
    """Return a node without the parentheses around it."""
    while node is not None and node.kind in _WRAPPERS and node.children:
        node = node.children[0]
    return node


def callee(call: Node) -> str:
    """Return the text of what is called, such as `os.path.join`; "" when it is no call."""
    function = call.child("function") or call.child("constructor")
    return "" if function is None else function.text


def called_name(call: Node) -> str:
    """Return the last part of what is called, such as `join`."""
    return callee(call).rpartition(".")[2]


def receiver(call: Node) -> Node | None:
    """Return what a method is called on, None for a function."""
    function = call.child("function")
    if function is None or function.kind not in MEMBERS:
        return None
    return function.child("object")


def arguments(call: Node) -> list[Node]:
    """Return the arguments by position, up to the first `*args`."""
    holder = call.child("arguments")
    if holder is not None and holder.kind == "generator_expression":
        # `f(x for x in y)` has no parentheses of its own around its one argument.
        return [holder]
    found: list[Node] = []
    for child in holder.children if holder is not None else ():
        if child.kind in ("list_splat", "dictionary_splat", "spread_element"):
            break
        if child.kind not in ("keyword_argument", "comment"):
            found.append(child)
    return found


def keywords(call: Node) -> dict[str, Node]:
    """Return the arguments by name; those behind `**` are under that name."""
    holder = call.child("arguments")
    found: dict[str, Node] = {}
    for child in holder.children if holder is not None else ():
        name, value = child.child("name"), child.child("value")
        if child.kind == "keyword_argument" and name is not None and value is not None:
            found[name.text] = value
        elif child.kind == "dictionary_splat":
            found["**"] = child
    return found


def function_of(node: Node) -> Node | None:
    """Return the function that a node lies in, None at the top level."""
    return next((outer for outer in node.ancestors() if outer.kind in SCOPES), None)


def class_of(node: Node) -> Node | None:
    """Return the class that a node lies in."""
    return next((outer for outer in node.ancestors() if outer.kind in CLASSES), None)


def loop_of(node: Node) -> Node | None:
    """Return the innermost loop that does a node again and again, within the same function.

    That is a statement, a comprehension, or a call such as `xs.forEach(...)` with the function
    that the node lies in. What a loop goes over is done only once.
    """
    child = node
    for outer in node.ancestors():
        if outer.kind in LOOPS:
            if child.field in ("body", "condition", "increment"):
                return outer
        elif outer.kind in COMPREHENSIONS:
            if child.field == "body" or child.kind == "if_clause" or _is_inner(child, outer):
                return outer
        elif outer.kind in SCOPES:
            call = outer.parent.parent if outer.parent is not None else None
            if call is None or call.kind not in CALLS or called_name(call) not in REPEATING:
                return None
            return call if outer.field == "" else None
        child = outer
    return None


def _is_inner(child: Node, comprehension: Node) -> bool:
    """Whether a clause is not the first `for` of a comprehension, which is done once."""
    clauses = [one for one in comprehension.children if one.kind == "for_in_clause"]
    return child in clauses[1:]


def loop_names(loop: Node) -> set[str]:
    """Return the names that a loop gives a new value each time."""
    if loop.kind in CALLS:
        given = arguments(loop)
        parameters = [] if not given else parameters_of(given[0])
        return {name for one in parameters for name in names_in(one)}
    if loop.kind in COMPREHENSIONS:
        lefts = [one.child("left") for one in loop.children if one.kind == "for_in_clause"]
    else:
        lefts = [loop.child("left"), loop.child("initializer")]
    return {name for left in lefts if left is not None for name in names_in(left)}


def names_in(node: Node) -> Iterator[str]:
    """Yield the identifiers in a node, from left to right."""
    for inner in node.walk():
        if inner.kind in NAMES or inner.kind == "shorthand_property_identifier_pattern":
            yield inner.text


def mentions(node: Node | None, text: str) -> bool:
    """Whether a name, or an attribute such as `self.x`, occurs in a node."""
    if node is None:
        return False
    kinds = MEMBERS if "." in text else NAMES
    return any(inner.kind in kinds and inner.text == text for inner in node.walk())


def is_awaited(node: Node) -> bool:
    """Whether `await` stands before an expression, parentheses aside."""
    outer = node.parent
    while outer is not None and outer.kind in _WRAPPERS:
        outer = outer.parent
    return outer is not None and outer.kind in ("await", "await_expression")


def is_statement(node: Node) -> bool:
    """Whether an expression stands alone, so that its value is lost."""
    return node.parent is not None and node.parent.kind == "expression_statement"


def target_of(node: Node) -> Node | None:
    """Return the name that an expression is the whole value of."""
    outer = node.parent
    if outer is None or node.field not in ("right", "value"):
        return None
    if outer.kind in ("assignment", "assignment_expression", "variable_declarator"):
        return outer.child("left") or outer.child("name")
    return None


def statement_of(node: Node) -> Node:
    """Return the statement that a node is part of: what stands directly in a block."""
    for outer in node.ancestors():
        if outer.kind in BLOCKS:
            break
        node = outer
    return node


def parameters_of(function: Node) -> list[Node]:
    """Return the parameters of a function, `self` and the like included."""
    single = function.child("parameter")
    if single is not None:
        return [single]
    holder = function.child("parameters")
    if holder is None:
        return []
    return [one for one in holder.children if one.kind not in ("comment", "type_annotation")]


def parameter_name(parameter: Node) -> str:
    """Return the name of a parameter, "" for a pattern or a separator."""
    node: Node | None = parameter
    for _ in range(4):
        if node is None:
            return ""
        if node.kind == "identifier":
            return node.text
        node = (
            node.child("name")
            or node.child("pattern")
            or node.child("left")
            or node.first("identifier", "list_splat_pattern", "dictionary_splat_pattern")
        )
    return ""


def string_value(node: Node | None) -> str | None:
    """Return what stands between the quotes of a text without values in it; None for others."""
    node = bare(node)
    if node is None or node.kind not in STRINGS:
        return None
    if any(one.kind in ("interpolation", "template_substitution") for one in node.walk()):
        return None
    pieces = [one.text for one in node.walk() if one.kind in ("string_content", "string_fragment")]
    return "".join(pieces)
