"""The structural signs by name."""

import logging
from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module
from typing import NamedTuple

from sirdab.review.signs.idioms import is_test_idiom
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


def functions(language_id: str) -> dict[str, list[Sign]]:
    """Return what looks for the signs of a language, by the sign's name."""
    _load()
    return _registered.get(language_id, {})


def find(scene: Scene) -> dict[str, dict[int, Place]]:
    """Return the places of a document that show a sign, one a line, by the sign's name."""
    found: dict[str, dict[int, Place]] = {}
    for name, looking in functions(scene.language_id).items():
        places = found.setdefault(name, {})
        for function in looking:
            try:
                with scene.root.budget.share():
                    _collect(places, name, function(scene))
            except (TooMuch, RecursionError):
                # What was found holds; of the rest nothing is known, so nothing is said. Names
                # that stand for each other in a circle end here as well as code without a bottom.
                _log.debug("the sign %s was given up", name)
            except TimeoutError:
                # Somebody wants the review to end, not only this sign.
                raise
            except Exception:  # noqa: BLE001 - told with its trace
                # One sign's fault is not the others', but it is one: our tests fail at this line.
                _log.exception("the sign %s cannot be looked for", name)
    return found


def _collect(places: dict[int, Place], name: str, all_shown: Iterable[Shown]) -> None:
    for shown in all_shown:
        first, last = shown if isinstance(shown, tuple) else (shown, shown)
        named = _method_name(first) or first
        # Only one sign of a line is looked at: all of a long line would be its square.
        if named.row not in places and not is_test_idiom(name, first):
            places[named.row] = _place(named, last)


def _place(named: Node, last: Node) -> Place:
    source, start, row = named.source, named.start, named.row
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
