"""Code with one defect each, whose kind and place are known."""

import hashlib
import random
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import TypeVar

from sirdab.benchmark.defects.fixtures import fixtures
from sirdab.benchmark.defects.mutation import LANGUAGES, Mutation, Operator, Source, mutate
from sirdab.benchmark.defects.operators import all_operators

MOST_OF_OPERATOR = 12
"""Seeds of one operator in our own code: conditions are everywhere, and would hide the rest."""


@dataclass(frozen=True, slots=True)
class Seed:
    """A source file with one defect.

    Attributes:
        id: Names it in a file of results: operator, file and line.
        operator: What made it.
        name: The file, as it is named in its folder.
        language_id: As LSP spells it.
        clean: The file without the defect.
        text: The file with it.
        lines: First and last lines, 0-based, in which the defect stands in `text`.
    """

    id: str
    operator: Operator
    name: str
    language_id: str
    clean: str
    text: str
    lines: tuple[tuple[int, int], ...]

    @property
    def first(self) -> int:
        """First line of the defect, 0-based."""
        return self.lines[0][0]

    @property
    def last(self) -> int:
        """Last line of the defect, 0-based."""
        return max(last for _, last in self.lines)


@dataclass(frozen=True, slots=True)
class Place:
    """A place for a defect, which is not made yet: that takes a parse of the whole file.

    Attributes:
        operator: What would make it.
        name: The file, as it is named in its folder.
        source: The file.
        mutation: What would be done.
    """

    operator: Operator
    name: str
    source: Source
    mutation: Mutation


def places_of(
    name: str, text: str, language_id: str, operators: Iterable[Operator] | None = None
) -> Iterator[Place]:
    """Yield every place of a file for a defect.

    Args:
        name: The file's name.
        text: Its content, with LF line ends.
        language_id: As LSP spells it.
        operators: Those that are tried; all by default.
    """
    try:
        source = Source(text, language_id)
    except ValueError:
        return
    for operator in all_operators() if operators is None else operators:
        if language_id in LANGUAGES[operator.family]:
            for mutation in operator.sites(source):
                yield Place(operator, name, source, mutation)


def seed_at(place: Place) -> Seed | None:
    """Make the defect; None where that would change nothing, or break the syntax."""
    mutated = mutate(place.source, place.mutation)
    if mutated is None:
        return None
    id_ = f"{place.operator.id}@{place.name}:{mutated.lines[0][0] + 1}"
    source = place.source
    return Seed(
        id_,
        place.operator,
        place.name,
        source.language_id,
        source.text,
        mutated.text,
        mutated.lines,
    )


def seeds_of(
    name: str, text: str, language_id: str, operators: Iterable[Operator] | None = None
) -> list[Seed]:
    """Return every defect that the operators can put into a file; see `places_of`."""
    made = (seed_at(place) for place in places_of(name, text, language_id, operators))
    return _named([seed for seed in made if seed is not None])


_Made = TypeVar("_Made", Seed, Place)


@cache
def own_seeds() -> tuple[Seed, ...]:
    """Return the defects of our own clean code that can be told from the clean code by a test."""
    without = _unseen()
    found: defaultdict[str, list[Seed]] = defaultdict(list)
    for fixture in fixtures():
        for seed in seeds_of(fixture.name, fixture.text, fixture.language_id):
            line = _changed_line(seed)
            if (seed.operator.id, seed.name, line) not in without:
                found[seed.operator.id].append(seed)
    kept: list[Seed] = []
    for name, group in found.items():
        _shuffle(group, 0, name)
        kept += sorted(group[:MOST_OF_OPERATOR], key=lambda seed: seed.id)
    return tuple(kept)


def choose(seeds: Iterable[Seed], count: int, number: int) -> list[Seed]:
    """Choose some seeds, the operators in turn.

    Args:
        seeds: Those there are.
        count: How many; all where there are fewer.
        number: Another number gives others.
    """
    return _in_turn(seeds, count, number, lambda seed: seed)


def choose_places(places: Iterable[Place], count: int, number: int) -> list[Seed]:
    """Choose some places, the operators in turn, and make the defects; see `choose`."""
    return _named(_in_turn(places, count, number, seed_at))


def _in_turn(
    all_: Iterable[_Made], count: int, number: int, make: Callable[[_Made], Seed | None]
) -> list[Seed]:
    groups: defaultdict[str, list[_Made]] = defaultdict(list)
    for one in all_:
        groups[one.operator.id].append(one)
    for name, group in groups.items():
        _shuffle(group, number, name)
    # A few seeds are to be of all kinds, and not of those operators that come first in the modules.
    turns = sorted(groups, key=lambda name: hashlib.sha256(f"{number} {name}".encode()).digest())
    chosen: list[Seed] = []
    while len(chosen) < count and any(groups.values()):
        for group in map(groups.__getitem__, turns):
            seed = None
            while group and seed is None and len(chosen) < count:
                seed = make(group.pop(0))
            if seed is not None:
                chosen.append(seed)
    return chosen


def _named(seeds: list[Seed]) -> list[Seed]:
    """Number the seeds of one operator in one line, so that each has a name of its own."""
    known: Counter[str] = Counter()
    named: list[Seed] = []
    for seed in seeds:
        known[seed.id] += 1
        count = known[seed.id]
        named.append(seed if count == 1 else replace(seed, id=f"{seed.id}#{count}"))
    return named


def _shuffle(group: list[_Made], number: int, operator: str) -> None:
    """Shuffle what is of one operator, so that what is of another one stays as it is."""
    # Not a secret: the same order each time is the point.
    random.Random(f"{number} {operator}").shuffle(group)  # noqa: S311


def _changed_line(seed: Seed) -> str:
    """Return the first line of the defect as it is written."""
    return seed.text.split("\n")[seed.first].strip()


@cache
def _unseen() -> frozenset[tuple[str, str, str]]:
    """Return the mutations that change nothing anybody could see: operator, file, changed line."""
    data = resources.files("sirdab.benchmark.defects").joinpath("unseen.toml").read_text("utf-8")
    return frozenset(
        (entry["operator"], entry["file"], entry["line"])
        for entry in tomllib.loads(data).get("unseen", ())
    )
