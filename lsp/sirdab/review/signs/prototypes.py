"""Signs of properties whose names come from outside."""

import re
from collections.abc import Iterator

from sirdab.review.signs.look import CALLS, NAMES, callee, function_of
from sirdab.review.signs.registry import SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node

_CHECKED = re.compile(
    r"__proto__|hasOwn|Object\.create\(null\)|new Map|isSafeKey|"
    r"(?i:unsafe|forbidden|blocked|denied|reserved)"
)


@sign("prototype-pollution", *SCRIPT)
def prototype_pollution(scene: Scene) -> Iterator[Node]:
    """Yield properties that are set by a name from outside, in a function that goes down."""
    for node in scene.all("assignment_expression"):
        left = node.child("left")
        if left is None or left.kind != "subscript_expression":
            continue
        index, function = left.child("index"), function_of(node)
        if index is None or index.kind not in NAMES or function is None:
            continue
        body = function.text
        if _CHECKED.search(body):
            continue
        loop = next((one for one in node.ancestors() if one.kind in (
            "for_in_statement", "for_statement", "while_statement")), None)  # fmt: skip
        keys = re.search(r"\bin\b|Object\.(keys|entries)|\.split\(", (loop or function).text)
        name = function.child("name")
        goes_down = name is not None and any(
            one.kind in CALLS and callee(one) == name.text for one in function.walk()
        )
        by_path = re.search(r"\.split\(\s*[\"']\.[\"']\s*\)", body) is not None
        if keys and (goes_down or by_path):
            yield node
