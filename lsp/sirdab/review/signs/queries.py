"""Signs of queries and requests that a loop makes once for each item."""

import re
from collections.abc import Iterator

from sirdab.review.signs.kinds import is_constant
from sirdab.review.signs.look import (
    CALLS,
    NAMES,
    arguments,
    called_name,
    callee,
    function_of,
    loop_names,
    loop_of,
    receiver,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node

_QUERIES = frozenset(
    {"execute", "executemany", "query", "fetch_one", "fetch_all", "fetchrow", "fetchval",
     "find_one", "findOne", "findUnique", "findFirst", "findById", "findByPk", "get_or_create",
     "update_or_create", "scalar", "scalars"}
)  # fmt: skip
_DATABASE = re.compile(
    r"(?i)(^|[._])(db|conn(ection)?|cur(sor)?|database|session|engine|pool|client|tx|transaction|"
    r"store|knex|prisma|sequelize|repo(sitory)?|sql(ite)?|pg|mysql|objects|model)\w*$"
)
_NO_DATABASE = re.compile(r"(?i)(executor|command|task|plan|parser|runner|selector)$")
_REQUESTS = re.compile(
    r"^(requests|httpx|axios|got)\.(get|post|put|head|request|delete|patch)$|"
    r"^(fetch|urlopen|urllib\.request\.urlopen)$"
)


@sign("query-in-loop", *PYTHON, *SCRIPT)
def query_in_loop(scene: Scene) -> Iterator[Node]:
    """Yield queries and requests that a loop makes once for each item."""
    for call in scene.calls:
        loop = loop_of(call)
        if loop is None or loop.kind in ("while_statement", "do_statement") or _is_retry(loop):
            continue
        if not (_is_query(call) or _calls_query(scene, call)):
            continue
        if _is_schema(call, loop):
            continue
        yield call


def _is_query(call: Node) -> bool:
    if _REQUESTS.match(callee(call)):
        return True
    on, last = receiver(call), called_name(call)
    if on is None or (last not in _QUERIES and not _is_getter(call, on)):
        return False
    while on.kind in CALLS and (inner := receiver(on)) is not None:
        on = inner
    return bool(_DATABASE.search(on.text)) and not _NO_DATABASE.search(on.text)


def _is_getter(call: Node, on: Node) -> bool:
    """Whether it is `Model.objects.get(...)` or `session.get(...)`."""
    last = called_name(call)
    if on.text.endswith(".objects"):
        return last in ("get", "filter", "create", "first")
    return False


def _calls_query(scene: Scene, call: Node) -> bool:
    one = scene.definitions.of_call(call)
    if one is None or one.node is function_of(call):
        return False
    return any(
        _is_query(inner) and called_name(inner) != "executemany"
        for inner in scene.scope(one.node).own(*CALLS)
    )


def _is_retry(loop: Node) -> bool:
    """Whether a loop only tries the same again: `for attempt in range(3)`."""
    right = loop.child("right")
    if right is None or right.kind != "call" or callee(right) != "range":
        return False
    left = loop.child("left")
    name = left.text if left is not None else ""
    return name == "_" or re.search(r"(?i)attempt|retry|tries|try", name) is not None


def _is_schema(call: Node, loop: Node) -> bool:
    """Whether a loop goes over a few statements that are written out."""
    right = loop.child("right")
    if right is None:
        return False
    if is_constant(right):
        return True
    given = arguments(call)
    whole = bool(given) and given[0].kind in NAMES and given[0].text in loop_names(loop)
    return whole and len(given) == 1
