"""Signs at the ends of loops, indices and slices."""

import re
from collections.abc import Iterator

from sirdab.review.signs.kinds import Kind, kind_of
from sirdab.review.signs.look import (
    CALLS,
    MEMBERS,
    NAMES,
    NUMBERS,
    SUBSCRIPTS,
    arguments,
    bare,
    called_name,
    callee,
    function_of,
    loop_names,
    receiver,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, Shown, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node


def is_length(node: Node) -> bool:
    """Whether an expression is the number of items of something."""
    if node.kind in CALLS:
        return callee(node) == "len" or called_name(node) in ("count", "size")
    if node.kind in MEMBERS:
        return node.text.rpartition(".")[2] in ("length", "size")
    return False


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
            if part.field != "step" and _is_one_less(part) and not _leaves_room(part):
                yield part
                break
    yield from _lengths_as_indices(scene)
    yield from _bounds(scene)


@sign("off-by-one", *SCRIPT)
def off_by_one_script(scene: Scene) -> Iterator[Shown]:
    """Yield bounds that reach one too far, or leave one out."""
    for call in scene.all("call_expression"):
        if called_name(call) in ("slice", "substring", "subarray", "splice"):
            given = arguments(call)
            if len(given) > 1 and _is_one_less(given[1]) and not _leaves_room(given[1]):
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
    yield from _lengths_as_indices(scene)
    yield from _bounds(scene)


def _upper_bounds(node: Node) -> list[Node]:
    """Return the bound at which a slice ends, unless the other one is moved as well."""
    colon = node.text.find(":")
    before = [one for one in node.children if one.end <= node.start + max(colon, 0)]
    if any(_step_of(one) for one in before):
        return [one for one in before if _is_taken_from_end(one)]
    after = [one for one in node.children if one not in before]
    return [*after[:1], *(one for one in before if _is_taken_from_end(one))]


def _is_taken_from_end(node: Node) -> bool:
    """Whether a lower bound is `-n + 1`."""
    left = node.child("left")
    return (
        left is not None
        and left.kind in ("unary_operator", "unary_expression")
        and (_step_of(node) == 1)
    )


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
            subject = _subject(inner)
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
    step = _step_of(stop)
    if step > 0 and start != "0":
        # From one number to another one, both included.
        return False
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


def _step_of(stop: Node) -> int:
    """Return the number that is added to a bound, 0 for none."""
    if stop.kind not in ("binary_operator", "binary_expression"):
        return 0
    operator, right = stop.child("operator"), stop.child("right")
    if operator is None or right is None or not right.text.isdigit() or len(right.text) > 2:
        return 0
    return {"+": 1, "-": -1}.get(operator.kind, 0) * int(right.text)


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
            if base is not None and base.text == name and (step := _step_of(index)):
                found.add(step)
    return found


def _is_one_less(part: Node) -> bool:
    """Whether a bound of a slice is something less, or its length more, one."""
    part_ = bare(part)
    if part_ is None or part_.kind not in ("binary_operator", "binary_expression"):
        return False
    right, left = part_.child("right"), bare(part_.child("left"))
    if right is None or right.text != "1" or left is None or left.kind in NUMBERS:
        return False
    if _is_taken_from_end(part_):
        return True
    step = _step_of(part_)
    if step < 0:
        # `x[: len(x) - 1]` leaves out the last one, and says so.
        return not is_length(left) and (left.kind in NAMES or left.kind in MEMBERS or adds(left))
    return step > 0 and _subtracts_from_length(left)


def adds(node: Node) -> bool:
    """Whether an expression is a sum."""
    operator = node.child("operator")
    return operator is not None and operator.kind == "+"


def _subtracts_from_length(node: Node) -> bool:
    operator, left = node.child("operator"), node.child("left")
    return operator is not None and operator.kind == "-" and left is not None and is_length(left)


def _lengths_as_indices(scene: Scene) -> Iterator[Node]:
    """Yield `x[len(x)]`, which is behind the end."""
    for node in scene.all("subscript", "subscript_expression"):
        base = node.child("value") or node.child("object")
        index = bare(node.child("subscript") or node.child("index"))
        if base is None or index is None or not is_length(index):
            continue
        outer = node.parent
        stored = outer is not None and node.field == "left"
        kept = stored and (
            scene.language_id != "python" or kind_of(scene, base) in (Kind.MAP, None)
        )
        if base.text in index.text and not kept:
            yield index


def _bounds(scene: Scene) -> Iterator[Shown]:
    """Yield comparisons with a length that let an index reach it."""
    for node in scene.all("comparison_operator", "binary_expression"):
        if node.kind == "comparison_operator":
            if len(node.children) != 3:
                continue
            left, operator, right = node.children
        else:
            left, operator, right = node.child("left"), node.child("operator"), node.child("right")
            if left is None or operator is None or right is None:
                continue
        side, sign_ = (
            (left, operator.kind)
            if is_length(right)
            else (right, {"<=": ">=", ">=": "<=", "<": ">", ">": "<"}.get(operator.kind, ""))
        )
        length = right if is_length(right) else left
        if not is_length(length) or sign_ not in ("<=", ">") or side.kind not in NAMES:
            continue
        if node.field == "condition" and node.parent and node.parent.kind == "for_statement":
            continue
        subject = _subject(length)
        scope = scene.scope(node)
        if any(
            (base := inner.child("value") or inner.child("object")) is not None
            and base.text == subject
            and (index := inner.child("subscript") or inner.child("index")) is not None
            and index.text == side.text
            for inner in scope.own(*SUBSCRIPTS)
        ):
            yield operator, right


def _subject(length: Node) -> str:
    """Return the text of what a length is of."""
    if length.kind in CALLS:
        given, on = arguments(length), receiver(length)
        return given[0].text if given else ("" if on is None else on.text)
    base = length.child("object")
    return "" if base is None else base.text


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
        from_start = _starts_at(loop, "0") and _step_of(right) == 0
        return is_length(right) or (from_start and (0 in offsets or counts))
    if operator.kind == ">":
        # for (let i = xs.length - 1; i > 0; i--) never comes to the first one.
        return right.text == "0" and _starts_at_end(loop) and offsets == {0}
    if operator.kind != "<":
        return False
    step = _step_of(right)
    if step == -1 and _is_length_of(right):
        return 0 in offsets and max(offsets) <= 0 and not _takes_last(scene, body, condition)
    if is_length(right) and offsets:
        step_ = loop.child("increment")
        return max(offsets) > 0 and step_ is not None and "++" in step_.text
    return False


def _is_length_of(node: Node) -> bool:
    left = bare(node.child("left"))
    return left is not None and is_length(left)


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
