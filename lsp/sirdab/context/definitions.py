"""Finds the definitions of the names that are imported or used near the cursor."""

import itertools
import re
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import NamedTuple

from sirdab.context.code import Piece
from sirdab.context.similar import words_of
from sirdab.context.store import Found
from sirdab.context.symbols import Definition, comment_sign, kin_of
from sirdab.text.store import Point, Text

MOST_PIECES = 16
"""Definitions that are returned."""

ABOVE_LINES = 20
"""Lines above the cursor whose names count."""

BELOW_LINES = 4
"""Lines below the cursor whose names count."""

MOST_OF_ONE_NAME = 24
"""Definitions of one name that are asked for. What has more is not looked at one by one."""

MOST_NAMES = 120
"""Names that are looked for."""

_MEMBERS = 12
# Without an import that says which one is meant, so many with the same name may be guessed from.
_GUESSABLE = 2
_SHORTEST_NAME = 3
_IMPORT_LINES = 400
_IMPORT = re.compile(
    r"\s*(?:from\s+\S|import\b|export\s.*\bfrom\b|use\s|using\s|#\s*include\b|"
    r"(?:const|let|var|local)\s.*\brequire\b)"
)
_FROM_FIRST = re.compile(r"\s*from\s+\S+\s+import\b(.*)", re.DOTALL)
_FROM_LAST = re.compile(r"(.*?)\bfrom\s*[\"']", re.DOTALL)
_WORD = re.compile(r"\w+")
_ACCESS = re.compile(r"(?:\.|->|::)\s*([^\W\d]\w*)")
# An import goes on while its bracket is open, but not for ever.
_LONGEST_IMPORT = 40
# Languages in which what another file defines is used by the name that an import gives it, so that
# any other name is one of this file's own.
_EXPLICIT = frozenset({"python", "rust", "script"})


class Names(NamedTuple):
    """What is looked for.

    Attributes:
        weights: The names, and how much each matters.
        imported: Words of the statement that imports a name: they say from where.
        members: Names that are used as members of something.
    """

    weights: dict[str, float]
    imported: dict[str, frozenset[str]]
    members: frozenset[str]

    def ranked(self) -> list[str]:
        """Return the names, the one that matters most first."""
        order = sorted(self.weights, key=lambda name: (-self.weights[name], name))
        return order[:MOST_NAMES]


def names_near(text: Text, point: Point) -> Names:
    """Return the names that are imported, and those used near the cursor."""
    imported = _imports(text)
    weights: dict[str, float] = dict.fromkeys(imported, 0.02)
    members: set[str] = set()
    first, last = point.line - ABOVE_LINES, point.line + BELOW_LINES
    for number in range(max(0, first), min(text.line_count, last + 1)):
        line = text.line_body(number)
        distance = abs(number - point.line)
        members.update(_ACCESS.findall(line))
        for name in words_of(line):
            if len(name) >= _SHORTEST_NAME:
                weight = (1.5 if name in imported else 1.0) / (1 + distance)
                weights[name] = max(weights.get(name, 0.0), weight)
    return Names(weights, imported, frozenset(members))


def _imports(text: Text) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    stop = min(text.line_count, _IMPORT_LINES)
    number = 0
    while number < stop:
        line = text.line_body(number)
        number += 1
        if not _IMPORT.match(line):
            continue
        for _ in range(_LONGEST_IMPORT):
            if number >= stop or line.count("(") + line.count("{") <= line.count(")") + line.count(
                "}"
            ):
                break
            line += " " + text.line_body(number)
            number += 1
        hints = frozenset(_WORD.findall(line))
        for name in words_of(_bound_by(line)):
            if len(name) >= _SHORTEST_NAME:
                found[name] = found.get(name, frozenset()) | hints
    return found


