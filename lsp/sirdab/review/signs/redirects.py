"""Signs of addresses that a request gives."""

import re
from collections.abc import Iterator

from sirdab.review.signs.kinds import is_constant, is_text
from sirdab.review.signs.look import (
    CALLS,
    NAMES,
    arguments,
    bare,
    called_name,
    callee,
    keywords,
    string_value,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.signs.taint import is_checked, is_from_request, is_made_safe
from sirdab.review.signs.texts import first_text, words_of
from sirdab.review.tree import Node

_REDIRECTS = re.compile(
    r"^(redirect|HttpResponseRedirect|RedirectResponse|flask\.redirect|"
    r"(res|response|reply|ctx)\.redirect|self\.redirect|NextResponse\.redirect|"
    r"(window\.)?location\.(assign|replace)|web\.HTTPFound|HTTPFound|HTTPSeeOther|redirect_to)$"
)
_TARGETS = re.compile(
    r"(?i)(^|_|\.)(next(_?(url|page|path))?|return_?(to|url)|redirect_?(to|url|uri)?|"
    r"continue_?(to|url)?|goto|back_?(to|url)|target_?url|destination)$"
)


@sign("open-redirect", *PYTHON, *SCRIPT)
def open_redirect(scene: Scene) -> Iterator[Node]:
    """Yield redirects to where a request says, that nothing has checked."""
    for call in scene.all("call", "call_expression", "new_expression"):
        if not _REDIRECTS.match(callee(call)):
            continue
        given = [one for one in arguments(call) if one.kind not in ("number", "integer")]
        target = given[0] if given else keywords(call).get("url")
        if target is not None and _is_unchecked_target(scene, target, call):
            yield call
    for node in scene.all("assignment", "assignment_expression", "call", "call_expression", "pair"):
        target = _location_of(node)
        if target is not None and _is_unchecked_target(scene, target, node):
            yield node


def _location_of(node: Node) -> Node | None:
    """Return the value that a header `Location` gets, or `window.location`."""
    if node.kind in CALLS:
        given = arguments(node)
        if called_name(node) in ("setHeader", "header", "set", "send_header", "add_header") and (
            len(given) == 2 and (string_value(given[0]) or "").lower() == "location"
        ):
            return given[1]
        return None
    if node.kind == "pair":
        key, value = node.child("key"), node.child("value")
        if key is not None and key.text.strip("\"'").lower() == "location":
            return value
        return None
    left, right = node.child("left"), node.child("right")
    if left is None:
        return None
    if re.search(r"(?i)\[[\"']location[\"']\]$", left.text) or left.text in (
        "window.location", "location.href", "window.location.href", "document.location",
    ):  # fmt: skip
        return right
    return None


def _is_unchecked_target(scene: Scene, target: Node, at: Node) -> bool:
    inner = bare(target)
    if inner is None or is_constant(inner) or is_made_safe(inner):
        return False
    if is_text(inner) or inner.kind in ("binary_operator", "binary_expression"):
        first = first_text(inner)
        # "/login?next=..." stays on the same site.
        if first.start == inner.start and not is_from_request(scene, inner):
            return False
        if re.match(r"^/[^/]|^https?://[\w.]+/", words_of(inner)) and first.start == inner.start:
            return False
    named = inner.kind in NAMES and _TARGETS.search(inner.text) is not None
    parameter = named and scene.parameter(inner.text, at) is not None
    parameter = parameter or _is_joined_target(scene, inner, at)
    if not parameter and not is_from_request(scene, inner):
        return False
    return not is_checked(scene, inner, at)


def _is_joined_target(scene: Scene, node: Node, at: Node) -> bool:
    """Whether an address is that of `new URL(target, base)`: a whole address ignores the base."""
    base = node.child("object") if node.text.endswith(".href") else None
    if base is None or base.kind not in NAMES:
        return False
    for one in scene.given(base.text, at):
        value = one.value
        given = [] if value is None or value.kind != "new_expression" else arguments(value)
        if len(given) != 2 or value is None or callee(value) != "URL":
            continue
        name = given[0].text
        if given[0].kind in NAMES and (_TARGETS.search(name) or name == "target"):
            return scene.parameter(name, at) is not None
    return False


_CLIENTS = re.compile(
    r"^(requests|httpx|axios|got|session|client)\.(get|post|put|head|request|"
    r"delete|patch)$|^(fetch|axios|got|urlopen|urllib\.request\.urlopen)$"
)


@sign("request-forgery", *PYTHON, *SCRIPT)
def request_forgery(scene: Scene) -> Iterator[Node]:
    """Yield requests to an address that a request gives."""
    for call in scene.calls:
        given = arguments(call)
        if not _CLIENTS.match(callee(call)) or not given:
            continue
        address = bare(given[0])
        if address is None or is_constant(address) or is_made_safe(address):
            continue
        words = words_of(address)
        if re.match(r"^https?://[\w.-]+[/?]", words):
            continue
        if is_from_request(scene, address) and not is_checked(scene, address, call):
            yield call
