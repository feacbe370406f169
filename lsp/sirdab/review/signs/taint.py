"""Where a value comes from: from outside, or from the code itself."""

import re

from sirdab.review.signs.guards import asked
from sirdab.review.signs.kinds import is_constant
from sirdab.review.signs.look import (
    CALLS,
    MEMBERS,
    NAMES,
    arguments,
    bare,
    called_name,
    callee,
    names_in,
)
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node

_REQUEST = re.compile(
    r"(?i)(^|\.)(request|req|flask\.request|self\.request|ctx\.request|event)\."
    r"(args|form|values|json|data|files|GET|POST|query|body|params|query_params|headers|cookies|"
    r"url|path|get_json|match_info|path_params|queryStringParameters|search\w*)\b|"
    r"\b(ctx|c)\.(query|params|request)\b|\blocation\.(search|hash|href)\b|"
    r"\bsys\.argv\b|\bprocess\.argv\b|\burl\.searchParams\b|\bsearchParams\.get\b"
)
_ASKING = frozenset({"input", "raw_input", "prompt"})
_SAFE = frozenset(
    {"escape", "escapeHtml", "escapeHTML", "quote", "quote_plus", "int", "float", "len", "bool",
     "encodeURIComponent", "encodeURI", "sanitize", "urlencode", "isoformat", "strftime",
     "secure_filename", "basename", "Number", "parseInt", "parseFloat", "toFixed", "hexdigest",
     "json.dumps", "escapeRegExp", "escape_string", "round", "sum", "abs", "str_to_int", "hash",
     "uuid4", "randomUUID", "token_hex", "token_urlsafe", "sha256", "toISOString", "purify"}
)  # fmt: skip
_STEPS = 4


def is_from_request(scene: Scene, node: Node | None, steps: int = _STEPS) -> bool:
    """Whether an expression surely holds something that a request or a user has sent."""
    inner = bare(node)
    if inner is None or steps <= 0:
        return False
    for part in inner.walk():
        if part.kind in MEMBERS and _REQUEST.search(part.text):
            return True
        if part.kind in CALLS and callee(part) in _ASKING:
            return True
        if part.kind in NAMES:
            given = scene.given(part.text, part)
            if any(
                one.value is not None
                and not one.value.holds(part)
                and is_from_request(scene, one.value, steps - 1)
                for one in given
            ):
                return True
    return False


def is_made_safe(node: Node) -> bool:
    """Whether an expression is a call that makes its value harmless, or a number of something."""
    inner = bare(node)
    if inner is None:
        return False
    if inner.kind in CALLS:
        return (
            called_name(inner) in _SAFE
            or callee(inner) in _SAFE
            or (called_name(inner).lower().startswith(("escape", "sanit", "quote", "encode")))
        )
    return False


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


def is_checked(scene: Scene, node: Node, at: Node) -> bool:
    """Whether a condition before a place asks more of a value than whether there is one."""
    texts = set(names_in(node))
    for name in list(texts):
        for one in scene.given(name, at):
            if one.value is not None and one.value.end <= at.start:
                texts |= set(names_in(one.value))
    for name, given in scene.scope(at).assigned.items():
        # What is made of the value may be what is asked: `parts = urlsplit(target)`.
        if any(
            one.value is not None
            and one.value.end <= at.start
            and set(names_in(node)) & set(names_in(one.value))
            for one in given
        ):
            texts.add(name)
    texts -= {"request", "req", "os", "path", "Path", "self", "fs", "str", "url", "URL"}
    for text in texts:
        for condition in asked(scene, text, at):
            if any(not _is_about_nothing(inner) for inner in _around(condition, text)):
                return True
    return False


def _is_about_nothing(node: Node) -> bool:
    return any(one.kind in ("none", "null", "undefined") for one in node.children)


def _around(condition: Node, text: str) -> list[Node]:
    """Return the calls, comparisons and attributes in a condition that a name is part of."""
    kinds = CALLS | MEMBERS | {"comparison_operator", "binary_expression"}
    return [inner for inner in condition.walk() if inner.kind in kinds and text in inner.text]
