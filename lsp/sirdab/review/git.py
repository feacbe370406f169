"""Says what a Git repository holds: commits, the index and objects, never the work tree.

How Git is run without running anything of the repository is in `sirdab.review.git_process`.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from sirdab.review.git_process import MAX_OUTPUT_BYTES, find_git, run_git

# No project lies deeper.
_MOST_PARENTS = 64


class GitError(Exception):
    """Git cannot say what was asked.

    Attributes:
        message: Why, and what to do, as one sentence.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Entry(NamedTuple):
    """One file that has changed between a commit and the index.

    Attributes:
        path: Its name, relative to the root of the repository, with "/".
        new: The object that the index has for it.
        old: The object that the commit has for it, or for the file that it was renamed from; ""
            where it is new.
        old_path: Its name in the commit.
    """

    path: str
    new: str
    old: str
    old_path: str


def root_of(path: Path) -> Path | None:
    """Return the root of the repository that a path lies in, or None.

    Args:
        path: A whole path. What is above it need not exist.
    """
    for folder in (path, *path.parents)[:_MOST_PARENTS]:
        # In work trees and submodules it is a file.
        if os.path.lexists(folder / ".git"):
            return folder
    return None


class Repository:
    """One repository.

    Args:
        root: The folder that holds `.git`.

    Raises:
        GitError: There is no Git, or it does not take the folder for a repository of the user's.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        program = find_git(root)
        if program is None:
            raise GitError("Git is not installed, and without it nobody knows what has changed.")
        self._program = program
        self._index: str | None = None
        found = self._ask("rev-parse", "--show-object-format", "--absolute-git-dir")
        if found is None:
            raise GitError(
                f"Git does not accept {root} as a repository of yours; run git status there to "
                "see why."
            )
        # The name of a folder may hold any sign, also line ends.
        kind, _, folder = os.fsdecode(found).removesuffix("\n").partition("\n")
        # What Git itself sets for its hooks: the index of the commit that is being made.
        index = os.environ.get("GIT_INDEX_FILE")
        if index and Path(os.path.abspath(index)).is_relative_to(folder):  # noqa: PTH100
            self._index = os.path.abspath(index)  # noqa: PTH100
        # Versions before 2.28 know no other than SHA-1, and repeat the question.
        self.digest = "sha256" if kind == "sha256" else "sha1"
        self._digits = 64 if kind == "sha256" else 40

    def commit(self, revision: str) -> str | None:
        """Return the name of a commit, or None when there is none of that name."""
        if revision.startswith("-") or "\0" in revision:
            return None
        found = self._ask("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        return None if found is None else found.decode("ascii", "replace").strip()

    def merge_base(self, one: str, other: str) -> str | None:
        """Return the newest commit that two commits come from, or None when none is known."""
        found = self._ask("merge-base", one, other)
        return None if not found else found.decode("ascii", "replace").splitlines()[0]

    def empty_tree(self) -> str:
        """Return the name of the tree without files, which every repository knows."""
        import hashlib

        return hashlib.new(self.digest, b"tree 0\0", usedforsecurity=False).hexdigest()

    def files(self, tree: str) -> dict[str, str]:
        """Return the files of a commit or tree by name, with their objects.

        Links and submodules are left out.

        Raises:
            GitError: There are too many, or Git fails.
        """
        found = self._must("ls-tree", "-r", "-z", "--full-tree", tree)
        files: dict[str, str] = {}
        for line in found.split(b"\0"):
            head, _, name = line.partition(b"\t")
            mode, _, rest = head.partition(b" ")
            if mode.startswith(b"100"):
                files[os.fsdecode(name)] = rest.partition(b" ")[2].decode("ascii", "replace")
        return files

    def staged(self, tree: str) -> list[Entry]:
        """Return the files that differ between a commit or tree and the index.

        Deleted files, links, submodules and files in conflict are left out.

        Raises:
            GitError: There are too many, or Git fails.
        """
        found = self._must(
            "diff-index", "--cached", "--raw", "-z", "--no-abbrev", "--find-renames",
            "--no-ext-diff", "--no-textconv", "--ignore-submodules=all", tree, "--",
        )  # fmt: skip
        return list(_entries(found.split(b"\0")))

    def blobs(self, names: Iterable[str], most_bytes: int) -> dict[str, bytes]:
        """Return the content of objects.

        Args:
            names: The objects.
            most_bytes: Larger ones are left out, like those that are missing.

        Raises:
            GitError: Git fails.
        """
        wanted = sorted({name for name in names if len(name) == self._digits})
        known = self._must("cat-file", "--batch-check", given=_lines(wanted))
        small: list[tuple[str, int]] = []
        for line in known.decode("ascii", "replace").splitlines():
            match line.split(" "):
                case [name, "blob", size] if size.isdecimal() and int(size) <= most_bytes:
                    small.append((name, int(size)))
                case _:
                    pass
        content: dict[str, bytes] = {}
        for portion in _portions(small):
            found = self._must("cat-file", "--batch", given=_lines(name for name, _ in portion))
            at = 0
            for name, size in portion:
                start = found.index(b"\n", at) + 1
                content[name] = found[start : start + size]
                at = start + size + 1
        return content

    def _must(self, *arguments: str, given: bytes = b"") -> bytes:
        found = self._ask(*arguments, given=given)
        if found is None:
            raise GitError(
                f"Git cannot read the repository {self.root}; run git fsck there, or review the "
                "files by their names."
            )
        return found

    def _ask(self, *arguments: str, given: bytes = b"") -> bytes | None:
        """Run one command; None where it fails, takes too long or says too much."""
        return run_git(self._program, self.root, arguments, given=given, index=self._index)


def _entries(parts: Sequence[bytes]) -> Iterator[Entry]:
    """Read the output of `diff-index --raw -z` (git-diff-index(1), "RAW OUTPUT FORMAT")."""
    at = 0
    while at + 1 < len(parts):
        fields = parts[at].split(b" ")
        if len(fields) != 5:
            return
        _, mode, old, new, status = fields
        # A file that was renamed or copied has two names.
        names = 2 if status[:1] in b"RC" else 1
        paths = [os.fsdecode(name) for name in parts[at + 1 : at + 1 + names]]
        at += 1 + names
        if status[:1] in b"AMRCT" and mode.startswith(b"100"):
            before = old.decode("ascii", "replace")
            is_new = not before.strip("0")
            # What was a link before is a new file.
            is_new = is_new or not fields[0].startswith(b":100")
            yield Entry(
                paths[-1], new.decode("ascii", "replace"), "" if is_new else before, paths[0]
            )


def _lines(names: Iterable[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode("ascii", "replace")


def _portions(sized: Iterable[tuple[str, int]]) -> Iterator[list[tuple[str, int]]]:
    """Split objects so that no portion's content exceeds a quarter of what is read at once."""
    portion: list[tuple[str, int]] = []
    total = 0
    for name, size in sized:
        if portion and total + size > MAX_OUTPUT_BYTES // 4:
            yield portion
            portion, total = [], 0
        portion.append((name, size))
        total += size
    if portion:
        yield portion
