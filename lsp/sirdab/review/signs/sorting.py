"""Signs of numbers that JavaScript takes for texts."""

import re
from collections.abc import Iterator

from sirdab.review.signs.kinds import annotation_of
from sirdab.review.signs.look import (
    CALLS,
    NAMES,
    STRINGS,
    arguments,
    bare,
    called_name,
    callee,
    names_in,
    receiver,
)
from sirdab.review.signs.registry import SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node


@sign("numeric-sort", *SCRIPT)
def numeric_sort(scene: Scene) -> Iterator[Node]:
    """Yield `sort()` without a comparison: it sorts numbers as if they were words."""
    for call in scene.all("call_expression"):
        if called_name(call) not in ("sort", "toSorted") or arguments(call):
            continue
        on = receiver(call)
        if on is not None and not _holds_texts(scene, on):
            yield call.child("arguments") or call


_OF_NUMBERS = re.compile(
    r"(?i)number|parse(int|float)|length|count|time|size|price|score|age|value|amount|\bms\b|"
    r"duration|latenc"
)
_WORDS = re.compile(
    r"(?i)(name|key|word|file|path|line|tag|label|title|string|text|slug|letter|"
    r"url|code|email|part|token|lang|locale|extension|type|entr|module|script|"
    r"field|column|version|char|class|option|import|package|host)s?$"
)


def _holds_texts(scene: Scene, node: Node) -> bool:
    """Whether an array is surely one of texts."""
    inner = bare(node)
    if inner is None:
        return True
    if inner.kind in CALLS:
        name = callee(inner)
        if name == "Object.keys" or called_name(inner) in ("split", "readdirSync", "keys"):
            return True
        on = receiver(inner)
        given = arguments(inner)
        if called_name(inner) == "map" and given:
            return _OF_NUMBERS.search(given[0].text) is None
        return on is not None and _holds_texts(scene, on)
    if inner.kind == "array":
        return any(one.kind in STRINGS for one in inner.children) or any(
            one.kind == "spread_element" and _holds_texts(scene, one.children[0])
            for one in inner.children
            if one.children
        )
    if _WORDS.search(inner.text.rpartition(".")[2]):
        return True
    if inner.kind in NAMES:
        parameter = scene.parameter(inner.text, inner)
        if parameter is not None and "string" in annotation_of(parameter):
            return True
        return any(
            one.value.kind in (*CALLS, "array")
            and one.value.children
            and one.value.text != inner.text
            and _holds_texts(scene, one.value)
            for one in scene.given(inner.text, inner)
            if one.value is not None and inner.text not in set(names_in(one.value))
        )
    return False


@sign("missing-radix", *SCRIPT)
def missing_radix(scene: Scene) -> Iterator[Node]:
    """Yield `parseInt` without the base, above all where `map` gives it the index as one."""
    for call in scene.all("call_expression"):
        if (callee(call) in ("parseInt", "Number.parseInt") and len(arguments(call)) == 1) or (
            called_name(call) == "map"
            and any(one.text in ("parseInt", "Number.parseInt") for one in arguments(call))
        ):
            yield call.child("arguments") or call
