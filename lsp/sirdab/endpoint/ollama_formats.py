"""What Ollama says of itself and of its models, as types.

Sources: ollama/ollama, docs/api.md ("List Local Models", "List Running Models", "Show Model
Information"), api/types.go (`ListModelResponse`, `ProcessModelResponse`, `ShowResponse`) and
server/routes.go. Nothing of an answer is believed to have the type it should.
"""

import re
from dataclasses import dataclass, field

from sirdab.endpoint.untrusted import count, mapping, objects, text, texts

_NUMBER_WITH_UNIT = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)\s*([KMBT]?)", re.IGNORECASE)
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_LONGEST_LICENCE_NAME = 60
# A model that only turns text into vectors is of one of these architectures.
_EMBEDDING_FAMILIES = ("bert", "minilm", "embed")

Version = tuple[int, ...]
"""A version as numbers; () for one that a developer built, which counts as the newest."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A model that is installed (`/api/tags`).

    Attributes:
        name: Its name with the tag.
        size_bytes: Size of all its parts.
        digest: SHA-256 of its manifest in lower-case hexadecimal; "" when not told.
        architecture: `details.family`, for example "qwen2".
        parameters: How many; 0 when not told.
        quantisation: For example "Q4_K_M".
        remote_host: Where it really runs, for the entries that stand for a model of Ollama's
            cloud; "" for those of this machine.
    """

    name: str
    size_bytes: int = 0
    digest: str = ""
    architecture: str = ""
    parameters: int = 0
    quantisation: str = ""
    remote_host: str = ""

    @property
    def writes_text(self) -> bool:
        """Whether it is a model of this machine that could write, as far as its entry tells."""
        embeds = any(word in self.architecture.lower() for word in _EMBEDDING_FAMILIES)
        return not embeds and not is_remote(self.name, self.remote_host)


@dataclass(frozen=True, slots=True)
class Running:
    """A model that is in memory (`/api/ps`).

    Attributes:
        name: Its name with the tag.
        size_bytes: Memory it takes, in bytes.
        vram_bytes: How much of that is on a GPU: 0 on a CPU alone, less than `size_bytes` when it
            is spread over both.
        context_tokens: Context it was loaded with; 0 where the server is too old to tell.
        digest: SHA-256 of its manifest in lower-case hexadecimal; "" when not told.
    """

    name: str
    size_bytes: int = 0
    vram_bytes: int = 0
    context_tokens: int = 0
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """What is known of one model (`/api/show`).

    Attributes:
        template: Its prompt template, in the language of Go's text/template.
        modelfile: The Modelfile it could be made from.
        capabilities: What it can do; None from servers before 0.6.4, which do not tell.
        architecture: `details.family`, for example "qwen2".
        parent: Name of the model it was made from; "" when not told.
        base_name: `general.basename` of its GGUF file; "" when not told.
        parameters: How many; 0 when not told.
        quantisation: For example "Q4_K_M".
        trained_tokens: Context it was trained for; 0 when not told.
        set_tokens: `num_ctx` that its Modelfile sets; 0 when it sets none.
        licence: Short name of its licence; "" when not told.
        remote_host: As in `Listed`.
        vocabulary: Its tokens, when they were asked for; empty otherwise.
    """

    template: str = ""
    modelfile: str = field(default="", repr=False)
    capabilities: frozenset[str] | None = None
    architecture: str = ""
    parent: str = ""
    base_name: str = ""
    parameters: int = 0
    quantisation: str = ""
    trained_tokens: int = 0
    set_tokens: int = 0
    licence: str = ""
    remote_host: str = ""
    vocabulary: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def writes_text(self) -> bool:
        """Whether it can write at all, and not only turn text into vectors or pictures."""
        return self.capabilities is None or "completion" in self.capabilities

    @property
    def inserts(self) -> bool:
        """Whether its template writes a prompt of a text before and a text after."""
        if self.capabilities is not None:
            return "insert" in self.capabilities
        return ".Suffix" in self.template

    @property
    def thinks(self) -> bool:
        """Whether it thinks before it answers unless it is told not to."""
        return self.capabilities is not None and "thinking" in self.capabilities

    @property
    def converses(self) -> bool:
        """Whether it takes messages, and not only text to be continued.

        The template of a base model holds nothing but `.Prompt` (and `.Suffix`). Ollama writes the
        prompts of newer models itself, which the Modelfile says in a line `RENDERER`.
        """
        if any(mark in self.template for mark in (".Messages", ".System", ".Response")):
            return True
        return self.thinks or "\nRENDERER " in f"\n{self.modelfile}"


def version_of(answer: dict[str, object]) -> Version | None:
    """Read `/api/version`: its version, or None when this is no answer of Ollama's."""
    said = answer.get("version")
    if not isinstance(said, str) or not said.strip():
        return None
    found = re.match(r"v?(\d+(?:\.\d+)*)", said.strip())
    numbers = tuple(int(part) for part in found[1].split(".")[:4]) if found else ()
    # Builds without a release are called 0.0.0 (version/version.go).
    return numbers if any(numbers) else ()


