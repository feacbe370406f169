"""What a review of many files reads: each file once, with the lines that are asked about."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sirdab.config.schema import Settings
from sirdab.review.files import MAX_FILES, find_files, read_content, read_file
from sirdab.review.gates import Gates
from sirdab.review.git import root_of
from sirdab.text.document import Snapshot

Lines = tuple[tuple[int, int], ...]
"""First and last line (0-based, inclusive) of stretches, from top to bottom."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file.

    Attributes:
        named: As the user named it.
        path: Its whole path.
        folder: Absolute path of the folder that was named; for a file that was named itself, of its
            repository, or else of the folder around it.
        content: Its content where that is not to be read from the disk, or why there is none that
            can be reviewed.
        lines: What is reviewed of it; units that lie in these partly are reviewed whole. None
            for all of it.
    """

    named: Path
    path: Path
    folder: Path
    content: Snapshot | str | None = None
    lines: Lines | None = None

    @property
    def root(self) -> Path:
        """The project it belongs to: its repository, or else the folder that was named."""
        return root_of(self.path.parent) or self.folder

    def wants(self, first: int, last: int) -> bool:
        """Whether a stretch of lines, both ends included, is to be reviewed."""
        if self.lines is None:
            return True
        # The first stretch that does not end above it.
        at = bisect_left(self.lines, first, key=lambda stretch: stretch[1])
        return at < len(self.lines) and self.lines[at][0] <= last

    def read(self) -> Snapshot | str:
        """Return the content; or why it cannot be reviewed, as the second half of a sentence."""
        return read_file(self.path) if self.content is None else self.content


class Found(NamedTuple):
    """The files of a run.

    Attributes:
        sources: Each file once.
        more: Whether there are more than are read at once.
    """

    sources: list[Source]
    more: bool


def sources_of(
    paths: Sequence[Path], settings: Settings, gates: Gates, *, most: int = MAX_FILES
) -> Found:
    """Return the files that some paths name, in the order that they are named.

    Args:
        paths: Files, which are taken whatever they hold, and folders, whose code is looked for.
        settings: The settings in force.
        gates: Leave out what is excluded below a folder.
        most: Most files below one folder.
    """
    sources: dict[Path, Source] = {}
    more = False
    for named in paths:
        whole = named.absolute()
        if not named.is_dir():
            sources.setdefault(whole, Source(named, whole, root_of(whole.parent) or whole.parent))
            continue
        found = find_files((str(whole),), settings, gates, most=most)
        more = more or found.more
        for path in found.paths:
            sources.setdefault(path, Source(named / path.relative_to(whole), path, whole))
    return Found(list(sources.values()), more)


def given(content: bytes, name: Path) -> Source:
    """Return a document that does not come from the disk, such as an editor's.

    Args:
        content: What it holds.
        name: What it is called, which says in which language it is and whether it is excluded.
    """
    whole = name.absolute()
    around = root_of(whole.parent) or whole.parent
    return Source(name, whole, around, read_content(content, whole))


def is_below(path: Path, folders: Iterable[Path]) -> bool:
    """Whether a path is one of some others or lies below one of them."""
    return any(path.is_relative_to(folder) for folder in folders)
