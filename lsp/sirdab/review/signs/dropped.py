"""Signs of paths that are made absolute as if to be checked, and then are not."""

import re
from collections.abc import Iterator

from sirdab.review.signs.look import (
    CALLS,
    MEMBERS,
    NAMES,
    arguments,
    bare,
    called_name,
    callee,
    function_of,
    parameter_name,
    parameters_of,
    receiver,
)
from sirdab.review.signs.paths import CONTAINING
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node

_ROOT = re.compile(
    r"(?i)(^|_|\.)(root|base|folder|directory|public|uploads?|static|storage|media|sandbox)"
    r"(_?(dir|folder|path|root))?$"
)
_NAMED = re.compile(r"(?i)(^|_)(name|file_?name|rel(ative)?(_?path)?|key|requested(_path)?)$")
_ANSWERS = frozenset({"res", "response", "reply"})
_READS = frozenset({"open", "createReadStream", "readFile", "readFileSync", "sendFile", "read_text",
                    "read_bytes"})  # fmt: skip


@sign("path-traversal", *PYTHON)
def resolved(scene: Scene) -> Iterator[Node]:
    """Yield `(root / name).resolve()` that is opened or returned, and compared with nothing."""
    for call in scene.all("call"):
        if called_name(call) != "resolve" or arguments(call):
            continue
        joined = bare(receiver(call))
        if joined is None or joined.kind != "binary_operator":
            continue
        operator, left, right = (
            joined.child("operator"),
            joined.child("left"),
            joined.child("right"),
        )
        if operator is None or operator.kind != "/" or left is None or right is None:
            continue
        while left.kind == "binary_operator" and (inner := left.child("left")) is not None:
            left = inner
        if _is_part(scene, right, call) and _is_root(scene, left) and _is_let_go(scene, call):
            yield call


@sign("path-traversal", *SCRIPT)
def resolved_script(scene: Scene) -> Iterator[Node]:
    """Yield `path.resolve(root, name)` that is sent or returned, and compared with nothing."""
    for call in scene.all("call_expression"):
        given = arguments(call)
        if callee(call) not in ("path.resolve", "path.join", "resolve", "join") or len(given) != 2:
            continue
        if not _is_part(scene, given[1], call) or not _is_let_go(scene, call):
            continue
        function = function_of(call)
        given_to = [] if function is None else parameters_of(function)
        names = {parameter_name(one) for one in given_to}
        answers = bool(names & _ANSWERS) and _is_root(scene, given[0])
        if answers or _is_made_absolute(scene, given[0]):
            yield call


def _is_part(scene: Scene, node: Node, at: Node) -> bool:
    """Whether a part of a path is a parameter that names a file."""
    return (
        node.kind in NAMES
        and _NAMED.search(node.text) is not None
        and scene.parameter(node.text, at) is not None
    )


def _is_root(scene: Scene, node: Node) -> bool:
    """Whether a path is that of a folder that others have to stay in, by its name or its making."""
    if node.kind not in NAMES and node.kind not in MEMBERS:
        return False
    return _ROOT.search(node.text) is not None or _is_made_absolute(scene, node)


def _is_made_absolute(scene: Scene, node: Node) -> bool:
    """Whether a folder that was given is made absolute, which only a comparison needs."""
    if node.kind not in NAMES or _ROOT.search(node.text) is None:
        return False
    return any(
        one.value is not None
        and one.value.kind in CALLS
        and called_name(one.value) in ("resolve", "realpath")
        and bool(receiver(one.value))
        for one in scene.given(node.text, node)
    )


def _is_let_go(scene: Scene, call: Node) -> bool:
    """Whether the path is returned or read, in a function that compares no paths."""
    function = function_of(call)
    if function is None or CONTAINING.search(function.text):
        return False
    outer = call.parent
    if outer is None or outer.kind not in ("assignment", "variable_declarator"):
        return outer is not None and outer.kind == "return_statement"
    target = outer.child("left") or outer.child("name")
    if target is None or target.kind not in NAMES:
        return False
    for mention in scene.scope(call).mentions(target.text):
        holder = mention.parent
        if holder is None or mention is target:
            continue
        if holder.kind == "return_statement":
            return True
        if holder.kind in ("argument_list", "arguments") and holder.parent is not None:
            return called_name(holder.parent) in _READS
        if holder.kind in MEMBERS:
            return holder.text.rpartition(".")[2] in _READS
    return False
