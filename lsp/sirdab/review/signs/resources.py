"""Signs of what is opened and not closed."""

import re
from collections.abc import Iterator

from sirdab.review.signs.look import (
    CALLS,
    MEMBERS,
    NAMES,
    called_name,
    callee,
    class_of,
    function_of,
    receiver,
    target_of,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node

_OPENING = frozenset(
    {"open", "io.open", "codecs.open", "gzip.open", "bz2.open", "lzma.open", "os.fdopen",
     "tarfile.open", "zipfile.ZipFile", "ZipFile", "socket.socket", "socket.create_connection",
     "sqlite3.connect", "psycopg2.connect", "urlopen", "urllib.request.urlopen",
     "tempfile.TemporaryFile", "tempfile.NamedTemporaryFile", "smtplib.SMTP", "ftplib.FTP",
     "http.client.HTTPConnection", "mmap.mmap", "shelve.open", "wave.open", "dbm.open",
     "request.urlopen"}
)  # fmt: skip
_OPENING_SCRIPT = frozenset(
    {"fs.openSync", "openSync", "fs.open", "fs.promises.open", "fsp.open", "fsPromises.open",
     "open", "net.connect", "net.createConnection", "mysql.createConnection"}
)  # fmt: skip
_OPENING_METHODS = frozenset({"getConnection", "acquireConnection", "startSession"})
_CLOSING = frozenset({"close", "closeSync", "release", "end", "destroy", "shutdown", "detach",
                      "disconnect", "dispose", "endSession", "quit", "terminate"})  # fmt: skip
_TAKES_OVER = frozenset({"closing", "enter_context", "append", "add", "register", "push", "wrap",
                         "addCleanup", "callback", "enter_async_context", "makefile", "put",
                         "setdefault", "finalize", "aclosing", "wrap_socket"})  # fmt: skip


@sign("resource-leak", *PYTHON)
def resource_leak(scene: Scene) -> Iterator[Node]:
    """Yield what is opened without `with`, and neither closed nor handed on."""
    for call in scene.all("call"):
        name = callee(call)
        if scene.definitions.of_call(call) is not None:
            # The document has an `open` of its own.
            continue
        opened = name in _OPENING or (
            called_name(call) == "open" and receiver(call) is not None and _is_path(receiver(call))
        )
        if opened and not _is_kept(scene, call):
            yield call


@sign("resource-leak", *SCRIPT)
def resource_leak_script(scene: Scene) -> Iterator[Node]:
    """Yield handles that are opened and neither closed nor handed on."""
    for call in scene.all("call_expression"):
        name, last = callee(call), called_name(call)
        pooled = last == "connect" and re.search(r"(?i)pool", name) is not None
        if not (name in _OPENING_SCRIPT or last in _OPENING_METHODS or pooled):
            continue
        inner, outer = call, call.parent
        while outer is not None and outer.kind in ("await_expression", "parenthesized_expression"):
            inner, outer = outer, outer.parent
        # A handle that nobody takes, or that goes to a callback, is another matter.
        target = target_of(inner)
        if target is not None and target.kind in NAMES and not _is_cared_for(scene, call, target):
            yield call


def _is_path(node: Node | None) -> bool:
    if node is None:
        return False
    if node.kind in CALLS:
        return callee(node).rpartition(".")[2] == "Path"
    return re.search(r"(?i)(^|_)path$", node.text.rpartition(".")[2]) is not None


def _is_kept(scene: Scene, call: Node) -> bool:
    """Whether somebody will close what a call opens, or gets it to do so."""
    node, outer = call, call.parent
    while outer is not None and outer.kind in (
        "parenthesized_expression", "conditional_expression", "await", "boolean_operator",
    ):  # fmt: skip
        node, outer = outer, outer.parent
    if outer is None:
        return True
    match outer.kind:
        case "with_item" | "as_pattern" | "return_statement" | "lambda" | "yield":
            return True
        case "attribute":
            # `open(p).read()` closes nothing.
            return outer.text.rpartition(".")[2] in _CLOSING
        case "argument_list":
            taker = outer.parent
            last = called_name(taker) if taker is not None else ""
            return last in _TAKES_OVER or last[:1].isupper()
        case "keyword_argument" | "list" | "tuple" | "pair" | "dictionary" | "list_comprehension":
            return True
        case "assignment" | "named_expression":
            target = target_of(node) or outer.child("name")
            if target is None or target.kind not in NAMES:
                # An attribute lives on, and a tuple is taken apart elsewhere.
                return True
            if function_of(call) is None and class_of(call) is None:
                # What a module opens for itself lives as long as the module.
                return _is_cared_for(scene, call, target) or target.text.isupper()
            return _is_cared_for(scene, call, target)
        case "for_statement" | "for_in_clause":
            return False
        case _:
            return outer.kind != "expression_statement"


def _is_cared_for(scene: Scene, call: Node, target: Node) -> bool:
    """Whether the name of something open is closed, returned, kept or given away."""
    for mention in scene.scope(call).mentions(target.text):
        if mention.start <= call.start:
            continue
        outer = mention.parent
        if outer is None:
            continue
        if outer.kind in MEMBERS and outer.text.rpartition(".")[2] in _CLOSING:
            return True
        if outer.kind in ("with_item", "return_statement", "yield", "yield_expression", "list",
                          "tuple", "array", "pair", "keyword_argument", "dictionary",
                          "expression_list", "shorthand_property_identifier",
                          "conditional_expression", "object"):  # fmt: skip
            return True
        if mention.kind == "shorthand_property_identifier":
            return True
        if outer.kind in ("argument_list", "arguments"):
            taker = outer.parent
            last = called_name(taker) if taker is not None else ""
            if last in _TAKES_OVER or last in _CLOSING or last[:1].isupper():
                return True
            if (
                scene.language_id == "python"
                and taker is not None
                and (scene.definitions.of_call(taker) is not None)
            ):
                return True
        if outer.kind in ("assignment", "assignment_expression") and mention.field == "right":
            left = outer.child("left")
            if left is not None and left.kind not in NAMES:
                return True
        if function_of(mention) is not function_of(call):
            # A function inside may close it at another time.
            return True
    return False