def _bound_by(statement: str) -> str:
    """Return the part of an import that says which names it gives."""
    if match := _FROM_FIRST.match(statement):
        return match[1]
    if match := _FROM_LAST.match(statement):
        return match[1]
    return statement.partition("=")[0] if "require" in statement else statement


class Resolver:
    """Chooses which definitions of a name are meant."""

    def __init__(
        self,
        own: str,
        language_id: str,
        relative: Callable[[str], str],
        members: Callable[[str, str, int], Sequence[Definition]],
    ) -> None:
        """Make one for a document.

        Args:
            own: Path of the document.
            language_id: Its language.
            relative: Returns a path as it is shown.
            members: Returns members of a class or type: path, name, at most how many.
        """
        self._own = own
        self._explicit = kin_of(language_id) in _EXPLICIT
        self._sign = comment_sign(language_id)
        self._inside = language_id == "python"
        self._relative = relative
        self._members = members

    def pieces(self, names: Names, found: Sequence[Found]) -> list[Piece]:
        """Return the definitions that are meant, the one that matters most first.

        Args:
            names: What is looked for.
            found: Every definition of them that is known and may be shown, none that the prompt
                holds anyway.
        """
        by_name: dict[str, list[Found]] = {}
        for one in found:
            by_name.setdefault(one.definition.name, []).append(one)
        chosen: dict[tuple[str, str], Found] = {}
        for name in names.ranked():
            one = self._meant(name, names, by_name.get(name, []))
            if one is None or (one.path, one.definition.container) in chosen:
                # Of a class that is shown, the members are.
                continue
            chosen[one.path, name] = one
            if len(chosen) >= MOST_PIECES:
                break
        return [self._piece(one) for one in chosen.values()]

    def _meant(self, name: str, names: Names, found: Sequence[Found]) -> Found | None:
        hints = names.imported.get(name, frozenset())
        outer = [
            one
            for one in found
            if not one.definition.container and self._is_visible(one, names, bool(hints))
        ]
        if outer:
            best = max(outer, key=lambda one: (self._closeness(one, hints), one.path))
            hinted = bool(hints & _path_words(best.path))
            return best if hinted or len(outer) <= _GUESSABLE else None
        # What is called the same in many classes could be any of them.
        methods = [one for one in found if one.definition.kind == "method"]
        if name not in names.members or len(methods) > _GUESSABLE:
            return None
        return max(methods, key=lambda one: (self._closeness(one, hints), one.path), default=None)

    def _is_visible(self, one: Found, names: Names, is_imported: bool) -> bool:
        """Whether the document can mean a definition of the top level by its bare name."""
        if is_imported or one.path == self._own:
            return True
        if one.definition.name in names.members:
            # "module.name", of a module that is imported.
            return PurePath(one.path).stem in names.imported
        return not self._explicit

    def _closeness(self, one: Found, hints: frozenset[str]) -> tuple[int, int]:
        """How likely a definition is the one that is meant: by the import, then by the folder."""
        own, other = PurePath(self._own).parts, PurePath(one.path).parts
        same = (a == b for a, b in zip(own, other, strict=False))
        shared = sum(1 for _ in itertools.takewhile(bool, same))
        return len(hints & _path_words(one.path)), shared

    def _piece(self, one: Found) -> Piece:
        definition = one.definition
        lines = self._described(definition)
        if definition.kind in ("class", "type"):
            for member in self._members(one.path, definition.name, _MEMBERS):
                lines += [f"    {line}" for line in member.head.split("\n")]
        return Piece(
            "definition", self._relative(one.path), definition.line, definition.line, tuple(lines)
        )

    def _described(self, definition: Definition) -> list[str]:
        head, doc = definition.head.split("\n"), definition.doc
        if not doc:
            return head
        if self._inside:
            return [*head, f'    """{doc}"""']
        return [f"{self._sign} {doc}", *head]


def _path_words(path: str) -> frozenset[str]:
    return frozenset(_WORD.findall(path))


__all__ = ["Names", "Resolver", "names_near"]
