"""Signs of a value that may be missing and is used all the same."""

import re
from collections.abc import Callable, Iterator

from sirdab.review.signs.guards import is_tested, is_tried
from sirdab.review.signs.kinds import Kind, annotation_of, kind_of, may_be_nothing
from sirdab.review.signs.look import (
    CALLS,
    MEMBERS,
    NAMES,
    arguments,
    bare,
    called_name,
    callee,
    keywords,
    receiver,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.signs.uses import ERRORS, first_use, is_used
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
_Ask = Callable[[Scene, Node], bool]
_DOM = frozenset({"getElementById", "querySelector", "closest", "getItem", "exec", "find", "at"})


@sign("none-dereference", *PYTHON)
def none_dereference(scene: Scene) -> Iterator[Node]:
    """Yield where an attribute or item is taken of what may be None."""
    yield from _used_at_once(scene, _may_be_none)
    yield from _used_later(scene, _may_be_none)
    yield from _optional_parameters(scene)


@sign("none-dereference", *SCRIPT)
def null_dereference(scene: Scene) -> Iterator[Node]:
    """Yield where a property is taken of what may be null or undefined."""
    yield from _used_at_once(scene, _may_be_null)
    yield from _used_later(scene, _may_be_null)
    yield from _optional_elsewhere(scene)
    yield from _optional_script_parameters(scene)


def _used_at_once(scene: Scene, may_be: _Ask) -> Iterator[Node]:
    for call in scene.calls:
        if not may_be(scene, call) or not is_used(call) or is_tried(call, *ERRORS):
            continue
        # `if x.get(k) and x.get(k).y` asks, though no name is asked for.
        if not _asked_in_words(call):
            yield call


def _asked_in_words(call: Node) -> bool:
    """Whether the same expression stands in a condition on the way out."""
    text = call.text
    child = call
    for outer in call.ancestors():
        if outer.kind in (
            "boolean_operator",
            "binary_expression",
            "conditional_expression",
            "ternary_expression",
            "if_statement",
        ):
            for part in outer.children:
                if part is not child and text in part.text:
                    return True
        if outer.kind in ("function_definition", "function_declaration", "method_definition"):
            break
        child = outer
    return False


def _used_later(scene: Scene, may_be: _Ask) -> Iterator[Node]:
    for call in scene.calls:
        target = _target_of(call)
        if target is None or not may_be(scene, call):
            continue
        use = first_use(scene, target, call.end)
        if use is not None:
            yield use


def _target_of(call: Node) -> Node | None:
    outer, node = call.parent, call
    while outer is not None and outer.kind in (
        "await",
        "await_expression",
        "parenthesized_expression",
        "as_expression",
    ):
        node, outer = outer, outer.parent
    if outer is None or node.field not in ("right", "value"):
        return None
    if outer.kind not in ("assignment", "assignment_expression", "variable_declarator"):
        return None
    target = outer.child("left") or outer.child("name")
    plain = target is not None and (target.kind in NAMES or target.kind in MEMBERS)
    return target if plain else None


def _may_be_none(scene: Scene, call: Node) -> bool:
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


def _may_be_null(scene: Scene, call: Node) -> bool:
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
    kinds = {node.kind for node in given if node is not None}
    return bool(kinds & set(nothing)) and bool(kinds - set(nothing))


def _optional_parameters(scene: Scene) -> Iterator[Node]:
    """Yield the first use of a parameter that is None by default."""
    for parameter in scene.all("default_parameter", "typed_default_parameter"):
        value, name = parameter.child("value"), parameter.child("name")
        if value is None or name is None or value.kind != "none":
            continue
        holder = parameter.parent.parent if parameter.parent is not None else None
        if holder is None or holder.kind == "lambda":
            continue
        body = holder.child("body")
        if body is None:
            continue
        use = first_use(scene, _first_in(name, body), body.start)
        if use is not None:
            yield use
    for parameter in scene.all("typed_parameter"):
        if not may_be_nothing(annotation_of(parameter)) or not parameter.children:
            continue
        holder = parameter.parent.parent if parameter.parent is not None else None
        body = holder.child("body") if holder is not None else None
        name = parameter.first("identifier")
        if body is None or name is None:
            continue
        use = first_use(scene, _first_in(name, body), body.start)
        if use is not None:
            yield use


def _optional_script_parameters(scene: Scene) -> Iterator[Node]:
    """Yield the first use of a parameter of TypeScript that may be null or undefined."""
    for parameter in scene.all("required_parameter", "optional_parameter"):
        if parameter.child("value") is not None:
            continue
        name, kind = parameter.child("pattern"), parameter.child("type")
        open_ = parameter.kind == "optional_parameter" or (
            kind is not None and may_be_nothing(kind.text.removeprefix(":").strip())
        )
        holder = parameter.parent.parent if parameter.parent is not None else None
        body = holder.child("body") if holder is not None else None
        if not open_ or name is None or name.kind != "identifier" or body is None:
            continue
        use = first_use(scene, _first_in(name, body), body.start)
        if use is not None:
            yield use


def _first_in(name: Node, body: Node) -> Node:
    """Return a node in the body that has the same text as a name: its scope is the function's."""
    for node in body.walk():
        if node.kind == "identifier" and node.text == name.text:
            return node
    return name


def _optional_elsewhere(scene: Scene) -> Iterator[Node]:
    """Yield `x.y` in functions where `x?.y` shows that there may be no `x`."""
    for chain in scene.all("optional_chain"):
        member = chain.parent
        base = member.child("object") if member is not None else None
        if base is None or (base.kind not in NAMES and base.kind not in MEMBERS):
            continue
        for mention in scene.scope(base).mentions(base.text):
            if mention is base or not is_used(mention):
                continue
            if not is_tested(scene, base.text, mention) and not is_tried(mention, *ERRORS):
                yield mention
                break
