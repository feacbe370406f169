"""Decides which family a model belongs to, from all that is known of it.

What the user says beats what the server says of the model, and that beats the model's name: names
are chosen by whoever uploaded a file, and a prompt in another family's format makes a model write
nonsense without any error.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sirdab.models.catalog import Family, family_of


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a model.

    Attributes:
        names: What it and its file are called, the surest first.
        architecture: `general.architecture` of its GGUF file, or what the server calls its family.
        template: Its prompt template in the server's own language; "" when not known.
        capabilities: What the server says it can do, for example {"completion", "insert"} from
            Ollama; None when it does not tell.
        single_tokens: Control tokens and whether the model's tokenizer reads each as one token.
    """

    names: tuple[str, ...]
    architecture: str = ""
    template: str = ""
    capabilities: frozenset[str] | None = None
    single_tokens: Mapping[str, bool] = field(default_factory=dict[str, bool])


@dataclass(frozen=True, slots=True)
class Resolution:
    """A family, and why it is that one.

    Attributes:
        family: The family.
        source: What decided: the user's own entry, the server, the name, or nothing.
        problem: One sentence when what is known disagrees, with what is done about it and what the
            user may do; "" when all agrees.
    """

    family: Family
    source: Literal["user", "server", "name", "nothing"]
    problem: str = ""


def resolve(evidence: Evidence) -> Resolution:
    """Return the family of a model."""
    family = family_of(*evidence.names)
    return Resolution(family, "name" if family.fim or family.chat else "nothing")
