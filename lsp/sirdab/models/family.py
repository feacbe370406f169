"""What is known of a model family: the types behind `catalog.toml`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Layout = Literal["psm", "spm", "prefix-as-middle", "insert", "prefix-only", "chat"]
"""How a place in a file is said to a model.

The first three write sentinels around the texts and `prefix-only` writes none
(`sirdab.completion.prompt` defines them). `insert` leaves the sentinels to the server, which is
given the text before and the text after; `chat` asks for the gap in words.
"""
LAYOUTS: tuple[Layout, ...] = get_args(Layout)

WITH_SENTINELS: frozenset[Layout] = frozenset({"psm", "spm", "prefix-as-middle"})
"""Layouts whose prompt we write with the family's own sentinels."""

ContextStyle = Literal["comments", "repository"]


@dataclass(frozen=True, slots=True)
class Fim:
    """Sentinels of a family trained to fill in the middle, blanks included.

    Attributes:
        prefix: Stands before the text before the cursor.
        suffix: Stands before the text after the cursor.
        middle: Stands before what the model writes.
        spm: How the family writes the suffix first, with `{suffix}` and then `{prefix}` for the
            texts; "" when it was not trained so, or its order is not known.
    """

    prefix: str
    suffix: str
    middle: str
    spm: str = ""


@dataclass(frozen=True, slots=True)
class LayoutFigure:
    """What one layout was worth with one member of a family.

    Attributes:
        layout: The layout.
        model: The member, and how it was asked.
        holes: How many holes were to be filled.
        exact: Share of holes filled exactly, from 0 to 1.
        similarity: Mean edit similarity, from 0 to 1.
        read: Mean of the prompt tokens that the server read for a hole; None when not counted.
    """

    layout: Layout
    model: str
    holes: int
    exact: float
    similarity: float
    read: float | None = None


@dataclass(frozen=True, slots=True)
class Repository:
    """How a family was shown several files of one repository.

    Attributes:
        name: Stands before the repository's name.
        file: Stands before the path of each file, the one that is completed being the last.
    """

    name: str
    file: str


@dataclass(frozen=True, slots=True)
class Chat:
    """How a family was trained to be asked for something.

    Attributes:
        system: Sets the task; `{text}` stands for it. "" for a family without such a turn: the task
            then stands above the user's first words.
        user: What the user says; `{text}` stands for it.
        answer: Stands before what the model writes.
        end: Ends a turn; the answer is cut there.
    """

    system: str
    user: str
    answer: str
    end: str

    def prompt(self, task: str, *turns: str) -> str:
        """Write a conversation whose next turn is the model's.

        Args:
            task: What the model is to do.
            turns: What was said: the user's words, then the model's, and so on; the last
                are the user's.
        """
        parts = [self.system.replace("{text}", task)]
        above = "" if self.system else f"{task}\n\n"
        for number, turn in enumerate(turns):
            if number % 2:
                parts += [self.answer, turn, self.end]
            else:
                parts.append(self.user.replace("{text}", f"{above}{turn}"))
                above = ""
        return "".join((*parts, self.answer))


@dataclass(frozen=True, slots=True)
class Size:
    """One size in which a family comes; what is not known is 0 or "".

    Attributes:
        name: As it stands in the names of models, for example "1.5B".
        parameters: How many weights there are.
        active: How many of them are used for a token, in a mixture of experts.
        layers: Number of layers.
        kv_heads: Key-value heads of a layer.
        head: Values of a key, and of a value.
        width: Values of a token's embedding.
        vocabulary: Number of tokens.
        context_tokens: Tokens it was trained to hold, where they differ from the family's.
        licence: Licence of its weights, where it differs from the family's.
    """

    name: str
    parameters: int
    active: int = 0
    layers: int = 0
    kv_heads: int = 0
    head: int = 0
    width: int = 0
    vocabulary: int = 0
    context_tokens: int = 0
    licence: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """Models that were trained on the same prompt format.

    Attributes:
        id: Stable name.
        title: Name for a person.
        patterns: Regular expressions over a lower-case model or file name.
        unless: Regular expressions that exclude a name which `patterns` match.
        fim: The sentinels, or None when the family only continues text.
        chat: How it takes instructions; None when that is not known.
        sentinels: Every control token that a prompt must not hold by accident and an answer
            must be cut at: those of `fim` without their blanks, then end-of-text, padding,
            repository and file separators.
        stop: The control tokens that end an answer, the most usual first: servers that take few
            stop strings get the first ones.
        layouts: Prompt layouts the family tolerates, the preferred one first; of these the
            first is used that the server's abilities allow.
        layout_evidence: What the order of `layouts` rests on.
        layout_figures: What was measured of them, by model, the best first; empty when nothing was.
        repository: How it was shown several files; None when it was not, or it is not known.
        context_style: How it is shown code of other files: as comments in the document's
            language, or in the format of `repository`.
        context_evidence: What `context_style` rests on.
        context_tokens: Tokens the family was trained to hold, members may hold more; 0 when that is
            not known.
        licence: Licence of the weights.
        sources: Where each fact was read, by the fact.
        evidence: Which facts could not be read in a source and how sure they are; "" when all
            could.
        note: One sentence for a person about what these models cannot do; "" when there is nothing
            to say.
        architectures: What GGUF files of its members call their architecture; empty when that is
            not known.
        template: Texts that all stand in the chat template of its members and together in no other
            family's; empty when there are none.
        sizes: In which sizes it comes, the smallest first.
        quantisations: In which quantisations it is offered as GGUF, as GGUF spells them.
    """

    id: str
    title: str
    patterns: tuple[re.Pattern[str], ...]
    unless: tuple[re.Pattern[str], ...]
    fim: Fim | None
    chat: Chat | None
    sentinels: tuple[str, ...]
    layouts: tuple[Layout, ...]
    layout_evidence: str
    layout_figures: tuple[LayoutFigure, ...]
    repository: Repository | None
    context_style: ContextStyle
    context_evidence: str
    context_tokens: int
    licence: str
    sources: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)
    evidence: str = ""
    note: str = ""
    stop: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    template: tuple[str, ...] = ()
    sizes: tuple[Size, ...] = ()
    quantisations: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """Where the facts were read, in one line."""
        return "; ".join(dict.fromkeys(self.sources.values()))

    def matches(self, name: str) -> bool:
        """Whether a lower-case name belongs to the family."""
        return any(pattern.search(name) for pattern in self.patterns) and not any(
            pattern.search(name) for pattern in self.unless
        )
