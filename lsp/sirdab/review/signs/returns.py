"""Signs of functions that do not return what they have computed."""

import re
from collections.abc import Iterator

from sirdab.review.calls import CLASSES
from sirdab.review.signs.look import (
    CALLS,
    REPEATING,
    arguments,
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
# Calls of these get a function whose value they use.
_USES_VALUE = REPEATING - {"forEach"} | {"then", "sort", "toSorted", "replace", "from"}
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
            used = _used_functions(scene)
        if (
            _has_value_elsewhere(scope.returned)
            or _promises_value(function)
            or (not scope.returned and (id(function) in used or _is_value_callback(function)))
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
        return _has_value_elsewhere(scene.scope(one.node).returned) or (
            one.node.child("body") is not None
            and one.node.kind == "arrow_function"
            and one.node.child("body") is not None
            and not _is_block(one.node)
        )
    pure = PURE if scene.language_id == "python" else PURE_SCRIPT
    functions = PURE_FUNCTIONS if scene.language_id == "python" else PURE_SCRIPT_FUNCTIONS
    if receiver(inner) is not None and last in pure:
        return True
    if name in functions or _GIVING.match(name):
        return True
    # Of what is known elsewhere only the name tells.
    return last not in _FOR_EFFECT and _GIVING_NAME.match(last) is not None


def _is_block(function: Node) -> bool:
    body = function.child("body")
    return body is not None and body.kind in ("block", "statement_block")


_GIVING = re.compile(
    r"^(math|re|json|os\.path|statistics|copy|itertools|functools|operator|hashlib|"
    r"hmac|secrets|html|base64|Math|Object|Array|JSON|Number|String|path|Buffer)\."
    r"(?!Error|assign$|defineProperty)|^(next|getattr|isinstance|any|all|int|float|"
    r"bool|tuple|frozenset|divmod|pow|hash|open|range|map|filter|ord|chr)$"
)
_GIVING_NAME = re.compile(
    r"^(get|fetchone|fetchall|fetch|find\w*|is_?[a-zA-Z]\w*|has_?[a-zA-Z]\w*|to_?[a-zA-Z]\w*|"
    r"compute\w*|calculate\w*|join|read_text|read|hexdigest|digest|"
    r"compare_digest|timingSafeEqual|group|fromEntries|toString|count|index|"
    r"parse\w*|build\w*|make[A-Z_]\w*|create[A-Z_]?\w*|load\w*|isclose|items|json)$"
)
_FOR_EFFECT = frozenset(
    {"append", "add", "extend", "update", "print", "close", "sort", "remove", "clear", "exit",
     "insert", "write", "info", "debug", "warning", "error", "exception", "log", "warn", "push",
     "forEach", "emit", "dispatch", "setdefault", "discard", "put", "fail", "raise_for_status",
     "commit", "flush", "unshift", "notify", "notify_all", "release", "acquire", "start", "stop",
     "__init__", "super", "__setattr__", "setattr", "delattr", "splice", "set", "delete", "next",
     "resolve", "reject", "callback", "cb", "done", "end", "abort", "abort_", "unlink", "mkdir",
     "echo", "secho", "send", "sendall", "put_nowait", "popleft", "pop", "reverse", "kill",
     "terminate", "cancel", "set_result", "set_exception", "sleep", "join", "wait", "expect"}
)  # fmt: skip


def _has_value_elsewhere(returned: list[Node]) -> bool:
    nothing = ("none", "null", "undefined")
    values = [bare(node.children[0]) for node in returned]
    return any(value is not None and value.kind not in nothing for value in values)


def _promises_value(function: Node) -> bool:
    """Whether the annotation of a function says that it gives a value."""
    result = function.child("return_type")
    if result is None:
        return False
    text = result.text.removeprefix(":").removeprefix("->").strip().strip("\"'")
    for nothing in ("None", "void", "undefined", "never", "NoReturn", "Never", "any", "Any",
                    "object", "asserts", "this", "Iterator", "Generator", "AsyncIterator",
                    "Promise<void>", "Promise<any>", "unknown"):  # fmt: skip
        if text == nothing or text.startswith((f"{nothing}[", "typing.NoReturn", "asserts ")):
            return False
    return "None" not in text and "undefined" not in text and "void" not in text


def _is_value_callback(function: Node) -> bool:
    """Whether a function is given to something that uses its value, such as `map`."""
    holder = function.parent
    call = holder.parent if holder is not None and holder.kind == "arguments" else None
    return (
        call is not None
        and call.kind in CALLS
        and called_name(call) in _USES_VALUE
        and arguments(call)[:1] == [function]
        and called_name(call) != "then"
    )


def _used_functions(scene: Scene) -> set[int]:
    """Return the functions of the document whose value is taken somewhere in it."""
    found: set[int] = set()
    for call in scene.calls:
        outer = call.parent
        if outer is not None and outer.kind in ("await", "await_expression"):
            outer = outer.parent
        if outer is None or outer.kind in (
            "expression_statement", "argument_list", "arguments", "return_statement",
            "arrow_function", "lambda",
        ):  # fmt: skip
            continue
        one = scene.definitions.of_call(call)
        if one is not None:
            found.add(id(one.node))
    return found


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
