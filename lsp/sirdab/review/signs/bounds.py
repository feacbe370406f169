"""Signs at the ends of loops, indices and slices."""

import re
from collections.abc import Iterator

from sirdab.review.signs.lengths import (
    is_length,
    is_of_length,
    is_one_less,
    is_taken_from_end,
    step_of,
    subject_of,
)
from sirdab.review.signs.look import (
    NAMES,
    NUMBERS,
    SUBSCRIPTS,
    arguments,
    bare,
    called_name,
    callee,
    function_of,
    loop_names,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, Shown, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node


@sign("off-by-one", *PYTHON)
def off_by_one(scene: Scene) -> Iterator[Shown]:
    """Yield bounds that reach one too far, or leave one out."""
    for loop in scene.all("for_statement", "for_in_clause"):
        right = bare(loop.child("right"))
        if right is None or right.kind != "call" or callee(right) != "range":
            continue
        body = loop.child("body") or loop.parent
        left = loop.child("left")
        if body is not None and left is not None and _is_range_off(scene, right, left.text, body):
            yield right.child("arguments") or right
    for node in scene.all("slice"):
        for part in _upper_bounds(node):
            if part.field != "step" and is_one_less(part) and not _leaves_room(part):
                yield part
                break


@sign("off-by-one", *SCRIPT)
def off_by_one_script(scene: Scene) -> Iterator[Shown]:
    """Yield bounds that reach one too far, or leave one out."""
    for call in scene.all("call_expression"):
        if called_name(call) in ("slice", "substring", "subarray", "splice"):
            given = arguments(call)
            if len(given) > 1 and is_one_less(given[1]) and not _leaves_room(given[1]):
                yield given[1]
    for loop in scene.all("for_statement"):
        condition, body = bare(loop.child("condition")), loop.child("body")
        if condition is None or body is None or condition.kind != "binary_expression":
            continue
        operator, right = condition.child("operator"), condition.child("right")
        if operator is None or right is None:
            continue
        if _is_loop_off(scene, loop, condition, body):
            yield operator, right


def _upper_bounds(node: Node) -> list[Node]:
    """Return the bound at which a slice ends, unless the other one is moved as well."""
    colon = node.text.find(":")
    before = [one for one in node.children if one.end <= node.start + max(colon, 0)]
    if any(step_of(one) for one in before):
        return [one for one in before if is_taken_from_end(one)]
    after = [one for one in node.children if one not in before]
    return [*after[:1], *(one for one in before if is_taken_from_end(one))]


def _leaves_room(part: Node) -> bool:
    """Whether a text is cut to make room for one more sign, such as an ellipsis."""
    function = function_of(part)
    return function is not None and any(
        inner.kind in ("string_content", "string_fragment") and inner.text in ("…", "...", "~", ">")
        for inner in function.walk()
    )


def _begins_at_first(scene: Scene, index: Node) -> bool:
    """Whether an index is a name that is 0 at first, as that of the best item so far is."""
    given = scene.given(index.text, index) if index.kind in NAMES else []
    first = given[0].value if given else None
    return first is not None and first.text == "0" and len(given) > 1


def _takes_last(scene: Scene, body: Node, call: Node) -> bool:
    """Whether the last item, or the first, is taken by itself near a loop."""
    function = function_of(call) or body
    subject = ""
    for inner in call.walk():
        if is_length(inner):
            subject = subject_of(inner)
    return any(
        inner.kind in SUBSCRIPTS
        and (base := inner.child("value") or inner.child("object")) is not None
        and base.text == subject
        and (index := inner.child("subscript") or inner.child("index")) is not None
        and (
            index.text in ("0", "-1")
            or "length" in index.text
            or "len(" in index.text
            or _begins_at_first(scene, index)
        )
        for inner in function.walk()
    )


def _is_range_off(scene: Scene, call: Node, name: str, body: Node) -> bool:
    given = arguments(call)
    if not given or len(given) > 2:
        return False
    stop = bare(given[-1])
    start = given[0].text if len(given) == 2 else "0"
    if stop is None:
        return False
    offsets = _offsets(body, name)
    if not offsets:
        return False
    step = step_of(stop)
    if step > 0 and start != "0":
        # From one number to another one, both included; but `len(x)` is no index of x.
        return is_behind_end(stop, body, name)
    if step > 0:
        # `range(n + 1)` with x[i]: one too far, unless i - 1 is what is taken.
        return 0 in offsets or max(offsets) > 0
    if step < 0:
        return (
            step == -1 and 0 in offsets and max(offsets) <= 0 and not _takes_last(scene, body, call)
        )
    if is_length(stop) or stop.kind in NAMES:
        if start == "1" and 0 in offsets and min(offsets) >= 0:
            return is_length(stop) and not _takes_last(scene, body, call)
        return max(offsets) > 0 and is_length(stop)
    return False


def is_behind_end(stop: Node, body: Node, name: str) -> bool:
    """Whether `range(k, len(x) + 1)` goes over indices of x itself."""
    length = bare(stop.child("left"))
    if length is None or not is_length(length) or step_of(stop) != 1:
        return False
    subject = subject_of(length)
    return any(
        node.kind in SUBSCRIPTS
        and (base := node.child("value") or node.child("object")) is not None
        and base.text == subject
        and (index := node.child("subscript") or node.child("index")) is not None
        and index.text == name
        for node in body.walk()
    )


def _offsets(body: Node, name: str) -> set[int]:
    """Return by how much the indices in a body differ from a name: {0, 1} for x[i], x[i + 1]."""
    found: set[int] = set()
    for node in body.walk():
        if node.kind not in SUBSCRIPTS:
            continue
        index = bare(node.child("subscript") or node.child("index"))
        if index is None:
            continue
        if index.kind in NAMES and index.text == name:
            found.add(0)
        elif index.kind in ("binary_operator", "binary_expression"):
            base = index.child("left")
            if base is not None and base.text == name and (step := step_of(index)):
                found.add(step)
    return found


def _is_loop_off(scene: Scene, loop: Node, condition: Node, body: Node) -> bool:
    """Whether `for (let i = ...; i <= x.length; ...)` leaves the array, or an item out."""
    left, operator, right = (
        condition.child("left"), condition.child("operator"), bare(condition.child("right"))
    )  # fmt: skip
    if left is None or operator is None or right is None:
        return False
    if left.text not in loop_names(loop):
        return False
    offsets = _offsets(body, left.text)
    if operator.kind == "<=":
        if right.kind in NUMBERS:
            return False
        counts = right.kind in NAMES and _TIMES.search(right.text) is not None
        from_start = _starts_at(loop, "0") and step_of(right) == 0
        return is_length(right) or (from_start and (0 in offsets or counts))
    if operator.kind == ">":
        # for (let i = xs.length - 1; i > 0; i--) never comes to the first one.
        return right.text == "0" and _starts_at_end(loop) and offsets == {0}
    if operator.kind != "<":
        return False
    step = step_of(right)
    if step == -1 and is_of_length(right):
        return 0 in offsets and max(offsets) <= 0 and not _takes_last(scene, body, condition)
    if is_length(right) and offsets:
        step_ = loop.child("increment")
        return max(offsets) > 0 and step_ is not None and "++" in step_.text
    return False


_TIMES = re.compile(r"(?i)(tries|times|attempts|retries|count|total|length|size|\bn)$")


def _starts_at_end(loop: Node) -> bool:
    start = loop.child("initializer")
    return start is not None and re.search(r"\.length\s*-\s*1", start.text) is not None


def _starts_at(loop: Node, number: str) -> bool:
    start = loop.child("initializer")
    if start is None:
        return False
    return any(
        one.kind in ("variable_declarator", "assignment_expression")
        and (value := one.child("value") or one.child("right")) is not None
        and value.text == number
        for one in start.walk()
    )
