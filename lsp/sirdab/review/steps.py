"""What looking at a tree may cost: steps, which whoever visits nodes or goes through lists pays."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import SupportsIndex, TypeVar, overload

MIN_STEPS = 50_000
"""How many visits a small tree may take in any case."""

LONG = 64
"""Items of a list from which on going through it counts as steps."""

ITEMS_A_STEP = 8
"""Items of a long list that cost about as much as the visit of one node."""

MOST = 800_000
"""Steps that one question may spend in any case: some three for each node of the largest tree."""

SHARE = 2
"""A question may spend one part in so many of the steps that are left, so that a document that is
made to exhaust one of them silences that one only."""


class TooMuch(Exception):  # noqa: N818 - not an error: the answer is "unknown"
    """A tree takes more visits than `STEPS_A_NODE` allows."""


class Budget:
    """What the nodes of a tree share: the source, and how many steps are left."""

    __slots__ = ("left", "source")

    def __init__(self, source: bytes) -> None:
        self.source = source
        self.left = MIN_STEPS

    def spend(self, steps: int = 1) -> None:
        """Count some steps.

        Raises:
            TooMuch: There are no more.
        """
        self.left -= steps
        if self.left < 0:
            raise TooMuch

    @contextmanager
    def share(self) -> Generator[None]:
        """Allow one question its share of what is left; what it leaves goes to the others."""
        kept = self.left - min(self.left // SHARE, MOST)
        self.left -= kept
        try:
            yield
        finally:
            self.left = max(self.left, 0) + kept


_T = TypeVar("_T")


class Counted(list[_T]):
    """A list that grows with the document: who goes through it pays for it.

    Visits of nodes alone would not bound the work: the siblings of each of many statements, or all
    mentions of each mention of a name, are the square of the document without one visit.

    Args:
        budget: Who pays.
        items: What is in it.
    """

    __slots__ = ("_budget",)

    def __init__(self, budget: "Budget", items: Iterable[_T] = ()) -> None:
        """Take the items over; that is not counted."""
        super().__init__(items)
        self._budget = budget

    def __iter__(self) -> Iterator[_T]:
        """Go through the items, and pay for those that are reached."""
        return super().__iter__() if len(self) < LONG else self._paid(super().__iter__())

    def __reversed__(self) -> Iterator[_T]:
        """Go through the items from behind."""
        items = super().__reversed__()
        return items if len(self) < LONG else self._paid(items)

    def _paid(self, items: Iterator[_T]) -> Iterator[_T]:
        while block := list(islice(items, ITEMS_A_STEP)):
            self._budget.spend()
            yield from block

    def __contains__(self, item: object) -> bool:
        """Look for an item, and pay for all."""
        self._budget.spend(len(self) // LONG)
        return super().__contains__(item)

    @overload
    def __getitem__(self, at: SupportsIndex) -> _T: ...
    @overload
    def __getitem__(self, at: slice) -> list[_T]: ...
    def __getitem__(self, at: SupportsIndex | slice) -> _T | list[_T]:
        """Return one item, or pay for several."""
        if not isinstance(at, slice):
            return super().__getitem__(at)
        found = super().__getitem__(at)
        self._budget.spend(len(found) // LONG)
        return found
