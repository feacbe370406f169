"""Whether a function is there to give a value, by its name, its callers and its other ways."""

import re

from sirdab.review.signs.look import (
    CALLS,
    REPEATING,
    arguments,
    bare,
    called_name,
)
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node

# Calls of these get a function whose value they use.
_USES_VALUE = REPEATING - {"forEach"} | {"then", "sort", "toSorted", "replace", "from"}


GIVING = re.compile(
    r"^(math|re|json|os\.path|statistics|copy|itertools|functools|operator|hashlib|"
    r"hmac|secrets|html|base64|Math|Object|Array|JSON|Number|String|path|Buffer)\."
    r"(?!Error|assign$|defineProperty)|^(next|getattr|isinstance|any|all|int|float|"
    r"bool|tuple|frozenset|divmod|pow|hash|open|range|map|filter|ord|chr)$"
)


GIVING_NAME = re.compile(
    r"^(get|fetchone|fetchall|fetch|find\w*|is_?[a-zA-Z]\w*|has_?[a-zA-Z]\w*|to_?[a-zA-Z]\w*|"
    r"compute\w*|calculate\w*|join|read_text|read|hexdigest|digest|"
    r"compare_digest|timingSafeEqual|group|fromEntries|toString|count|index|"
    r"parse\w*|build\w*|make[A-Z_]\w*|create[A-Z_]?\w*|load\w*|isclose|items|json)$"
)


FOR_EFFECT = frozenset(
    {"append", "add", "extend", "update", "print", "close", "sort", "remove", "clear", "exit",
     "insert", "write", "info", "debug", "warning", "error", "exception", "log", "warn", "push",
     "forEach", "emit", "dispatch", "setdefault", "discard", "put", "fail", "raise_for_status",
     "commit", "flush", "unshift", "notify", "notify_all", "release", "acquire", "start", "stop",
     "__init__", "super", "__setattr__", "setattr", "delattr", "splice", "set", "delete", "next",
     "resolve", "reject", "callback", "cb", "done", "end", "abort", "abort_", "unlink", "mkdir",
     "echo", "secho", "send", "sendall", "put_nowait", "popleft", "pop", "reverse", "kill",
     "terminate", "cancel", "set_result", "set_exception", "sleep", "join", "wait", "expect"}
)  # fmt: skip


def has_value_elsewhere(returned: list[Node]) -> bool:
    """Whether some `return` of a function gives more than None."""
    nothing = ("none", "null", "undefined")
    values = [bare(node.children[0]) for node in returned]
    return any(value is not None and value.kind not in nothing for value in values)


def promises_value(function: Node) -> bool:
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


def is_value_callback(function: Node) -> bool:
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


def used_functions(scene: Scene) -> set[int]:
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
