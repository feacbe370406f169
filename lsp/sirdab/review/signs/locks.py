"""Signs of what threads share and change without the lock."""

import re
from collections import Counter
from collections.abc import Iterator

from sirdab.review.signs.look import (
    CALLS,
    MEMBERS,
    SCOPES,
    SUBSCRIPTS,
    arguments,
    called_name,
    callee,
    function_of,
    is_statement,
    receiver,
)
from sirdab.review.signs.registry import PYTHON, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node

_LOCKS = frozenset({"Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore"})
_MUTATING = frozenset({"append", "add", "pop", "remove", "clear", "update", "extend", "insert",
                       "popitem", "setdefault", "discard", "appendleft", "popleft",
                       "move_to_end"})  # fmt: skip
_GIVING = frozenset({"pop", "popitem", "setdefault", "popleft"})
_HELD = re.compile(r"(?i)(_locked|_unlocked|_unsafe|_holding|_under_lock)$")


@sign("missing-lock", *PYTHON)
def missing_lock(scene: Scene) -> Iterator[Node]:
    """Yield uses of what a class otherwise changes only while it holds its lock."""
    for owner in scene.all("class_definition"):
        locks = _locks_of(owner)
        if locks:
            yield from _Guarded(owner, locks).left_open()


class _Guarded:
    """A class that has locks.

    Args:
        owner: The class.
        locks: Its attributes that are locks.
    """

    def __init__(self, owner: Node, locks: set[str]) -> None:
        self._locks = locks
        self._acquiring: dict[int, int] = {}
        nodes = list(owner.walk())
        calls = [node for node in nodes if node.kind in CALLS]
        for call in calls:
            on, function = receiver(call), function_of(call)
            if called_name(call) == "acquire" and on is not None and on.text in locks and function:
                self._acquiring.setdefault(id(function), call.start)
        # Where a method is called with the lock held, it is held in the method.
        self._called_inside = {
            callee(call).removeprefix("self.")
            for call in calls
            if callee(call).startswith("self.") and self._is_held(call)
        }
        # What only the constructor calls runs before anybody else knows the object.
        outside_of_making = {
            callee(call).removeprefix("self.") for call in calls if not _is_in_making(call)
        }
        self._making = {
            callee(call).removeprefix("self.") for call in calls if _is_in_making(call)
        } - outside_of_making
        self._changes = [change for node in nodes for change in _changed(node, "self.")]
        members = [node for node in nodes if node.kind in MEMBERS and node.text.startswith("self.")]
        self._open_members = [node for node in members if not self._is_held(node)]
        self._inside = {node.text for node in members if self._is_held(node)} - locks

    def left_open(self) -> Iterator[Node]:
        """Yield what is done without the lock and otherwise with it."""
        outside = [
            change
            for change in self._changes
            if not self._is_held(change[1]) and not self._is_making(change[1])
        ]
        changed_inside = Counter(name for name, node in self._changes if self._is_held(node))
        changed_outside = Counter(_methods(outside))
        for name, node in outside:
            if not self._needs_lock(node):
                continue
            mostly_held = 0 < changed_inside[name] >= changed_outside[name]
            only_read = name in self._inside and not changed_inside[name]
            if mostly_held or (_is_step(node, name) and (not self._inside or only_read)):
                yield node
        for node in self._open_members:
            if node.text in changed_inside and self._needs_lock(node) and _is_gone_through(node):
                yield node

    def _needs_lock(self, node: Node) -> bool:
        """Whether a node stands in a method in which nobody is known to hold the lock."""
        method = function_of(node)
        named = method.child("name") if method is not None else None
        if named is None or named.text.startswith("__") or _HELD.search(named.text):
            return False
        return not self._is_making(node) and named.text not in self._called_inside

    def _is_making(self, node: Node) -> bool:
        """Whether a node stands in a private method that only the constructor calls."""
        method = function_of(node)
        named = method.child("name") if method is not None else None
        return named is not None and named.text.startswith("_") and named.text in self._making

    def _is_held(self, node: Node) -> bool:
        for outer in node.ancestors():
            if outer.kind == "with_statement":
                head = outer.first("with_clause")
                if head is not None and any(one.text in self._locks for one in head.walk()):
                    return True
            elif outer.kind in SCOPES:
                return self._acquiring.get(id(outer), node.start) < node.start
        return False


