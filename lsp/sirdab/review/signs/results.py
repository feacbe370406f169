"""Signs of values that are thrown away."""

from collections.abc import Iterator

from sirdab.review.signs.look import SCOPES, arguments, called_name, callee, is_statement, receiver
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.returns import PURE, PURE_FUNCTIONS, PURE_SCRIPT, PURE_SCRIPT_FUNCTIONS
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node

_SIDE_EFFECTS = frozenset({"console", "process", "await", "assert", "expect"})


@sign("ignored-result", *PYTHON)
def ignored_result(scene: Scene) -> Iterator[Node]:
    """Yield calls that only compute something, and whose value nobody takes."""
    for call in scene.all("call"):
        if not is_statement(call):
            continue
        name, last = callee(call), called_name(call)
        if (name in PURE_FUNCTIONS and name == last and name != "filter") or (
            receiver(call) is not None and name in PURE_FUNCTIONS
        ):
            yield call
        elif (on := receiver(call)) is not None and last in PURE:
            if on.text in ("os", "shutil", "Path", "self", "cls") or _is_tried(call):
                # Methods of one's own are named alike; and who tries a conversion wants its error.
                continue
            if len(arguments(call)) >= PURE[last] and not (last == "title" and arguments(call)):
                yield call


def _is_tried(node: Node) -> bool:
    """Whether a node stands in the body of a `try`."""
    child = node
    for outer in node.ancestors():
        if outer.kind == "try_statement":
            return child.field == "body"
        if outer.kind in SCOPES:
            return False
        child = outer
    return False


@sign("ignored-result", *SCRIPT)
def ignored_result_script(scene: Scene) -> Iterator[Node]:
    """Yield calls that only compute something, and whose value nobody takes."""
    for call in scene.all("call_expression"):
        if not is_statement(call):
            continue
        on, last = receiver(call), called_name(call)
        if callee(call) in PURE_SCRIPT_FUNCTIONS:
            yield call
        elif on is not None and last in PURE_SCRIPT:
            root = on.text.split(".")[0].split("(")[0]
            if len(arguments(call)) >= PURE_SCRIPT[last] and root not in _SIDE_EFFECTS:
                yield call