def is_at_least(version: Version, wanted: Version) -> bool:
    """Return whether a version is `wanted` or newer."""
    return not version or version >= wanted


def listed_of(answer: dict[str, object]) -> tuple[Listed, ...]:
    """Read `/api/tags`."""
    return tuple(
        Listed(
            name,
            size_bytes=count(entry.get("size")),
            digest=digest_of(entry.get("digest")),
            architecture=text(details.get("family")),
            parameters=parameters_of(details.get("parameter_size")),
            quantisation=text(details.get("quantization_level")),
            remote_host=text(entry.get("remote_host")),
        )
        for entry in objects(answer.get("models"))
        if (name := text(entry.get("name")) or text(entry.get("model")))
        for details in (mapping(entry.get("details")),)
    )


def running_of(answer: dict[str, object]) -> tuple[Running, ...]:
    """Read `/api/ps`."""
    return tuple(
        Running(
            name,
            size_bytes=count(entry.get("size")),
            vram_bytes=count(entry.get("size_vram")),
            context_tokens=count(entry.get("context_length")),
            digest=digest_of(entry.get("digest")),
        )
        for entry in objects(answer.get("models"))
        if (name := text(entry.get("name")) or text(entry.get("model")))
    )


def shown_of(answer: dict[str, object]) -> Shown:
    """Read `/api/show`."""
    details = mapping(answer.get("details"))
    info = mapping(answer.get("model_info"))
    tells = isinstance(answer.get("capabilities"), list)
    architecture = text(details.get("family")) or text(info.get("general.architecture"))
    return Shown(
        template=text(answer.get("template")),
        modelfile=text(answer.get("modelfile")),
        capabilities=frozenset(texts(answer.get("capabilities"))) if tells else None,
        architecture=architecture,
        parent=text(details.get("parent_model")),
        base_name=text(info.get("general.basename")),
        parameters=count(info.get("general.parameter_count"))
        or parameters_of(details.get("parameter_size")),
        quantisation=text(details.get("quantization_level")),
        trained_tokens=_trained_tokens(info),
        set_tokens=_parameter(text(answer.get("parameters")), "num_ctx"),
        licence=text(info.get("general.license")) or licence_name(text(answer.get("license"))),
        remote_host=text(answer.get("remote_host")),
        vocabulary=frozenset(texts(info.get("tokenizer.ggml.tokens"))),
    )


def full_name(name: str) -> str:
    """Return a model's name as `/api/tags` and `/api/ps` write it: with its tag."""
    last = name.rpartition("/")[2]
    return name if ":" in last or not name else f"{name}:latest"


def is_same(one: str, other: str) -> bool:
    """Return whether two names mean the same model; case does not count (server/routes.go)."""
    return full_name(one).casefold() == full_name(other).casefold()


def is_remote(name: str, remote_host: str = "") -> bool:
    """Return whether a model runs in Ollama's cloud, to which the local server would send prompts.

    Such models are called `NAME:cloud` or `NAME:TAG-cloud` (docs/cloud.mdx), and `remote_host` says
    where they run.
    """
    tag = full_name(name).rpartition(":")[2].casefold()
    return bool(remote_host) or tag == "cloud" or tag.endswith("-cloud")


def parameters_of(said: object) -> int:
    """Read a number of parameters such as "7.6B" or "494.03M"; 0 when it is none."""
    found = _NUMBER_WITH_UNIT.fullmatch(text(said).strip())
    return round(float(found[1]) * _UNITS[found[2].upper()]) if found else 0


def digest_of(said: object) -> str:
    """Read a SHA-256, with or without its prefix; "" when it is none."""
    found = _DIGEST.fullmatch(text(said).lower())
    return found[1] if found else ""


def licence_name(words: str) -> str:
    """Return a short name for a licence of which the whole text is given, "" for none."""
    lines = [line.strip() for line in words.strip().splitlines() if line.strip()]
    if not lines:
        return ""
    name = lines[0]
    version = re.match(r"Version\s+[\d.]+", lines[1]) if len(lines) > 1 else None
    if version is not None:
        name = f"{name}, {version[0]}"
    return name if len(name) <= _LONGEST_LICENCE_NAME else f"{name[: _LONGEST_LICENCE_NAME - 1]}…"


def _trained_tokens(info: dict[str, object]) -> int:
    architecture = text(info.get("general.architecture"))
    own = count(info.get(f"{architecture}.context_length"))
    return own or max(
        (count(value) for key, value in info.items() if key.endswith(".context_length")), default=0
    )


def _parameter(lines: str, name: str) -> int:
    """Read a whole number from the lines "NAME   VALUE" of a model's parameters."""
    for line in lines.splitlines():
        key, _, value = line.strip().partition(" ")
        if key == name and value.strip().isascii() and value.strip().isdigit():
            return int(value.strip()[:9])
    return 0
