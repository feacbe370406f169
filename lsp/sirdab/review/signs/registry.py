"""The structural signs by name."""

import logging
from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module
from typing import NamedTuple

from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node, TooMuch

_log = logging.getLogger(__name__)


class Place(NamedTuple):
    """The stretch of a line that shows a sign.

    Attributes:
        row: The line, counted from 0.
        start: Its first character.
        stop: Behind its last one; a stretch that goes on in the next line ends with its line.
    """

    row: int
    start: int
    stop: int


Signs = tuple[tuple[str, tuple[Place, ...]], ...]
"""The names of signs that were seen, in order, and the places that show each."""

Shown = Node | tuple[Node, Node]
"""What shows a sign, as narrow as what is wrong: a node, or from one node to another one."""

Sign = Callable[[Scene], Iterable[Shown]]
"""Finds a sign."""

PYTHON = ("python",)
SCRIPT = ("javascript", "javascriptreact", "typescript", "typescriptreact")
# One module a family of signs; each registers its own when it is imported.
_FAMILIES = (
    "arguments", "arithmetic", "awaiting", "bounds", "changing", "closures", "commands",
    "comparisons", "conditions", "credentials", "denials", "division", "dropped", "errors", "flow",
    "growth", "indices", "joins", "locks", "nothing", "objections", "operators", "pages", "paths",
    "patterns", "prototypes", "queries", "reckoning", "redirects", "repetition", "resources",
    "results", "returns", "searching", "sorting", "sql", "timeouts", "waiting",
)  # fmt: skip

_registered: dict[str, dict[str, list[Sign]]] = {}


def sign(name: str, *languages: str) -> Callable[[Sign], Sign]:
    """Register a function as a sign of that name for some languages.

    Several functions may look for the same sign, in different languages or forms.
    """

    def register(function: Sign) -> Sign:
        for language in languages:
            _registered.setdefault(language, {}).setdefault(name, []).append(function)
        return function

    return register


@cache
def _load() -> None:
    for family in _FAMILIES:
        import_module(f"sirdab.review.signs.{family}")


def names(language_id: str) -> frozenset[str]:
    """Return the names of the signs that are looked for in a language."""
    _load()
    return frozenset(_registered.get(language_id, ()))


def find(scene: Scene) -> dict[str, dict[int, Place]]:
    """Return the places of a document that show a sign, one a line, by the sign's name."""
    _load()
    found: dict[str, dict[int, Place]] = {}
    for name, functions in _registered.get(scene.language_id, {}).items():
        for function in functions:
            try:
                for shown in function(scene):
                    place = _place(shown)
                    found.setdefault(name, {}).setdefault(place.row, place)
            except TooMuch:
                # What was found holds; of the rest nothing is known, so nothing is said.
                return found
            except Exception as error:  # noqa: BLE001 - one sign's fault is not the others'
                # Names that stand for each other in a circle end here as well (RecursionError).
                _log.warning("the sign %s cannot be looked for (%r)", name, type(error))
    return found


def _place(shown: Shown) -> Place:
    first, last = shown if isinstance(shown, tuple) else (shown, shown)
    source = first.source
    name = _method_name(first)
    start, row = (first.start, first.row) if name is None else (name.start, name.row)
    line = source.rfind(b"\n", 0, start) + 1
    stop = last.end
    if last.end_row > row:
        end = source.find(b"\n", start)
        stop = end if end >= 0 else len(source)
    before = len(source[line:start].decode("utf-8", "replace"))
    inside = source[start:stop].decode("utf-8", "replace").rstrip()
    return Place(row, before, before + len(inside))


def _method_name(node: Node) -> Node | None:
    """Return the name of the method that is called, where it stands in a line of its own."""
    member = node.child("function") or node
    if member.kind not in ("attribute", "member_expression"):
        return None
    name = member.child("property") or member.child("attribute")
    return name if name is not None and name.row > node.row else None


def seen(found: Signs | None, name: str, language_id: str) -> tuple[Place, ...] | None:
    """Return the places that show a sign.

    Args:
        found: The signs of a unit; None where it has no tree.
        name: The sign, "" for none.
        language_id: The unit's language.

    Returns:
        None where the sign is not looked for in the tree.
    """
    if found is None or not name or name not in names(language_id):
        return None
    return next((places for other, places in found if other == name), ())
