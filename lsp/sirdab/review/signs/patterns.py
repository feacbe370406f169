"""Signs in regular expressions."""

import re
from collections.abc import Iterator

from sirdab.review.signs.assembled import open_parts
from sirdab.review.signs.kinds import annotation_of, is_constant, is_text
from sirdab.review.signs.look import (
    NAMES,
    arguments,
    bare,
    called_name,
    callee,
    receiver,
    string_value,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.signs.taint import is_from_request, is_made_safe
from sirdab.review.tree import Node

_MATCHERS = frozenset({"compile", "match", "search", "sub", "subn", "findall", "finditer",
                       "fullmatch", "split"})  # fmt: skip
_IS_PATTERN = re.compile(r"(?i)(pattern|regexp?|rx|expr(ession)?|_re|^re|source|flags|glob)s?$")
_NESTED = re.compile(
    r"\((?:\?:)?(?:\\[wsdS]|\.|\[[^\]]{1,40}\])[+*]"
    r"(?:\\[ws]|[ \w.-]|\[[^\]]{1,40}\])[?*]\)[+*]|"
    r"\((?:\?:)?(?:\\[wsdS.]|\.|\[[^\]]{1,40}\])[+*]\)[+*]"
)


@sign("regex-injection", *PYTHON, *SCRIPT)
def regex_injection(scene: Scene) -> Iterator[Node]:
    """Yield regular expressions into which text is put that may hold signs of its own."""
    for call in scene.all("call", "new_expression", "call_expression"):
        given = arguments(call)
        if not given:
            continue
        if call.kind == "call":
            on = receiver(call)
            if on is None or on.text not in ("re", "regex") or called_name(call) not in _MATCHERS:
                continue
        elif callee(call) != "RegExp":
            continue
        pattern = bare(given[0])
        if pattern is not None and _is_open_pattern(scene, pattern, call):
            yield call


def _is_open_pattern(scene: Scene, pattern: Node, call: Node) -> bool:
    if is_constant(pattern) or is_made_safe(pattern):
        return False
    if is_from_request(scene, pattern):
        return True
    if pattern.kind in NAMES:
        values = [one.value for one in scene.given(pattern.text, pattern)]
        if values:
            return any(
                value is not None
                and (is_text(value) or value.kind in ("binary_operator", "binary_expression"))
                and _is_open_pattern(scene, value, call)
                for value in values
            )
        parameter = scene.parameter(pattern.text, call)
        if parameter is None or _IS_PATTERN.search(pattern.text):
            return False
        return not re.search(r"Pattern|RegExp", annotation_of(parameter))
    if not (is_text(pattern) or pattern.kind in ("binary_operator", "binary_expression")):
        return False
    return any(
        part.kind in NAMES
        and not _IS_PATTERN.search(part.text)
        and not part.text.isupper()
        and not part.text.startswith("_")
        and _is_plain_text(scene, part, call)
        for part in open_parts(scene, pattern)
    )


def _is_plain_text(scene: Scene, part: Node, call: Node) -> bool:
    """Whether a name is a parameter or goes through other things: no piece of a pattern."""
    if scene.parameter(part.text, call) is not None:
        return True
    values = [one.value for one in scene.given(part.text, part)]
    return bool(values) and all(
        value is None or not (is_text(value) or is_made_safe(value)) for value in values
    )


@sign("slow-regex", *PYTHON, *SCRIPT)
def slow_regex(scene: Scene) -> Iterator[Node]:
    """Yield regular expressions that repeat what is repeated already."""
    for call in scene.all("call", "new_expression"):
        on, given = receiver(call), arguments(call)
        pattern_call = callee(call) == "RegExp" or (
            on is not None and on.text in ("re", "regex") and called_name(call) in _MATCHERS
        )
        if pattern_call and given and _NESTED.search((string_value(given[0]) or "")[:500]):
            yield call
    for node in scene.all("regex"):
        if _NESTED.search(node.text[:500]):
            yield node
