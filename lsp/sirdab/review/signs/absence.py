"""Which calls may give nothing, as far as the code or a library says so."""

import re

from sirdab.review.signs.kinds import Kind, kind_of, may_be_nothing
from sirdab.review.signs.look import (
    CALLS,
    arguments,
    bare,
    called_name,
    callee,
    keywords,
    receiver,
)
from sirdab.review.signs.scene import Scene
from sirdab.review.signs.uses import is_used
from sirdab.review.tree import Node

_MATCHERS = frozenset({"match", "search", "fullmatch"})


_PATTERN_NAME = re.compile(r"(?i)(_re|regexp?|pattern|_rx)s?$|^re$|^[A-Z_]*RE$")


# What answers requests, or waits, has a `get` of another kind.
_OTHER_GETS = re.compile(
    r"(?i)(requests|httpx|session|client|http|api|queue|q|axios|app|router|agent|test|browser|"
    r"driver|page|config|context_?var|var|token|headers|cookies|fixture|pool|ctx|request)$"
)


_WHOLE_NAMES = frozenset({"os.environ.get", "os.getenv", "shutil.which", "inspect.getmodule",
                          "importlib.util.find_spec", "mimetypes.guess_type"})  # fmt: skip


_COUNTING = re.compile(r"(?i)\bselect\s+(count|max|min|sum|avg|exists|last_insert_rowid|changes)\b")


_ROWS = frozenset({"fetchone", "one_or_none", "first", "scalar_one_or_none", "find_one"})


_DOM = frozenset({"getElementById", "querySelector", "closest", "getItem", "exec", "find", "at"})


def may_be_none(scene: Scene, call: Node) -> bool:
    """Whether a call of Python may give None."""
    name, last = callee(call), called_name(call)
    if name in _WHOLE_NAMES:
        return len(arguments(call)) < 2 and name != "mimetypes.guess_type"
    on = receiver(call)
    if on is None:
        if name in {"next", "getattr"}:
            given = arguments(call)
            return len(given) > 1 and given[-1].kind == "none"
        return _returns_nothing(scene, call)
    if last in _MATCHERS:
        if on.text in ("re", "regex"):
            return True
        return bool(_PATTERN_NAME.search(on.text)) or kind_of(scene, on) is Kind.PATTERN
    if last == "pop":
        given = arguments(call)
        return len(given) == 2 and given[1].kind == "none"
    if last == "get":
        return (
            len(arguments(call)) == 1
            and not keywords(call)
            and on.kind not in CALLS
            and not _OTHER_GETS.search(on.text)
        )
    if last in _ROWS:
        if _COUNTING.search(on.text):
            # What counts has always one row.
            return False
        return not arguments(call) or last == "find_one"
    if last == "find":
        # Of an element of XML or HTML; that of a text answers a number, which has no items.
        return is_used(call) or kind_of(scene, on) is not Kind.TEXT
    return _returns_nothing(scene, call)


def _is_known(scene: Scene, on: Node, key: str, at: Node) -> bool:
    """Whether the function has asked for, or set, the same key before."""
    for mention in scene.scope(at).mentions(on.text):
        if mention.start >= at.start:
            break
        outer = mention.parent
        call = outer.parent if outer is not None else None
        if call is not None and call.kind in CALLS and called_name(call) in ("has", "set"):
            given = arguments(call)
            if given and given[0].text == key:
                return True
    return False


def may_be_null(scene: Scene, call: Node) -> bool:
    """Whether a call of JavaScript may give null or undefined."""
    last, on = called_name(call), receiver(call)
    given = arguments(call)
    if on is None:
        return _returns_nothing(scene, call)
    if last == "match":
        return len(given) == 1 and given[0].kind != "object"
    if last == "find":
        return bool(given) and given[0].kind in ("arrow_function", "function_expression",
                                                 "identifier")  # fmt: skip
    if last == "get":
        return (
            len(given) == 1
            and kind_of(scene, on) is Kind.MAP
            and not _is_known(scene, on, given[0].text, call)
        )
    if last in _DOM:
        return len(given) == 1
    return _returns_nothing(scene, call)


def _returns_nothing(scene: Scene, call: Node) -> bool:
    """Whether the document's own function says that it may return nothing."""
    one = scene.definitions.of_call(call)
    if one is None or one.node.kind in ("class_definition", "class_declaration"):
        return False
    result = one.node.child("return_type")
    if result is not None:
        return may_be_nothing(result.text.removeprefix(":").removeprefix("->").strip())
    scope = scene.scope(one.node)
    nothing = ("none", "null", "undefined")
    given = [bare(node.children[0]) for node in scope.returned]
    if len(given) == 1 and given[0] is not None and given[0].kind in CALLS:
        # `return next((x for x in xs if ...), None)`.
        inner = arguments(given[0])
        return callee(given[0]) == "next" and len(inner) == 2 and inner[1].kind == "none"
    kinds = {node.kind for node in given if node is not None}
    return bool(kinds & set(nothing)) and bool(kinds - set(nothing))
