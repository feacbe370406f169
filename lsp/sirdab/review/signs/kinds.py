"""What a value is, as far as the code says so: by how it is made, or how it is annotated."""

import re
from enum import Enum

from sirdab.review.signs.look import (
    COMPREHENSIONS,
    MEMBERS,
    NAMES,
    STRINGS,
    arguments,
    bare,
    called_name,
    callee,
)
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node


class Kind(Enum):
    """What a value is."""

    LIST = "list"
    SET = "set"
    MAP = "map"
    QUEUE = "queue"
    TEXT = "text"
    WHOLE = "whole number"
    FRACTION = "fraction"
    NOTHING = "nothing"
    ITERATOR = "iterator"
    PATTERN = "pattern"
    OTHER = "other"


_LITERALS = {
    "list": Kind.LIST, "list_comprehension": Kind.LIST, "array": Kind.LIST, "tuple": Kind.LIST,
    "set": Kind.SET, "set_comprehension": Kind.SET,
    "dictionary": Kind.MAP, "dictionary_comprehension": Kind.MAP, "object": Kind.MAP,
    "string": Kind.TEXT, "concatenated_string": Kind.TEXT, "template_string": Kind.TEXT,
    "integer": Kind.WHOLE, "number": Kind.WHOLE, "float": Kind.FRACTION,
    "none": Kind.NOTHING, "null": Kind.NOTHING, "undefined": Kind.NOTHING,
    "generator_expression": Kind.ITERATOR, "regex": Kind.PATTERN,
}  # fmt: skip
_MADE = {
    **dict.fromkeys(("list", "sorted", "tuple"), Kind.LIST),
    **dict.fromkeys(("set", "frozenset", "Set", "WeakSet"), Kind.SET),
    **dict.fromkeys(("dict", "defaultdict", "Counter", "OrderedDict", "Map", "WeakMap"), Kind.MAP),
    "deque": Kind.QUEUE,
    **dict.fromkeys(("str", "repr", "String", "format"), Kind.TEXT),
    **dict.fromkeys(("len", "int", "ord", "parseInt"), Kind.WHOLE),
    **dict.fromkeys(("float", "parseFloat"), Kind.FRACTION),
    **dict.fromkeys(("map", "filter", "zip", "iter", "reversed", "enumerate"), Kind.ITERATOR),
}
_METHODS = {
    **dict.fromkeys(
        ("split", "splitlines", "rsplit", "readlines", "findall", "fetchall", "tolist"), Kind.LIST
    ),
    **dict.fromkeys(("union", "intersection", "difference"), Kind.SET),
    **dict.fromkeys(
        ("strip", "lstrip", "rstrip", "lower", "upper", "join", "replace", "read_text", "hexdigest",
         "trim", "toLowerCase", "toUpperCase", "toString", "toFixed", "decode", "title",
         "format", "isoformat", "getvalue"),
        Kind.TEXT,
    ),
    **dict.fromkeys(("sqrt", "exp", "log", "sin", "cos", "tan", "mean", "fsum", "hypot", "random",
                     "total_seconds"), Kind.FRACTION),
}  # fmt: skip
# In JavaScript these make arrays; in Python `map` and `filter` are functions.
_ARRAY_METHODS = frozenset({"map", "filter", "slice", "concat", "flatMap", "flat"})
_ARRAY_MAKERS = frozenset(
    {"Object.keys", "Object.values", "Object.entries", "Array.from", "Array.of", "Array"}
)
_ANNOTATED = (
    (re.compile(r"(?i)^(typing\.|collections\.abc\.|t\.)?(list|sequence|mutablesequence|iterable|"
                r"tuple|array|readonlyarray)\b"), Kind.LIST),
    (re.compile(r".*\[\]$"), Kind.LIST),
    (re.compile(r"(?i)^(typing\.|collections\.abc\.|t\.)?(set|frozenset|abstractset|readonlyset|"
                r"mutableset)\b"), Kind.SET),
    (re.compile(r"(?i)^(typing\.|collections\.abc\.|t\.)?(dict|mapping|mutablemapping|map|record|"
                r"defaultdict|counter)\b"), Kind.MAP),
    (re.compile(r"(?i)^(collections\.)?deque\b"), Kind.QUEUE),
    (re.compile(r"^(str|string)\b"), Kind.TEXT),
    (re.compile(r"^int\b"), Kind.WHOLE),
    (re.compile(r"^(float|decimal|Decimal)\b"), Kind.FRACTION),
    (re.compile(r"(?i)^(re\.)?(pattern|regexp)\b"), Kind.PATTERN),
)  # fmt: skip
_OPTIONAL = re.compile(r"\|\s*(None|null|undefined)\b|\bOptional\[|^None\s*\|")
_DEPTH = 4


def kind_of(scene: Scene, node: Node | None, depth: int = _DEPTH) -> Kind | None:
    """Return what the value of an expression is, None where the code does not say it.

    Args:
        scene: The document.
        node: The expression.
        depth: How many names are followed.
    """
    node = bare(node)
    if node is None:
        return None
    if node.kind == "number":
        return Kind.FRACTION if "." in node.text else Kind.WHOLE
    if node.kind in _LITERALS:
        return _LITERALS[node.kind]
    if node.kind in ("call", "call_expression", "new_expression"):
        return _made_by(scene, node)
    if node.kind in ("binary_operator", "binary_expression"):
        return _reckoned(scene, node, depth)
    if node.kind in ("await", "await_expression") and node.children:
        return kind_of(scene, node.children[0], depth)
    if (node.kind in NAMES or node.kind in MEMBERS) and depth > 0:
        return named_kind(scene, node.text, node, depth - 1)
    return None