def _is_in_making(call: Node) -> bool:
    method = function_of(call)
    named = method.child("name") if method is not None else None
    return named is not None and named.text == "__init__"


# What goes through all of a list or dict, and fails or lies when another thread changes it.
_COPYING = frozenset({"list", "dict", "tuple", "sorted", "set", "sum", "max", "min", "join"})
_GOING_THROUGH = frozenset({"items", "values", "keys", "copy"})


def _is_gone_through(node: Node) -> bool:
    """Whether all of a list or dict is read: `for x in xs`, `list(xs)`, `sorted(d.items())`."""
    outer = node.parent
    if outer is not None and outer.kind in MEMBERS:
        call = outer.parent
        if outer.text.rpartition(".")[2] not in _GOING_THROUGH or call is None:
            return False
        node, outer = call, call.parent
    if outer is None:
        return False
    if outer.kind == "argument_list":
        return outer.parent is not None and called_name(outer.parent) in _COPYING
    return outer.kind in ("for_statement", "for_in_clause") and node.field == "right"


def _methods(places: list[tuple[str, Node]]) -> Iterator[str]:
    """Yield each attribute once for each method that changes it, that which makes it aside."""
    known: set[tuple[str, int]] = set()
    for name, place in places:
        method = function_of(place)
        named = method.child("name") if method is not None else None
        if (
            method is None
            or named is None
            or named.text in ("__init__", "__post_init__")
            or (_HELD.search(named.text))
        ):
            continue
        if (name, id(method)) not in known:
            known.add((name, id(method)))
            yield name


def _locks_of(owner: Node) -> set[str]:
    """Return the attributes of a class that are locks of threads."""
    found: set[str] = set()
    for node in owner.walk():
        if node.kind == "assignment":
            left, right = node.child("left"), node.child("right")
            if left is None or right is None or not left.text.startswith("self."):
                continue
            made = right.kind == "call" and called_name(right) in _LOCKS and not _counts(right)
            if made and not callee(right).startswith("asyncio."):
                found.add(left.text)
    return found


def _counts(call: Node) -> bool:
    """Whether a semaphore begins at 0: it says how much there is, and keeps nobody out."""
    given = arguments(call)
    return called_name(call).endswith("Semaphore") and bool(given) and given[0].text == "0"


def _changed(node: Node, prefix: str) -> Iterator[tuple[str, Node]]:
    """Yield the attributes that a node changes by itself."""
    if node.kind in ("assignment", "augmented_assignment"):
        left = node.child("left")
        while left is not None and left.kind in SUBSCRIPTS:
            left = left.child("value")
        if left is not None and left.kind in MEMBERS and left.text.startswith(prefix):
            yield left.text, node
    elif node.kind in CALLS and called_name(node) in _MUTATING:
        if called_name(node) not in _GIVING and not is_statement(node):
            # Whose `update` gives something is no dict: it makes another object.
            return
        on = receiver(node)
        while on is not None and on.kind in SUBSCRIPTS:
            on = on.child("value")
        if on is not None and on.kind in MEMBERS and on.text.startswith(prefix):
            yield on.text, node
    elif node.kind == "delete_statement":
        for inner in node.children:
            base = inner.child("value") if inner.kind in SUBSCRIPTS else None
            if base is not None and base.text.startswith(prefix):
                yield base.text, node


def _is_step(node: Node, name: str) -> bool:
    """Whether a change reads before it writes: `self.n += 1`, `self.xs.append(x)`."""
    if node.kind == "augmented_assignment" or node.kind in CALLS:
        return True
    right = node.child("right")
    return right is not None and any(
        one.kind in MEMBERS and one.text == name for one in right.walk()
    )
