"""Signs of asynchronous code that waits in the wrong way."""

import re
from collections.abc import Iterator

from sirdab.review.signs.awaiting import is_asynchronous
from sirdab.review.signs.look import (
    AWAITS,
    CALLS,
    arguments,
    called_name,
    callee,
    function_of,
    is_awaited,
    is_statement,
    loop_names,
    loop_of,
    names_in,
    receiver,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node

_TAKES_TASKS = frozenset({"create_task", "ensure_future"})
_BLOCKING = re.compile(
    r"^(time\.sleep|requests\.\w+|urllib\.request\.urlopen|urlopen|input|os\.system|os\.popen|"
    r"subprocess\.(run|call|check_call|check_output|getoutput)|socket\.create_connection|"
    r"socket\.gethostbyname|socket\.getaddrinfo|shutil\.(copy\w*|move|rmtree|make_archive)|"
    r"sqlite3\.connect|open|io\.open|gzip\.open|httpx\.(get|post|put|delete|request)|"
    r"(fs\.)?\w+Sync|execSync|spawnSync)$"
)
_BLOCKING_METHODS = frozenset({"read_text", "write_text", "read_bytes", "write_bytes"})


@sign("lost-task", *PYTHON)
def lost_task(scene: Scene) -> Iterator[Node]:
    """Yield the tasks that nobody keeps: the event loop holds them only weakly."""
    for call in scene.all("call"):
        if called_name(call) not in _TAKES_TASKS or not is_statement(call):
            continue
        on = receiver(call)
        if on is not None and on.text.rpartition(".")[2] in ("tg", "group", "task_group", "tasks"):
            continue
        yield call


@sign("blocking-call", *PYTHON, *SCRIPT)
def blocking_call(scene: Scene) -> Iterator[Node]:
    """Yield calls in asynchronous functions during which nothing else can run."""
    for call in scene.calls:
        function = function_of(call)
        if not is_asynchronous(function) or is_awaited(call):
            continue
        if _is_blocking(call):
            yield call.child("function") or call
            continue
        one = scene.definitions.of_call(call)
        if one is None or is_asynchronous(one.node) or one.node is function:
            continue
        if any(_is_blocking(inner) for inner in scene.scope(one.node).own(*CALLS)):
            yield call.child("function") or call


def _is_blocking(call: Node) -> bool:
    if _BLOCKING.match(callee(call)):
        return True
    return called_name(call) in _BLOCKING_METHODS and receiver(call) is not None


@sign("async-foreach", *SCRIPT)
def async_foreach(scene: Scene) -> Iterator[Node]:
    """Yield array methods that take an asynchronous function and do not wait for it."""
    for call in scene.all("call_expression"):
        if called_name(call) not in ("forEach", "filter", "some", "every", "find", "sort"):
            continue
        given = arguments(call)
        if (
            given
            and given[0].kind in ("arrow_function", "function_expression")
            and (is_asynchronous(given[0]))
        ):
            yield call


@sign("sequential-await", *PYTHON, *SCRIPT)
def sequential_await(scene: Scene) -> Iterator[Node]:
    """Yield awaits in a loop, one after the other, that do not need each other's results."""
    for node in scene.all(*AWAITS):
        loop = loop_of(node)
        if loop is None or loop.has_word("await") or loop.kind in CALLS:
            continue
        if loop.kind in ("while_statement", "do_statement", "generator_expression"):
            continue
        names = loop_names(loop)
        if not node.children or node.children[0].kind not in CALLS:
            continue
        if names & set(names_in(node)) and _is_collected(loop):
            yield node


def _is_collected(loop: Node) -> bool:
    """Whether a loop does nothing but gather what it awaits."""
    body = loop.child("body")
    if loop.kind not in ("for_statement", "for_in_statement"):
        return not any(one.kind == "if_clause" for one in loop.children)
    if body is None or len([one for one in body.children if one.kind != "comment"]) > 2:
        return False
    return any(
        inner.kind in CALLS and called_name(inner) in ("append", "push", "add")
        for inner in body.walk()
    ) and not any(
        inner.kind in ("return_statement", "break_statement", "if_statement", "try_statement")
        for inner in body.walk()
    )
