"""Signs of values that are thrown away."""

from collections.abc import Iterator

from sirdab.review.calls import name_of
from sirdab.review.signs.look import (
    MEMBERS,
    NAMES,
    SCOPES,
    arguments,
    called_name,
    callee,
    is_statement,
    receiver,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.returns import PURE, PURE_FUNCTIONS, PURE_SCRIPT, PURE_SCRIPT_FUNCTIONS
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node

# What a text or a set can do.
_OF_TEXTS = frozenset({*dir(str), *dir(bytes), *dir(set)})
_SIDE_EFFECTS = frozenset({"console", "process", "await", "assert", "expect"})


@sign("ignored-result", *PYTHON)
def ignored_result(scene: Scene) -> Iterator[Node]:
    """Yield calls that only compute something, and whose value nobody takes."""
    for call in scene.all("call"):
        if not is_statement(call):
            continue
        if _is_tried(call):
            # Who tries a conversion wants its error.
            continue
        name, last = callee(call), called_name(call)
        if (name in PURE_FUNCTIONS and name == last and name != "filter") or (
            receiver(call) is not None and name in PURE_FUNCTIONS
        ):
            yield call
        elif (on := receiver(call)) is not None and last in PURE:
            if on.text in ("os", "shutil", "Path", "self", "cls"):
                # Methods of one's own are named alike.
                continue
            # Dates have `replace` as well, and more than that.
            other = last in _OF_TEXTS and last != "replace" and _is_no_text(scene, on)
            if other or (last == "sub" and _calls_back(scene, call)):
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


def _is_no_text(scene: Scene, on: Node) -> bool:
    """Whether something is asked of a name that neither a text nor a set has."""
    if on.kind not in NAMES:
        return False
    return any(
        (outer := mention.parent) is not None
        and outer.kind in MEMBERS
        and mention.field == "object"
        and _is_called(outer)
        and outer.text.rpartition(".")[2] not in _OF_TEXTS
        for mention in scene.scope(on).mentions(on.text)
    )


def _is_called(member: Node) -> bool:
    """Whether an attribute is a method that is called."""
    return member.field == "function" and member.parent is not None


def _calls_back(scene: Scene, call: Node) -> bool:
    """Whether `re.sub` is given a function, which may do more than to answer."""
    given = arguments(call)[:2]
    functions = {name_of(one) for one in scene.functions}
    return any(one.kind == "lambda" or one.text in functions for one in given)
