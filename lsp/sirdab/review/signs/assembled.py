"""What texts are put together from, and whether the code alone decides it."""

from sirdab.review.signs.guards import asked
from sirdab.review.signs.kinds import is_constant
from sirdab.review.signs.look import (
    CALLS,
    NAMES,
    arguments,
    bare,
    called_name,
)
from sirdab.review.signs.scene import Scene
from sirdab.review.signs.taint import is_made_safe
from sirdab.review.tree import Node

_STEPS = 4


def parts_put_in(node: Node) -> list[Node]:  # noqa: PLR0912 - a case a kind of node
    """Return what is put into a text: by an f-string, a template, `+`, `%` or `format`."""
    found: list[Node] = []
    stack = [node]
    while stack:
        inner = stack.pop()
        match inner.kind:
            case "interpolation" | "template_substitution":
                found += [one for one in inner.children[:1] if one.kind != "format_specifier"]
            case "string" | "concatenated_string" | "template_string" | "parenthesized_expression":
                stack += inner.children
            case "binary_operator" | "binary_expression":
                operator, right = inner.child("operator"), inner.child("right")
                left = inner.child("left")
                if operator is None or left is None or right is None:
                    continue
                if operator.kind == "%":
                    stack.append(left)
                    right_ = bare(right)
                    holds = right_ is not None and right_.kind in ("tuple", "dictionary")
                    found += right_.children if holds and right_ is not None else [right]
                elif operator.kind == "+":
                    stack += [left, right]
            case "call" | "call_expression":
                function = inner.child("function")
                base = function.child("object") if function is not None else None
                if called_name(inner) == "format" and base is not None and base.kind == "string":
                    holder = inner.child("arguments")
                    for one in holder.children if holder is not None else ():
                        found.append(one.child("value") or one)
                else:
                    found.append(inner)
            case (
                "string_start"
                | "string_content"
                | "string_end"
                | "string_fragment"
                | ("escape_sequence")
            ):
                pass
            case _:
                found.append(inner)
    return sorted(found, key=lambda one: one.start)


def open_parts(scene: Scene, node: Node) -> list[Node]:
    """Return what is put into a text and is neither constant nor made safe."""
    return [
        one
        for one in parts_put_in(node)
        if not is_constant(one)
        and not is_made_safe(one)
        and not _is_assembled(scene, one)
        and not _is_one_of(scene, one)
    ]


def _is_one_of(scene: Scene, node: Node) -> bool:
    """Whether a condition has made sure that a name is one of some constants."""
    inner = bare(node)
    if inner is None or inner.kind not in NAMES:
        return False
    for condition in asked(scene, inner.text, inner):
        for one in condition.walk():
            if one.kind == "comparison_operator" and len(one.children) == 3:
                left, operator, right = one.children
                if (
                    left.text == inner.text
                    and operator.kind in ("in", "not in")
                    and (is_constant(right) or right.text.isupper())
                ):
                    return True
            elif one.kind in CALLS and called_name(one) in ("has", "includes"):
                given = arguments(one)
                if given and given[0].text == inner.text:
                    return True
    return False


def _is_assembled(scene: Scene, node: Node) -> bool:
    """Whether a value is put together from constants only, such as a list of `?, ?`."""
    inner = bare(node)
    if inner is None:
        return False
    if inner.kind in CALLS and called_name(inner) == "join":
        function = inner.child("function")
        separator = function.child("object") if function is not None else None
        if separator is None or separator.kind != "string":
            return False
        given = arguments(inner)
        return bool(given) and _is_built_of_constants(scene, given[0], _STEPS)
    if inner.kind in NAMES:
        values = [one.value for one in scene.given(inner.text, inner)]
        return bool(values) and all(
            value is not None and _is_built_of_constants(scene, value, _STEPS) for value in values
        )
    return False


def _is_built_of_constants(scene: Scene, node: Node, steps: int) -> bool:
    inner = bare(node)
    if inner is None or steps <= 0:
        return False
    if is_constant(inner):
        return True
    if inner.kind in ("generator_expression", "list_comprehension"):
        body = inner.child("body")
        return body is not None and (
            is_constant(body) or _is_built_of_constants(scene, body, steps - 1)
        )
    if inner.kind in ("list", "tuple"):
        return all(_is_built_of_constants(scene, one, steps - 1) for one in inner.children)
    if inner.kind in ("binary_operator", "binary_expression"):
        operator = inner.child("operator")
        sides = inner.child("left"), inner.child("right")
        if operator is not None and operator.kind == "*":
            # "?" * len(xs)
            return any(side is not None and is_constant(side) for side in sides)
        return all(
            side is not None and _is_built_of_constants(scene, side, steps - 1) for side in sides
        )
    if inner.kind == "conditional_expression" and len(inner.children) == 3:
        return all(
            _is_built_of_constants(scene, one, steps - 1)
            for one in (inner.children[0], inner.children[2])
        )
    if inner.kind in CALLS and called_name(inner) in ("join", "fill", "repeat", "map"):
        function = inner.child("function")
        base = function.child("object") if function is not None else None
        parts = [one for one in (base, *arguments(inner)) if one is not None]
        if called_name(inner) == "map":
            callback = parts[-1] if parts else None
            body = callback.child("body") if callback is not None else None
            return body is not None and is_constant(body)
        return all(_is_built_of_constants(scene, one, steps - 1) for one in parts) or (
            called_name(inner) == "fill" and is_constant(parts[-1])
        )
    if inner.kind in NAMES:
        values = [one.value for one in scene.given(inner.text, inner)]
        return bool(values) and all(
            value is not None and _is_built_of_constants(scene, value, steps - 1)
            for value in values
        )
    return False
