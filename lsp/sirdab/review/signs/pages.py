"""Signs of values that are put into pages without escaping them."""

import re
from collections.abc import Iterator

from sirdab.review.signs.assembled import open_parts
from sirdab.review.signs.commands import is_fixed
from sirdab.review.signs.kinds import is_constant, is_text
from sirdab.review.signs.look import CALLS, NAMES, arguments, bare, called_name, callee, receiver
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.signs.taint import is_from_request, is_made_safe
from sirdab.review.signs.texts import first_text, whole_text, words_of
from sirdab.review.tree import Node

_TAG = re.compile(r"<[a-zA-Z][\w-]*(\s[^<>]*)?>?|</[a-zA-Z]|\s(href|src|value|title)=[\"']?$")
_MARKUP = frozenset({"Markup", "mark_safe", "render_template_string", "markupsafe.Markup",
                     "SafeString", "format_html_join"})  # fmt: skip


@sign("cross-site-scripting", *PYTHON)
def cross_site_scripting(scene: Scene) -> Iterator[Node]:
    """Yield pages into which values are put without escaping them."""
    escapes = _escapes(scene)
    unescaped: list[Node] = []
    for node in scene.all("string", "concatenated_string"):
        whole = whole_text(node)
        if node.start != first_text(whole).start or not _is_html(whole):
            continue
        parts = open_parts(scene, whole)
        if any(is_from_request(scene, part) for part in parts):
            yield whole
        elif escapes and any(not _is_harmless(scene, part) for part in parts):
            unescaped.append(whole)
    if len(unescaped) <= escapes:
        yield from unescaped
    for call in scene.all("call"):
        given = arguments(call)
        if called_name(call) in _MARKUP and given and not is_fixed(scene, given[0]):
            yield call


@sign("cross-site-scripting", *SCRIPT)
def cross_site_scripting_script(scene: Scene) -> Iterator[Node]:
    """Yield pages into which values are put without escaping them."""
    for node in scene.all("assignment_expression", "augmented_assignment_expression"):
        left, right = node.child("left"), node.child("right")
        if left is None or right is None:
            continue
        if left.text.rpartition(".")[2] in ("innerHTML", "outerHTML") and (
            left.kind == "member_expression" and not _is_escaped(scene, right)
        ):
            yield node
    for call in scene.all("call_expression"):
        given = arguments(call)
        if given and _writes_html(call) and not _is_escaped(scene, given[-1]):
            yield call
    for pair in scene.all("jsx_attribute"):
        if pair.text.startswith("dangerouslySetInnerHTML") and not is_constant(pair):
            yield pair
    escapes = _escapes(scene)
    unescaped: list[Node] = []
    for node in scene.all("template_string", "string"):
        whole = whole_text(node)
        if node.start != first_text(whole).start or not _is_html(whole):
            continue
        parts = open_parts(scene, whole)
        if escapes and any(not _is_harmless(scene, part) for part in parts):
            unescaped.append(whole)
    if len(unescaped) <= escapes:
        yield from unescaped


def _writes_html(call: Node) -> bool:
    """Whether a call puts its argument into a page as HTML."""
    on, last = receiver(call), called_name(call)
    if last in ("write", "writeln"):
        return on is not None and on.text == "document"
    if last == "html":
        return on is not None and on.text.startswith("$")
    return last == "insertAdjacentHTML"


def _escapes(scene: Scene) -> int:
    """Return how often the document escapes values: then it makes pages of values as they are.

    Where it does so less often than not, its fragments are made of others, which are escaped.
    """
    return sum("escape" in called_name(call).lower() for call in scene.calls)


def _is_html(node: Node) -> bool:
    words = words_of(node)
    return ("</" in words or "/>" in words or re.search(r"<(br|img|input|p|li|td|div|a)\b", words)
            is not None) and _TAG.search(words) is not None  # fmt: skip


def _is_escaped(scene: Scene, node: Node) -> bool:
    inner = bare(node)
    if inner is None or is_constant(inner) or is_made_safe(inner):
        return True
    if inner.kind in NAMES:
        # Whatever a name stands for is looked at where it is made.
        values = [one.value for one in scene.given(inner.text, inner)]
        return bool(values) and all(
            value is not None and _is_escaped(scene, value) for value in values
        )
    if is_text(inner) or inner.kind == "binary_expression":
        return all(_is_harmless(scene, part) for part in open_parts(scene, inner))
    if inner.kind in CALLS and called_name(inner) == "join":
        on = receiver(inner)
        return on is not None and _is_escaped_list(on)
    return False


def _is_escaped_list(node: Node) -> bool:
    """Whether an array is made by a function whose text is judged where it stands."""
    return node.kind in CALLS and called_name(node) == "map"


_HARMLESS = re.compile(
    r"(?i)(^|[._])(i|n|no|id|index|count|len(gth)?|size|total|width|height|number|"
    r"num|year|month|day|hours?|minutes?|seconds?|version|html\w*|rows|body|"
    r"items|page|percent|amount|price|score|markup|content|cells|lines|nav|"
    r"safe\w*|escaped\w*)$"
)


def _is_harmless(scene: Scene, part: Node) -> bool:
    """Whether a value is a number, or a piece of a page that was made before."""
    inner = bare(part)
    if inner is None or is_constant(inner) or is_made_safe(inner):
        return True
    if inner.kind in CALLS:
        return (
            called_name(inner) in ("join", "render", "toString", "format")
            or (not inner.children)
            or bool(re.search(r"(?i)html|escape|render|markup|page", callee(inner)))
        )
    if inner.kind in ("conditional_expression", "ternary_expression"):
        return all(
            _is_harmless(scene, one) or is_text(one)
            for index, one in enumerate(inner.children)
            if index != _CONDITION[inner.kind]
        )
    if inner.kind not in NAMES and inner.kind not in ("attribute", "member_expression"):
        return inner.kind in ("binary_operator", "binary_expression", "unary_operator")
    if _HARMLESS.search(inner.text):
        return True
    if inner.kind in NAMES:
        values = [one.value for one in scene.given(inner.text, inner)]
        # `text = f"<b>{text}</b>"` puts a tag around what it was before.
        values = [value for value in values if value is None or not value.holds(inner)]
        if values and all(
            value is not None and (is_made_safe(value) or is_constant(value) or is_text(value))
            for value in values
        ):
            return True
    return False


_CONDITION = {"conditional_expression": 1, "ternary_expression": 0}
