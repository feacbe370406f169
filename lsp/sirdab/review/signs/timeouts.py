"""Signs of requests that may wait for ever."""

import re
from collections.abc import Iterator

from sirdab.review.signs.look import arguments, called_name, callee, keywords, receiver
from sirdab.review.signs.registry import PYTHON, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node

_SESSION = re.compile(r"(?i)(^|[._])session$")
_REQUESTS = re.compile(r"^requests\.(get|post|put|patch|delete|head|options|request)$")
# What waits for ever by itself, and the number of arguments of which the last is the timeout.
_WITHOUT = {
    **dict.fromkeys(("urlopen", "urllib.request.urlopen", "request.urlopen"), 3),
    **dict.fromkeys(("create_connection", "socket.create_connection"), 2),
    **dict.fromkeys(
        ("HTTPConnection", "HTTPSConnection", "http.client.HTTPConnection",
         "http.client.HTTPSConnection"), 3
    ),
    **dict.fromkeys(("SMTP", "smtplib.SMTP"), 4),
    **dict.fromkeys(("FTP", "ftplib.FTP"), 5),
}  # fmt: skip


@sign("missing-timeout", *PYTHON)
def missing_timeout(scene: Scene) -> Iterator[Node]:
    """Yield requests that wait for ever when the other side does not answer."""
    for call in scene.all("call"):
        name, last, named = callee(call), called_name(call), keywords(call)
        if "**" in named:
            continue
        if name.startswith("httpx.") and "timeout" in named:
            if named["timeout"].kind == "none":
                yield call
            continue
        if "timeout" in named:
            continue
        on = receiver(call)
        if (
            _REQUESTS.match(name)
            or (
                on is not None
                and last in ("get", "post", "put", "patch", "delete")
                and _SESSION.search(on.text)
                and _is_of_requests(scene, on)
            )
            or (name in _WITHOUT and len(arguments(call)) < _WITHOUT[name])
        ):
            yield call


def _is_of_requests(scene: Scene, node: Node) -> bool:
    """Whether a name is a session of the library requests, which has no timeout by itself."""
    if any(
        one.value is not None and callee(one.value) in ("requests.Session", "requests.session")
        for one in scene.given(node.text, node)
    ):
        return True
    parameter = scene.parameter(node.text, node)
    imports = any(one.text.startswith("import requests") for one in scene.all("import_statement"))
    return parameter is not None and imports
