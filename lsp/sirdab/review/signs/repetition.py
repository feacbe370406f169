"""Signs of work that is done more often, or to more, than is needed."""

from collections.abc import Iterator

from sirdab.review.signs.changing import CHANGING
from sirdab.review.signs.closures import changed_names
from sirdab.review.signs.kinds import is_constant
from sirdab.review.signs.look import (
    CALLS,
    MEMBERS,
    SCOPES,
    SUBSCRIPTS,
    arguments,
    called_name,
    callee,
    keywords,
    loop_names,
    loop_of,
    names_in,
    parameters_of,
    receiver,
    string_value,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node

# Work whose result is the same each time when nothing in it changes.
_COSTLY = frozenset(
    {"sorted", "set", "list", "tuple", "dict", "frozenset", "max", "min", "sum", "re.compile",
     "json.loads", "copy.deepcopy", "deepcopy", "compile", "Object.keys", "Object.values",
     "Object.entries", "JSON.parse", "JSON.stringify", "Array.from", "RegExp", "Set", "Map"}
)  # fmt: skip
_COSTLY_METHODS = frozenset({"splitlines", "readlines", "read_text", "split", "most_common"})


@sign("loop-invariant", *PYTHON, *SCRIPT)
def loop_invariant(scene: Scene) -> Iterator[Node]:
    """Yield costly work in a loop that has the same result in each round."""
    for call in scene.all("call", "call_expression", "new_expression"):
        name, last = callee(call), called_name(call)
        costly = name in _COSTLY or (last in _COSTLY_METHODS and receiver(call) is not None)
        if not costly or (not arguments(call) and receiver(call) is None):
            continue
        loop = loop_of(call)
        if loop is None or loop.kind in ("while_statement", "do_statement") or _is_lazy(call, loop):
            continue
        if call.kind == "new_expression" and name != "RegExp" and is_constant(call):
            continue
        if name in ("list", "dict", "set", "tuple", "Map", "Set") and not arguments(call):
            continue
        if name in ("max", "min") and len(arguments(call)) > 1:
            continue
        if not _depends_on(scene, call, loop):
            yield call


def _is_lazy(call: Node, loop: Node) -> bool:
    """Whether work is done in a branch that leaves, or kept once it is done."""
    child = call
    for outer in call.ancestors():
        if outer is loop:
            return False
        if outer.kind in ("return_statement", "raise_statement", "throw_statement",
                          "except_clause", "catch_clause", "lambda"):  # fmt: skip
            return True
        if outer.kind in ("if_statement", "elif_clause") and child.field != "condition":
            return True
        if outer.kind in ("conditional_expression", "ternary_expression"):
            return True
        child = outer
    return False


def _depends_on(scene: Scene, call: Node, loop: Node) -> bool:
    """Whether a loop changes anything that a call is made of."""
    names = set(names_in(call)) - {"re", "json", "Object", "JSON", "Array", "copy", callee(call)}
    changed = changed_names(scene, loop) if loop.kind not in CALLS else loop_names(loop)
    if names & changed:
        return True
    if names & {"self", "this"} or any(name.startswith("_") for name in names):
        # Any of the calls in the loop may change it.
        return True
    if any(inner.kind in CALLS and inner is not call and not _is_costly(inner)
           for inner in call.walk()):  # fmt: skip
        return True
    for node in loop.walk():
        if node.kind in CALLS and called_name(node) in CHANGING:
            on = receiver(node)
            if on is not None and names & set(names_in(on)):
                return True
        elif (node.kind in SUBSCRIPTS and node.field == "left") or node.kind == "delete_statement":
            if names & set(names_in(node)):
                return True
        elif node.kind in MEMBERS and node.field == "left" and names & set(names_in(node)):
            return True
    # A loop that waits may find another value after each wait.
    return (
        not names
        and string_value((arguments(call) or [None])[0]) is None
        and (not is_constant((arguments(call) or [None])[0]))
    )


def _is_costly(call: Node) -> bool:
    on = receiver(call)
    return callee(call) in _COSTLY or (on is not None and called_name(call) in (
        "keys", "values", "items", "lower", "upper", "strip", "slice", "sort", "map", "filter",
        "trim", "split", "get", "escape",
    ) and not keywords(call))  # fmt: skip


@sign("needless-work", *PYTHON)
def needless_work(scene: Scene) -> Iterator[Node]:
    """Yield whole lists that are built or sorted for the sake of one item or of their size."""
    for node in scene.all("subscript"):
        value, index = node.child("value"), node.child("subscript")
        if value is None or index is None or value.kind != "call":
            continue
        if callee(value) == "sorted" and index.text in ("0", "-1"):
            yield node
    for call in scene.all("call"):
        given, name = arguments(call), callee(call)
        if len(given) != 1:
            continue
        if (name in ("any", "all") and given[0].kind == "list_comprehension") or (
            name in ("min", "max", "sum") and callee(given[0]) in ("sorted", "list")
        ):
            yield call
    for node in scene.all("comparison_operator"):
        if len(node.children) == 3 and node.children[1].kind in ("in", "not in"):
            right = node.children[2]
            if right.kind == "call" and (callee(right) == "list" or (
                called_name(right) == "keys" and not arguments(right)
            )):  # fmt: skip
                yield node


@sign("needless-work", *SCRIPT)
def needless_work_script(scene: Scene) -> Iterator[Node]:
    """Yield whole arrays and copies that are made for the sake of one item."""
    for node in scene.all("subscript_expression", "member_expression"):
        base = node.child("object")
        if base is None or base.kind != "call_expression" or called_name(base) != "filter":
            continue
        index, name = node.child("index"), node.child("property")
        outer = node.parent
        compared = (
            outer is not None
            and outer.kind == "binary_expression"
            and (any(one.text == "0" for one in outer.children))
        )
        if (index is not None and index.text == "0") or (
            name is not None and name.text == "length" and compared
        ):
            yield node
    for call in scene.all("call_expression"):
        given = arguments(call)
        if callee(call) == "JSON.parse" and given and given[0].kind == "call_expression":
            if callee(given[0]) == "JSON.stringify":
                yield call
        elif called_name(call) == "reduce" and given and given[0].kind in SCOPES:
            names = [name for one in parameters_of(given[0])[:1] for name in names_in(one)]
            for inner in given[0].walk():
                if inner.kind == "spread_element" and names and inner.text == f"...{names[0]}":
                    yield inner
                    break
