"""Decides which family a model belongs to, from all that is known of it.

What the user says (`models.toml`) beats what the server says of the model, and that beats the
model's name: names are chosen by whoever uploaded a file, and a prompt in another family's format
makes a model write nonsense without any error.

What a server says, from the strongest:

- its tokenizer: a sentinel that is not one token is letters to the model, so a format with it is of
  no use. The reverse proves less: general models hold sentinels that they were not trained on
  (Qwen2.5), so a model that is known by its name not to fill in is believed.
- a template that fills in: in Ollama's template language `.Suffix` stands for the text after the
  cursor (docs/template.md of ollama/ollama), and the sentinels around it name the family; Ollama
  derives the capability "insert" from it.
- the architecture: `general.architecture` of the GGUF file, which Ollama calls the model's family.
- a chat template, which says how a model is asked and nothing about filling in.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from sirdab.models.catalog import families, known_family_of, user_family_of
from sirdab.models.family import WITH_SENTINELS, Family, Layout
from sirdab.models.sentinels import to_probe

# Architectures of GGUF files that turn text into vectors and cannot write.
_EMBEDDING = frozenset({"bert", "nomic-bert", "nomic-bert-moe", "jina-bert-v2", "gemma-embedding"})


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
        reason: What it was known by, as a clause for the end of a sentence: "its tokenizer has the
            sentinels"; "" when nothing is known.
    """

    family: Family
    source: Literal["user", "server", "name", "nothing"]
    problem: str = ""
    reason: str = ""


def resolve(evidence: Evidence) -> Resolution:
    """Return the family of a model."""
    users = user_family_of(*evidence.names)
    if users is not None:
        return _of_user(users, evidence)
    if _only_embeds(evidence):
        family = _without_sentinels(known_family_of(*evidence.names), evidence)
        return Resolution(
            family,
            "server",
            f"{_called(evidence)} turns text into vectors and cannot write; choose a code model.",
            "the server says what it can do",
        )
    named = known_family_of(*evidence.names)
    if named.fim is not None:
        return _of_filling_name(named, evidence)
    if named is not families()[-1]:
        return _of_other_name(named, evidence)
    return _of_no_name(named, evidence)


def _of_user(family: Family, evidence: Evidence) -> Resolution:
    missing = _missing(family, evidence)
    problem = ""
    if missing:
        problem = (
            f"models.toml says that {_called(evidence)} is {family.title}, but its tokenizer does "
            f"not know {missing}; Sirdab does as models.toml says. If suggestions are nonsense, "
            "correct that entry."
        )
    return Resolution(family, "user", problem, "models.toml says so")


def _of_filling_name(named: Family, evidence: Evidence) -> Resolution:
    missing = _missing(named, evidence)
    other = _by_template(evidence) or (_by_tokens(evidence) if missing else None)
    if other is not None and to_probe(other) == to_probe(named):
        # Several families share their sentinels; between those the name decides.
        other = None
    if other is not None and not _missing(other, evidence):
        return Resolution(
            _inserting(other, evidence),
            "server",
            f"{_called(evidence)} is called {named.title} but fills in as {other.title} does; "
            f"Sirdab uses the format of {other.title}. If that is wrong, describe the model in "
            "models.toml.",
            "the server's own account of it",
        )
    if missing:
        return Resolution(
            _without_sentinels(named, evidence),
            "server",
            f"{_called(evidence)} is called {named.title} but its tokenizer does not know "
            f"{named.title}'s {missing}; Sirdab continues text only. Choose a model that fills "
            "in, or describe this one in models.toml.",
            "its tokenizer lacks the sentinels",
        )
    if _confirmed(named, evidence):
        family = _inserting(named, evidence)
        return Resolution(family, "server", "", "its tokenizer has the sentinels")
    if evidence.architecture and not _agrees(named, evidence):
        return Resolution(
            _without_sentinels(named, evidence),
            "server",
            f"{_called(evidence)} is called {named.title} but is of the architecture "
            f'"{evidence.architecture.strip().lower()}", which no {named.title} is; Sirdab '
            "continues text only. Choose a model that fills in, or describe this one in "
            "models.toml.",
            "its architecture is another family's",
        )
    if _inserts(evidence):
        return Resolution(_inserting(named, evidence), "server", "", "the server fills in with it")
    return Resolution(named, "name", "", "its name")


