"""Signs of functions that do not return what they have computed."""

from collections.abc import Iterator

from sirdab.review.calls import CLASSES
from sirdab.review.signs.giving import (
    FOR_EFFECT,
    GIVING,
    GIVING_NAME,
    has_value_elsewhere,
    is_value_callback,
    promises_value,
    used_functions,
)
from sirdab.review.signs.look import (
    CALLS,
    bare,
    called_name,
    callee,
    receiver,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node

# Methods that change nothing and whose value is all they are for.
PURE = {
    **dict.fromkeys(
        ("strip", "lstrip", "rstrip", "lower", "upper", "title", "capitalize", "casefold",
         "split", "rsplit", "splitlines", "encode", "zfill", "removeprefix", "removesuffix",
         "union", "intersection", "difference", "symmetric_difference", "startswith", "endswith",
         "isdigit", "swapcase", "expandtabs", "with_suffix", "with_name", "astimezone",
         "ljust", "rjust", "center", "partition", "most_common", "total_seconds"),
        0,
    ),
    "replace": 2,
    "sub": 2,
    "format": 0,
}  # fmt: skip
PURE_FUNCTIONS = frozenset(
    {"sorted", "reversed", "len", "sum", "abs", "round", "list", "dict", "set", "tuple", "str",
     "min", "max", "enumerate", "zip", "repr", "os.path.join", "re.sub", "filter",
     "dataclasses.replace", "copy.copy", "copy.deepcopy", "json.dumps", "html.escape"}
)  # fmt: skip
PURE_SCRIPT = {
    **dict.fromkeys(
        ("trim", "trimStart", "trimEnd", "toUpperCase", "toLowerCase", "concat", "slice",
         "substring", "substr", "filter", "padStart", "padEnd", "toSorted", "toReversed",
         "flat", "split", "includes", "indexOf", "startsWith", "endsWith", "toFixed",
         "toString", "repeat", "join", "digest", "map", "flatMap", "toJSON", "at", "values",
         "entries", "keys"),
        0,
    ),
    "replace": 2,
    "replaceAll": 2,
}  # fmt: skip
PURE_SCRIPT_FUNCTIONS = frozenset(
    {"Object.keys", "Object.entries", "Object.values", "JSON.stringify", "Math.max", "Math.min",
     "Math.round", "Math.floor", "parseInt", "parseFloat", "encodeURIComponent", "Array.from",
     "structuredClone", "Object.fromEntries", "JSON.parse", "readFileSync", "fs.readFileSync",
     "readFile", "String", "Number", "Boolean"}
)  # fmt: skip
_VALUES = frozenset(
    {"identifier", "attribute", "member_expression", "subscript", "subscript_expression",
     "binary_operator", "binary_expression", "boolean_operator", "comparison_operator",
     "not_operator", "unary_operator", "list", "dictionary", "set", "tuple", "array", "object",
     "conditional_expression", "ternary_expression", "list_comprehension", "integer", "float",
     "set_comprehension", "dictionary_comprehension", "number", "true", "false", "none", "null",
     "generator_expression", "template_string", "concatenated_string", "parenthesized_expression",
     "new_expression", "arrow_function", "lambda", "expression_list", "unary_expression"}
)  # fmt: skip


@sign("missing-return", *PYTHON, *SCRIPT)
def missing_return(scene: Scene) -> Iterator[Node]:
    """Yield the last statement of functions that ought to give a value and do not."""
    used: set[int] | None = None
    for function in scene.all(
        "function_definition", "function_declaration", "method_definition", "arrow_function",
        "function_expression",
    ):  # fmt: skip
        body = function.child("body")
        if body is None or body.kind not in ("block", "statement_block"):
            continue
        scope = scene.scope(function)
        if next(scope.own("yield", "yield_expression"), None) is not None:
            continue
        ends = [end for end in _tails(body) if end.kind == "expression_statement"]
        ends = [end for end in ends if end.children and not _is_prose(end.children[0])]
        # In a `try`, `self[key]` is there for the error it may raise.
        ends = [end for end in ends if not _is_in_try(end, function)]
        values = [end for end in ends if bare_kind(end) in _VALUES]
        if values:
            yield from values
            continue
        ends = [end for end in ends if _may_be_value(scene, end)]
        if not ends:
            continue
        if used is None:
            used = used_functions(scene)
        if (
            has_value_elsewhere(scope.returned)
            or promises_value(function)
            or (not scope.returned and (id(function) in used or is_value_callback(function)))
        ):
            yield from ends


def bare_kind(statement: Node) -> str:
    """Return the kind of the expression that a statement consists of."""
    inner = statement.children[0]
    if inner.kind == "new_expression" or inner.text.startswith(("void ", "delete ")):
        return ""
    if inner.kind in ("binary_expression", "boolean_operator") and _joins(inner):
        # `a && f()` is an `if` in short.
        right = bare(inner.child("right"))
        if right is None or right.kind in CALLS or right.kind not in _VALUES:
            return ""
    return inner.kind


def _joins(node: Node) -> bool:
    operator = node.child("operator")
    return operator is not None and operator.kind in ("&&", "||", "??")


def _is_prose(node: Node) -> bool:
    return node.kind in ("string", "ellipsis", "yield", "yield_expression")


def _is_in_try(node: Node, function: Node) -> bool:
    for outer in node.ancestors():
        if outer is function:
            return False
        if outer.kind == "try_statement":
            return True
    return False


def _may_be_value(scene: Scene, statement: Node) -> bool:
    """Whether a statement is a call that surely gives a value."""
    inner: Node | None = statement.children[0]
    if inner.kind in ("await", "await_expression"):
        inner = inner.children[0] if inner.children else None
    if inner is None or inner.kind not in CALLS:
        return False
    last, name = called_name(inner), callee(inner)
    one = scene.definitions.of_call(inner)
    if one is not None:
        if one.node.kind in CLASSES:
            return True
        body = one.node.child("body")
        ends = list(_tails(body)) if body is not None and _is_block(one.node) else []
        if any(end.kind == "expression_statement" for end in ends):
            # What is called falls off its own end as well: `pen()` asks, and `pen(3)` sets.
            return False
        return has_value_elsewhere(scene.scope(one.node).returned) or (
            one.node.child("body") is not None
            and one.node.kind == "arrow_function"
            and one.node.child("body") is not None
            and not _is_block(one.node)
        )
    pure = PURE if scene.language_id == "python" else PURE_SCRIPT
    functions = PURE_FUNCTIONS if scene.language_id == "python" else PURE_SCRIPT_FUNCTIONS
    if receiver(inner) is not None and last in pure:
        return True
    if name in functions or GIVING.match(name):
        return True
    # Of what is known elsewhere only the name tells.
    return last not in FOR_EFFECT and GIVING_NAME.match(last) is not None


def _is_block(function: Node) -> bool:
    body = function.child("body")
    return body is not None and body.kind in ("block", "statement_block")


def _tails(body: Node) -> Iterator[Node]:
    """Yield the last statements of a block, and of the branches that it ends with."""
    stack = [body]
    while stack:
        block = stack.pop()
        statements = [one for one in block.children if one.kind != "comment"]
        if not statements:
            continue
        last = statements[-1]
        match last.kind:
            case "if_statement":
                parts = [last.child("consequence")]
                parts += [
                    one.child("consequence") or one.child("body") or one
                    for one in last.children
                    if one.kind in ("elif_clause", "else_clause")
                ]
                # Without an `else` the function is left when nothing applies: that may be meant.
                if any(one.kind == "else_clause" for one in last.children):
                    stack += [part for part in parts if part is not None]
            case "with_statement" | "statement_block" | "else_clause":
                inner = last.child("body") or last
                stack.append(inner)
            case "try_statement":
                body_ = last.child("body")
                if body_ is not None:
                    stack.append(body_)
            case _:
                yield last