def named_kind(scene: Scene, name: str, at: Node, depth: int = _DEPTH - 1) -> Kind | None:
    """Return what a name stands for: the one kind of all that it is given.

    `None` as one of the values says nothing, and neither does `+=`.
    """
    key = (id(scene.scope(at)), name, depth)
    if key not in scene.kinds:
        scene.kinds[key] = _named_kind(scene, name, at, depth)
    return scene.kinds[key]


def _named_kind(scene: Scene, name: str, at: Node, depth: int) -> Kind | None:
    kinds: set[Kind | None] = set()
    for one in scene.given(name, at):
        if one.how in ("augmented_assignment", "augmented_assignment_expression"):
            continue
        annotation = annotation_of(one.target)
        known = kind_of_annotation(annotation) if annotation else None
        kinds.add(known or kind_of(scene, one.value, depth))
        if len(kinds - {Kind.NOTHING}) > 1:
            # Whatever else it is given, it stands for no one kind.
            return None
    kinds.discard(Kind.NOTHING)
    parameter = scene.parameter(name, at)
    if parameter is not None:
        kinds.add(_of_parameter(scene, parameter))
    return kinds.pop() if len(kinds) == 1 else None


def annotation_of(node: Node) -> str:
    """Return the annotation of a parameter, or of the target of an assignment; "" for none."""
    holder = node if node.child("type") is not None else node.parent
    found = None if holder is None or node.field == "value" else holder.child("type")
    if found is None and holder is not None:
        found = holder.first("type_annotation")
    return "" if found is None else found.text.removeprefix(":").strip().strip("\"'")


def kind_of_annotation(annotation: str) -> Kind | None:
    """Return what an annotation promises, None aside."""
    plain = re.sub(r"\|\s*(None|null|undefined)\b|^None\s*\|\s*", "", annotation).strip()
    inner = re.fullmatch(r"(?:typing\.)?Optional\[(.*)\]", plain)
    plain = inner[1] if inner else plain
    if "|" in plain and "[" not in plain:
        return None
    return next((kind for pattern, kind in _ANNOTATED if pattern.match(plain)), None)


def may_be_nothing(annotation: str) -> bool:
    """Whether an annotation says that there may be no value."""
    plain = annotation.strip().strip("\"'")
    if re.match(r"(typing\.)?Optional\[", plain):
        return True
    # What may be None within brackets is a part of the value, and not the value.
    for _ in range(6):
        shorter = re.sub(r"\[[^\[\]]*\]|<[^<>]*>|\{[^{}]*\}|\([^()]*\)", "", plain)
        if shorter == plain:
            break
        plain = shorter
    return bool(_OPTIONAL.search(plain))


def _of_parameter(scene: Scene, parameter: Node) -> Kind | None:
    annotation = annotation_of(parameter)
    if annotation:
        return kind_of_annotation(annotation)
    default = parameter.child("value") or parameter.child("right")
    known = kind_of(scene, default, 0)
    return None if known is Kind.NOTHING else known


def _made_by(scene: Scene, call: Node) -> Kind | None:
    name, last = callee(call), called_name(call)
    python = scene.language_id == "python"
    if name in _ARRAY_MAKERS and not python:
        return Kind.LIST
    if name == last:
        return _MADE.get(last)
    if not python and last in _ARRAY_METHODS:
        return Kind.LIST
    if last in ("deque", "defaultdict", "Counter", "OrderedDict"):
        return _MADE[last]
    if name in ("re.compile", "regex.compile"):
        return Kind.PATTERN
    return _METHODS.get(last)


def _reckoned(scene: Scene, node: Node, depth: int) -> Kind | None:
    operator = node.child("operator")
    if operator is None or depth <= 0:
        return None
    left, right = bare(node.child("left")), bare(node.child("right"))
    sides = {kind_of(scene, left, depth - 1), kind_of(scene, right, depth - 1)}
    if operator.kind == "/":
        path = Kind.TEXT in sides or not sides - {None}
        return None if path else Kind.FRACTION
    if Kind.TEXT in sides and operator.kind in ("+", "%"):
        return Kind.TEXT
    if Kind.FRACTION in sides and operator.kind in ("+", "-", "*", "**"):
        return Kind.FRACTION
    return sides.pop() if len(sides) == 1 else None


def is_constant(node: Node | None) -> bool:
    """Whether an expression is written out in full: literals, and upper-case names."""
    node = bare(node)
    if node is None:
        return False
    if node.kind in COMPREHENSIONS:
        return False
    for inner in node.walk():
        if inner.kind in ("interpolation", "template_substitution", "call", "call_expression"):
            return False
        if inner.kind in NAMES and not inner.text.isupper():
            return False
    return True


def is_text(node: Node | None) -> bool:
    """Whether an expression is a text that is written out, with or without values in it."""
    node = bare(node)
    return node is not None and node.kind in STRINGS


def first_argument(call: Node) -> Node | None:
    """Return the first argument of a call."""
    given = arguments(call)
    return given[0] if given else None
