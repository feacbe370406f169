"""Signs of a value that may be missing and is used all the same."""

from collections.abc import Callable, Iterator

from sirdab.review.signs.absence import may_be_none, may_be_null
from sirdab.review.signs.guards import is_tested, is_tried
from sirdab.review.signs.kinds import annotation_of, may_be_nothing
from sirdab.review.signs.look import (
    MEMBERS,
    NAMES,
    called_name,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.signs.uses import ERRORS, first_use, is_taken_apart, is_used
from sirdab.review.tree import Node

_Ask = Callable[[Scene, Node], bool]


@sign("none-dereference", *PYTHON)
def none_dereference(scene: Scene) -> Iterator[Node]:
    """Yield where an attribute or item is taken of what may be None."""
    yield from _used_at_once(scene, may_be_none)
    yield from _used_later(scene, may_be_none)
    yield from _optional_parameters(scene)


@sign("none-dereference", *SCRIPT)
def null_dereference(scene: Scene) -> Iterator[Node]:
    """Yield where a property is taken of what may be null or undefined."""
    yield from _used_at_once(scene, may_be_null)
    yield from _used_later(scene, may_be_null)
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
        if use is None or (called_name(call) == "find" and is_taken_apart(use)):
            # What finds several things is called `find` as well.
            continue
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
