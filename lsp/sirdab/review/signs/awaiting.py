"""Signs of coroutines and promises that nobody waits for."""

import re
from collections.abc import Iterator

from sirdab.review.signs.look import (
    AWAITS,
    CALLS,
    NAMES,
    called_name,
    callee,
    function_of,
    is_awaited,
    is_statement,
    receiver,
    target_of,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node

_COROUTINES = frozenset(
    {"asyncio.sleep", "asyncio.gather", "asyncio.wait", "asyncio.wait_for", "asyncio.to_thread",
     "asyncio.open_connection", "asyncio.create_subprocess_exec"}
)  # fmt: skip
_PROMISES = frozenset({"fetch", "setTimeoutAsync", "Promise.all", "Promise.allSettled"})
_PROMISING = re.compile(r"^(fs\.promises|fsp|fsPromises)\.\w+$|Async$")
_THEN = frozenset({"then", "catch", "finally"})


def is_asynchronous(function: Node | None) -> bool:
    """Whether a function is declared asynchronous."""
    return function is not None and function.has_word("async")


@sign("missing-await", *PYTHON, *SCRIPT)
def missing_await(scene: Scene) -> Iterator[Node]:
    """Yield the calls of asynchronous functions whose value is not waited for."""
    python = scene.language_id == "python"
    awaited = {
        callee(node.children[0])
        for node in scene.all(*AWAITS)
        if node.children and node.children[0].kind in CALLS
    }
    promised: set[str] = set() if python else _promised_names(scene)
    for call in scene.calls:
        function = function_of(call)
        if is_awaited(call) or not is_asynchronous(function):
            continue
        name = callee(call)
        if python:
            known = name in _COROUTINES or _is_coroutine(scene, call)
        else:
            known = (
                name in _PROMISES
                or name in promised
                or name.endswith(".fetch")
                or bool(_PROMISING.search(name))
                or _is_coroutine(scene, call)
            )
            known = known or _is_body_of_answer(scene, call)
        if not known and not _is_elsewhere_awaited(scene, call, awaited):
            continue
        if is_statement(call) or _is_taken_for_value(scene, call):
            yield call


def _promised_names(scene: Scene) -> set[str]:
    """Return the names of functions that surely give promises, by where they come from."""
    found: set[str] = set()
    for node in scene.all("import_statement"):
        source = node.child("source")
        if source is not None and source.text.strip("\"'").endswith("/promises"):
            clause = node.first("import_clause")
            for one in clause.walk() if clause is not None else ():
                if one.kind == "import_specifier":
                    named = one.child("alias") or one.child("name")
                    found.add(named.text if named is not None else "")
    for node in scene.all("variable_declarator"):
        value, name = node.child("value"), node.child("name")
        if value is None or name is None or value.kind != "call_expression":
            continue
        if called_name(value) == "promisify":
            found.add(name.text)
    return found


_NEVER_AWAITED = frozenset(
    {"write", "close", "cancel", "set", "append", "task_done", "put_nowait", "get_nowait", "clear",
     "release", "info", "debug", "warning", "error", "exception", "log", "add", "remove", "update",
     "on", "emit", "push", "done", "result", "is_set", "locked", "add_done_callback", "is_closing",
     "setdefault", "pop", "get_extra_info", "writelines", "feed_data", "feed_eof", "abort",
     "removeListener", "addListener", "once", "off", "dispose", "unref", "ref", "resume", "pause",
     "setTimeout", "setsockopt", "destroy", "terminate", "kill", "extend", "insert", "discard",
     "sort", "start"}
)  # fmt: skip


def _is_elsewhere_awaited(scene: Scene, call: Node, awaited: set[str]) -> bool:
    """Whether a call is awaited elsewhere; or other methods of its object, if it stands alone."""
    name, on = callee(call), receiver(call)
    if on is None or on.text in ("self", "this", "cls", "super()"):
        # Methods of the document are known by their definitions.
        return False
    if name in awaited:
        return is_statement(call) or _is_taken_for_value(scene, call)
    if not is_statement(call):
        return False
    if (
        on.kind not in NAMES
        or called_name(call) in _NEVER_AWAITED
        or on.text in ("loop", "asyncio")
    ):
        return False
    if called_name(call).startswith(("_", "call_", "set", "add_", "pause_", "resume_", "get_")):
        return False
    return any(other.startswith(f"{on.text}.") for other in awaited)


_OWN = ("self.", "this.", "cls.")


def _is_coroutine(scene: Scene, call: Node) -> bool:
    one = scene.definitions.of_call(call)
    if one is None:
        return False
    result = one.node.child("return_type")
    promises = result is not None and re.match(r":\s*Promise<", result.text) is not None
    if not promises and not is_asynchronous(one.node):
        return False
    if one.owner and one.name in _NEVER_AWAITED and not callee(call).startswith(_OWN):
        # What others have under such a name is mostly no coroutine.
        return False
    # A generator is gone through, not awaited; and a decorator may make anything of a function.
    if next(scene.scope(one.node).own("yield"), None) is not None:
        return False
    outer = one.node.parent
    return outer is None or outer.kind != "decorated_definition"


def _is_body_of_answer(scene: Scene, call: Node) -> bool:
    """Whether a call reads the body of a `Response` of `fetch`."""
    on = receiver(call)
    if on is None or on.kind not in NAMES or called_name(call) not in ("json", "text", "blob"):
        return False
    return any(
        one.value is not None and one.value.kind in AWAITS and "fetch(" in one.value.text
        for one in scene.given(on.text, call)
    )


# What is done with values, and never with something that is still to come.
_VALUES = frozenset(
    {"comparison_operator", "not_operator", "subscript", "subscript_expression", "binary_operator",
     "binary_expression", "template_substitution", "interpolation"}
)  # fmt: skip


def _is_taken_for_value(scene: Scene, call: Node) -> bool:
    """Whether something is done with a coroutine or promise that only its value can do."""
    outer, node = call.parent, call
    while outer is not None and outer.kind == "parenthesized_expression":
        node, outer = outer, outer.parent
    if outer is None:
        return False
    if outer.kind in ("attribute", "member_expression"):
        return outer.text.rpartition(".")[2] not in _THEN
    if outer.kind == "unary_expression":
        # `void f()` says that nobody waits.
        return outer.text.startswith("!")
    if outer.kind in _VALUES or node.field == "condition" or outer.kind == "for_in_clause":
        return True
    if outer.kind in ("for_statement", "for_in_statement"):
        return node.field == "right" and not outer.has_word("await")
    target = target_of(node)
    if target is None:
        return False
    if target.kind not in NAMES and target.kind != "identifier":
        return target.kind in ("pattern_list", "tuple_pattern", "object_pattern", "array_pattern")
    return _is_name_taken_for_value(scene, call, target)


def _is_name_taken_for_value(scene: Scene, call: Node, target: Node) -> bool:
    """Whether a name that keeps a coroutine or promise is only ever used as if it were a value.

    Where it is awaited, given to somebody or returned, it is kept for later.
    """
    taken = False
    for mention in scene.scope(call).mentions(target.text):
        around = mention.parent
        if mention.start <= call.start or around is None:
            continue
        if around.kind in AWAITS:
            return False
        if around.kind in ("argument_list", "arguments"):
            if not _is_plain_value(around):
                return False
            taken = True
        elif around.kind in ("attribute", "member_expression"):
            if around.text.rpartition(".")[2] in (*_THEN, "cancel", "done", "add_done_callback"):
                return False
            taken = taken or mention.field == "object"
        elif around.kind in _VALUES or (
            mention.field == "right" and around.kind in ("for_statement", "for_in_statement")
        ):
            taken = True
        elif mention.field != "left":
            return False
    return taken


# What is given a coroutine or promise to wait for it, or to keep it for somebody who will.
_WAITING = re.compile(
    r"(?i)task|spawn|gather|wait|run|submit|sched|append|add|put|shield|future|"
    r"start|push|all|race|any|then|resolve|return|await|async|track|join|collect"
)


def _is_plain_value(holder: Node) -> bool:
    """Whether a call takes values, not promises: `len(x)`, `str(x)`, `await store(x)`."""
    call = holder.parent
    if holder.kind not in ("argument_list", "arguments") or call is None:
        return False
    if is_awaited(call) and not _WAITING.search(called_name(call)):
        return True
    return callee(call) in {"len", "str", "int", "float", "sorted", "sum", "list", "print",
                            "json.dumps", "JSON.stringify", "console.log", "isinstance", "zip",
                            "dict", "set", "tuple", "enumerate", "any", "all", "min", "max",
                            "json.loads", "JSON.parse", "map", "bytes", "repr"}  # fmt: skip
