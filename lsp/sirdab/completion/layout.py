"""Chooses the layout of a prompt: the first of the family's that the server can be asked in.

A chat whose answer cannot be begun comes last, whatever the family prefers: models that were
measured (`bench/results/chat.md`) complete worse in their own words than by plain continuation, and
better when they go on with an answer that was begun for them.
"""

from collections.abc import Set as AbstractSet

from sirdab.endpoint.base import Ability, EndpointError, ProblemKind
from sirdab.models.catalog import Family, Layout

# Those that need nothing of the family, in the order in which they are fallen back on.
_ANY_FAMILY: tuple[Layout, ...] = ("insert", "chat", "prefix-only")


def choose(family: Family, abilities: AbstractSet[Ability], wanted: Layout | None = None) -> Layout:
    """Return the layout to use.

    Args:
        family: The model's family.
        abilities: What the server can do.
        wanted: Used when the family and the server allow it, for the benchmark.

    Raises:
        EndpointError: The server can be asked in no layout.
    """
    # Of a model that is not known at all the server knows more: it fills in only where it can.
    first: tuple[Layout, ...] = () if family.fim or family.chat else ("insert",)
    ordered: tuple[Layout, ...] = (*first, *family.layouts, *_ANY_FAMILY)
    usable: list[Layout] = [layout for layout in ordered if can(layout, family, abilities)]
    if not usable:
        raise EndpointError(
            ProblemKind.REFUSED,
            "The model server neither continues text nor takes messages, so it cannot complete "
            "code; set endpoint.url to one that does.",
        )
    if wanted is not None and wanted in usable:
        return wanted
    return min(usable, key=lambda layout: layout == "chat" and not goes_on(family, abilities))


def can(layout: Layout, family: Family, abilities: AbstractSet[Ability]) -> bool:
    """Whether a server can be asked in a layout that a family tolerates."""
    if layout == "insert":
        return Ability.INSERT in abilities
    if layout == "chat":
        return Ability.CHAT in abilities or chats_raw(family, abilities)
    return Ability.RAW in abilities and (layout == "prefix-only" or family.fim is not None)


def goes_on(family: Family, abilities: AbstractSet[Ability]) -> bool:
    """Whether the answer to a conversation can be begun for the model."""
    return Ability.GOES_ON in abilities or chats_raw(family, abilities)


def chats_raw(family: Family, abilities: AbstractSet[Ability]) -> bool:
    """Whether a conversation can be written in the family's own format."""
    return family.chat is not None and Ability.RAW in abilities
