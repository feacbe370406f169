"""Signs of functions that are made in a loop and kept beyond its round."""

import re
from collections.abc import Iterator

from sirdab.review.signs.look import (
    BLOCKS,
    CALLS,
    LOOPS,
    NAMES,
    REPEATING,
    called_name,
    loop_names,
    loop_of,
    names_in,
    parameters_of,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node

_KEEPING = frozenset({"append", "add", "connect", "register", "bind", "insert", "extend", "push",
                      "setTimeout", "setInterval", "addEventListener", "on", "once", "put",
                      "call_later", "call_soon", "submit", "Thread", "Timer", "add_done_callback",
                      "setdefault", "then", "partial", "subscribe", "Button", "schedule",
                      "requestAnimationFrame", "nextTick", "setImmediate"})  # fmt: skip
_KEEPS = re.compile(
    r"^(later|defer\w*|after|schedule\w*|register\w*|add_?[a-zA-Z]*|on_[a-z]\w*|"
    r"on[A-Z]\w*|enqueue\w*|subscribe\w*|set_?[cC]allback)$"
)


@sign("late-binding", *PYTHON)
def late_binding(scene: Scene) -> Iterator[Node]:
    """Yield functions made in a loop, kept, and reading what the loop changes."""
    for function in scene.all("lambda", "function_definition"):
        loop = loop_of(function)
        if loop is None or loop.kind in CALLS:
            continue
        changed = changed_names(scene, loop)
        body = function.child("body")
        own = {name for one in parameters_of(function) for name in _parameter_names(one)}
        if body is None or not _reads(scene, function, body, changed - own):
            continue
        if function.kind == "lambda":
            if _is_kept(function, loop):
                yield function
        else:
            name = function.child("name")
            if name is not None and _is_name_kept(name.text, function, loop):
                yield function


@sign("late-binding", *SCRIPT)
def late_binding_var(scene: Scene) -> Iterator[Node]:
    """Yield functions in a loop that read a `var` of it: there is one for all rounds."""
    for loop in scene.all("for_statement", "for_in_statement"):
        holder = loop.child("initializer") if loop.kind == "for_statement" else loop
        if holder is None or not (holder.kind == "variable_declaration" or holder.has_word("var")):
            continue
        names = {
            name
            for one in ([holder.child("left")] if holder is loop else holder.children)
            for name in (names_in(one) if one is not None else ())
        }
        body = loop.child("body")
        for function in body.walk() if body is not None else ():
            if function.kind in ("arrow_function", "function_expression", "function_declaration"):
                holder_ = function.parent
                call = holder_.parent if holder_ is not None else None
                if call is not None and call.kind in CALLS and called_name(call) in REPEATING:
                    continue
                inner = function.child("body")
                if inner is not None and names & set(names_in(inner)):
                    yield function


def changed_names(scene: Scene, loop: Node) -> set[str]:
    """Return the names that get another value in each round."""
    names = loop_names(loop)
    for name, given in scene.scope(loop).assigned.items():
        if any(loop.holds(one.target) for one in given) and "." not in name:
            names.add(name)
    return names


def _parameter_names(parameter: Node) -> set[str]:
    name = parameter.child("name")
    return {name.text} if name is not None else set(names_in(parameter))


def _reads(scene: Scene, function: Node, body: Node, names: set[str]) -> bool:
    own = set(scene.scope(function).assigned)
    return bool((names - own) & set(names_in(body)))


def _is_kept(function: Node, loop: Node) -> bool:
    """Whether a function outlives the round: it is put somewhere or given to somebody who may."""
    outer, node = function.parent, function
    while outer is not None and outer is not loop:
        if outer.kind in ("keyword_argument", "pair"):
            name = outer.child("name")
            if name is not None and name.text in ("key", "default", "cmp"):
                return False
        elif outer.kind in CALLS:
            if node.field == "function":
                return False
            name_ = called_name(outer)
            return name_ in _KEEPING or _KEEPS.match(name_) is not None
        elif outer.kind in ("assignment", "assignment_expression"):
            left = outer.child("left")
            return left is not None and left.kind not in NAMES
        elif outer.kind in BLOCKS or outer.kind == "return_statement":
            return False
        node, outer = outer, outer.parent
    return outer is loop and loop.kind not in LOOPS


def _is_name_kept(name: str, function: Node, loop: Node) -> bool:
    for node in loop.walk():
        if node.kind in NAMES and node.text == name and not function.holds(node):
            outer = node.parent
            if outer is None:
                continue
            if outer.kind in ("argument_list", "arguments", "list", "keyword_argument"):
                call = outer.parent if outer.kind != "keyword_argument" else None
                if call is None or called_name(call) in _KEEPING:
                    return True
            if outer.kind == "assignment" and node.field == "right":
                left = outer.child("left")
                return left is not None and left.kind not in NAMES
    return False
