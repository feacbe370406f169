"""Which control tokens a server's tokenizer is asked about.

A prompt of a family makes sense only to a model whose vocabulary holds each sentinel as one token:
one that reads "<|fim_prefix|>" as letters continues them as letters.
"""

from collections.abc import Set as AbstractSet

from sirdab.models.catalog import families
from sirdab.models.family import Family


def to_probe(family: Family) -> tuple[str, ...]:
    """Return the sentinels that must be one token each, without their blanks.

    Args:
        family: The family that a model seems to belong to.

    Returns:
        The sentinels that the family's layouts write, in the order of their use; empty for a family
        that has none. One that no layout writes, as Codestral's for the middle, may be missing
        from the vocabulary without harm and is left out.
    """
    fim = family.fim
    if fim is None:
        return ()
    own = tuple(one.strip() for one in (fim.prefix, fim.suffix, fim.middle))
    if {"psm", "prefix-as-middle"} & set(family.layouts):
        return tuple(dict.fromkeys(own))
    return tuple(dict.fromkeys(token for token in own if token in fim.spm))


def to_probe_unnamed() -> tuple[str, ...]:
    """Return every family's sentinels: what to probe where the name says nothing or is wrong."""
    return tuple(dict.fromkeys(token for family in families() for token in to_probe(family)))


def in_vocabulary(token: str, vocabulary: AbstractSet[str]) -> bool:
    """Whether a vocabulary holds a sentinel, as a server or a file lists it.

    SentencePiece writes a blank as U+2581, and Code Llama's sentinels with the blank before them.
    """
    return token in vocabulary or f"\u2581{token}" in vocabulary
