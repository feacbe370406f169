"""Finds what has changed since a commit, so that a review reads nothing else.

Git says what a commit and the index hold (`sirdab.review.git`); what the files hold now is read
here, and compared here, because Git would run the repository's filters on them.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sirdab.config.schema import Settings
from sirdab.review.files import MAX_FILES, MOST_BYTES, TOO_LARGE, read_content, read_file
from sirdab.review.gates import Gates
from sirdab.review.git import GitError, Repository, root_of
from sirdab.review.line_diff import changed_lines
from sirdab.review.sources import (
    Found,
    Lines,
    Source,
    is_below,
    sources_of,
)
from sirdab.review.units import LANGUAGES
from sirdab.syntax.languages import language_of
from sirdab.text.document import Snapshot
from sirdab.text.store import Text

# Looking whether a file has changed costs reading it, a tenth of a millisecond.
_MOST_LOOKED_AT = 100_000


@dataclass(frozen=True, slots=True)
class _Base:
    """What the files of a repository are compared with.

    Attributes:
        files: The objects of a commit by name.
        renamed: Names in the commit of files that have another name in the index.
    """

    files: dict[str, str]
    renamed: dict[str, str]


def changed_sources(
    paths: Sequence[Path], settings: Settings, gates: Gates, revision: str = ""
) -> Found:
    """Return the files that differ from a commit, with the lines that do.

    Staged, unstaged and untracked changes count alike. A file is compared with its own repository,
    so one in a submodule with the submodule's commit.

    Args:
        paths: Files and folders.
        settings: The settings in force.
        gates: Leave out what is excluded; such a file is not even read.
        revision: Compared is with the newest commit that it and HEAD come from; "" for HEAD itself.

    Raises:
        GitError: A path lies in no repository, there is no such revision, or Git fails.
    """
    _check_repositories(paths)
    by_root: dict[Path, list[Source]] = {}
    named = sources_of(paths, settings, gates, most=_MOST_LOOKED_AT)
    for source in named.sources:
        if gates.excluded_by(str(source.path), settings, (str(source.folder),)) is None:
            by_root.setdefault(source.root, []).append(source)
    found: list[Source] = []
    for root, sources in by_root.items():
        found.extend(_changed(Repository(root), sources, revision))
    return Found(found[:MAX_FILES], named.more or len(found) > MAX_FILES)


def staged_sources(paths: Sequence[Path], settings: Settings, gates: Gates) -> Found:
    """Return the files that are staged for the next commit, as they are staged.

    Args:
        paths: Files and folders; a file that is not staged is left out.
        settings: The settings in force.
        gates: Leave out what is excluded.

    Raises:
        GitError: A path lies in no repository, or Git fails.
    """
    by_root: dict[Path, list[Path]] = {}
    for path, root in _check_repositories(paths).items():
        by_root.setdefault(root, []).append(path)
    found: list[Source] = []
    for root, named in by_root.items():
        found.extend(_staged(Repository(root), named, settings, gates))
    return Found(found[:MAX_FILES], len(found) > MAX_FILES)


def _check_repositories(paths: Sequence[Path]) -> dict[Path, Path]:
    """Return the repository of each path."""
    roots: dict[Path, Path] = {}
    for path in paths:
        whole = path.absolute()
        root = root_of(whole if path.is_dir() else whole.parent)
        if root is None:
            raise GitError(
                f"{path} is not in a Git repository, so nobody knows what has changed; review it "
                "without --changed or --staged."
            )
        roots[path] = root
    return roots


def _changed(repository: Repository, sources: list[Source], revision: str) -> Iterator[Source]:
    base = _base(repository, revision)
    pending: list[tuple[Source, Snapshot, str]] = []
    for source in sources:
        name = source.path.relative_to(repository.root).as_posix()
        before = base.files.get(base.renamed.get(name, name), "")
        snapshot = read_file(source.path)
        if isinstance(snapshot, str) or not before:
            # Unreadable ones go on too: the review says of each file why it is left out.
            yield source
        elif before != _object(source.path, repository.digest):
            pending.append((source, snapshot, before))
    blobs = repository.blobs((before for _, _, before in pending), MOST_BYTES)
    for source, snapshot, before in pending:
        lines = _lines_since(blobs.get(before), snapshot)
        if lines != ():
            yield replace(source, content=snapshot, lines=lines)


def _base(repository: Repository, revision: str) -> _Base:
    head = repository.commit("HEAD")
    if revision:
        other = repository.commit(revision)
        if other is None:
            raise GitError(
                f"The repository {repository.root} has no commit {revision!r}; name another one, "
                "or fetch it."
            )
        base = None if head is None else repository.merge_base(head, other)
        if base is None:
            raise GitError(
                f"HEAD and {revision!r} have no known commit in common; fetch more of the history "
                "(git fetch --unshallow)."
            )
    else:
        # Before the first commit everything is new.
        base = head or repository.empty_tree()
    staged = repository.staged(base)
    renamed = {entry.path: entry.old_path for entry in staged if entry.path != entry.old_path}
    return _Base(repository.files(base), renamed)


def _staged(
    repository: Repository, paths: list[Path], settings: Settings, gates: Gates
) -> Iterator[Source]:
    named = {path.absolute(): path for path in paths}
    entries = [
        (entry, repository.root / entry.path)
        for entry in repository.staged(repository.commit("HEAD") or repository.empty_tree())
        if is_below(repository.root / entry.path, named)
    ]
    wanted = [
        (entry, whole)
        for entry, whole in entries
        if language_of(whole) in LANGUAGES
        and gates.excluded_by(str(whole), settings, (str(repository.root),)) is None
    ]
    names = {name for entry, _ in wanted for name in (entry.new, entry.old) if name}
    blobs = repository.blobs(names, MOST_BYTES)
    for entry, whole in wanted:
        content = blobs.get(entry.new)
        # Only what is too large is not given out: a submodule is no file of code.
        snapshot = TOO_LARGE if content is None else read_content(content, whole)
        lines = None
        # What cannot be reviewed goes on too: a gate must not be silent about it.
        if entry.old and not isinstance(snapshot, str):
            lines = _lines_since(blobs.get(entry.old), snapshot)
        if lines != ():
            around = next(folder for folder in named if whole.is_relative_to(folder))
            shown = named[around] / whole.relative_to(around)
            yield Source(shown, whole, repository.root, snapshot, lines)


def _lines_since(before: bytes | None, snapshot: Snapshot) -> Lines | None:
    """Return the lines that are new; None for all, where nobody knows what was there before."""
    if before is None:
        return None
    old = Text(before.decode("utf-8-sig", "replace"))
    return tuple(changed_lines(_bodies(old), _bodies(snapshot.text)))


def _bodies(text: Text) -> list[str]:
    return [text.line_body(number) for number in range(text.line_count)]


def _object(path: Path, digest: str) -> str:
    """Return the name that Git gives to a file's content (gitformat-pack(5), "blob")."""
    try:
        content = path.read_bytes()
    except OSError:
        return ""
    head = b"blob %d\0" % len(content)
    return hashlib.new(digest, head + content, usedforsecurity=False).hexdigest()
