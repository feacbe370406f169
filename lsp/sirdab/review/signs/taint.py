"""Where a value comes from: from outside, or from the code itself."""

import re

from sirdab.review.signs.guards import asked
from sirdab.review.signs.look import (
    CALLS,
    MEMBERS,
    NAMES,
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