def _of_other_name(named: Family, evidence: Evidence) -> Resolution:
    if _inserts(evidence):
        return Resolution(_inserting(named, evidence), "server", "", "the server fills in with it")
    return Resolution(named, "name", "", "its name")


def _of_no_name(default: Family, evidence: Evidence) -> Resolution:
    for family, reason in (
        (_by_template(evidence), "the server's template fills in with its sentinels"),
        (_by_tokens(evidence), "its tokenizer has the sentinels and its architecture agrees"),
    ):
        if family is not None:
            return Resolution(_inserting(family, evidence), "server", "", reason)
    chat = _by_chat_template(evidence)
    if _inserts(evidence):
        family = _inserting(chat or default, evidence)
        return Resolution(family, "server", "", "the server fills in with it")
    if chat is not None:
        return Resolution(chat, "server", "", "its chat template")
    return Resolution(default, "nothing")


def _called(evidence: Evidence) -> str:
    """Return the name to show, without the folders of a path."""
    name = next((name for name in evidence.names if name.strip()), "This model")
    return re.split(r"[\\/]", name.strip())[-1] or "This model"


def _missing(family: Family, evidence: Evidence) -> str:
    """Return a sentinel that the tokenizer takes apart, or ""."""
    tokens = evidence.single_tokens
    return next((token for token in to_probe(family) if tokens.get(token) is False), "")


def _confirmed(family: Family, evidence: Evidence) -> bool:
    tokens = to_probe(family)
    return bool(tokens) and all(evidence.single_tokens.get(token) is True for token in tokens)


def _agrees(family: Family, evidence: Evidence) -> bool:
    architecture = evidence.architecture.strip().lower()
    return not family.architectures or architecture in family.architectures


def _filling() -> Iterable[Family]:
    return (family for family in families() if family.fim is not None)


def _by_tokens(evidence: Evidence) -> Family | None:
    """Return the family whose sentinels the tokenizer has, where the architecture agrees."""
    if not evidence.architecture:
        return None
    return next(
        (
            family
            for family in _filling()
            if _confirmed(family, evidence) and _agrees(family, evidence)
        ),
        None,
    )


def _by_template(evidence: Evidence) -> Family | None:
    """Return the family whose sentinels a template writes around the text after the cursor."""
    if ".Suffix" not in evidence.template:
        return None
    known = [
        family
        for family in _filling()
        if all(token in evidence.template for token in to_probe(family))
    ]
    agreeing = [family for family in known if evidence.architecture and _agrees(family, evidence)]
    return next(iter(agreeing or known), None)


def _by_chat_template(evidence: Evidence) -> Family | None:
    """Return the family without sentinels whose marks all stand in the chat template."""
    if not evidence.template:
        return None
    marked = [
        family
        for family in families()
        if family.fim is None
        and family.template
        and all(mark in evidence.template for mark in family.template)
    ]
    agreeing = [
        family
        for family in marked
        if not evidence.architecture or not family.architectures or _agrees(family, evidence)
    ]
    return next(iter(agreeing), None)


def _inserts(evidence: Evidence) -> bool:
    told = evidence.capabilities is not None and "insert" in evidence.capabilities
    return told or ".Suffix" in evidence.template


def _only_embeds(evidence: Evidence) -> bool:
    can = evidence.capabilities
    if can is not None and can and not can & {"completion", "insert", "chat", "generate"}:
        return "embedding" in can
    return evidence.architecture.strip().lower() in _EMBEDDING


def _inserting(family: Family, evidence: Evidence) -> Family:
    """Return the family as a server serves it: it fills in by itself if it says so."""
    if not _inserts(evidence) or "insert" in family.layouts:
        return family
    layouts: tuple[Layout, ...] = ("insert", *family.layouts)
    return replace(family, layouts=layouts)


def _without_sentinels(family: Family, evidence: Evidence) -> Family:
    """Return the family reduced to what needs no sentinels; its tokens are still neutralised."""
    kept: tuple[Layout, ...] = tuple(
        layout
        for layout in family.layouts
        if layout not in WITH_SENTINELS and (layout != "insert" or _inserts(evidence))
    )
    layouts: tuple[Layout, ...] = kept if "chat" in kept else (*kept, "chat")
    return replace(family, fim=None, layouts=layouts, repository=None, context_style="comments")
