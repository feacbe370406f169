"""Findings that the user does not want to see again, kept in the user's state directory.

A finding is known by its fingerprint, which holds neither source text nor the name of the file, so
it stays dismissed when its file is renamed. It is dismissed for one project: the same code
elsewhere is asked about again. A rule is dismissed for one document, or everywhere. Several
editors may write at once, so the file is read anew under a lock before it is changed.
"""

import contextlib
import hashlib
import itertools
import logging
import os
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from sirdab.config.directories import state_directory
from sirdab.review.dismissed_list import DismissedInProject, DismissedList, read, signature, written
from sirdab.review.finding import Finding
from sirdab.review.renaming import FILE, Renamed, local_path, name_of, names_now

_log = logging.getLogger(__name__)

Scope = Literal["finding", "rule-here", "rule"]

SCOPES: tuple[Scope, ...] = ("finding", "rule-here", "rule")

_LOCK_SECONDS = 2.0
# More than anybody dismisses by hand; the oldest go first.
_MOST = 10_000
_MOST_PROJECTS = 1_000
# No project lies deeper, and no link makes a way up endless.
_MOST_PARENTS = 64
_REMEMBERED_FOLDERS = 1_024


class Dismissals:
    """What has been dismissed.

    Attributes:
        version: Another number each time something else is dismissed than before.

    Args:
        path: The file; the user's own by default.
        folders: Returns the workspace's folders: a file that lies in no Git repository
            belongs to the project of its workspace folder.
    """

    def __init__(
        self, path: Path | None = None, folders: Callable[[], Sequence[str]] = tuple
    ) -> None:
        self._path = path
        self._folders = folders
        self._known = DismissedList()
        self._signature: tuple[int, int, int] | None = None
        self._roots: dict[tuple[str, tuple[str, ...]], tuple[str, ...]] = {}
        self.version = 0

    def refresh(self) -> bool:
        """Take up what other editors have dismissed; costs looking at the file's date.

        Returns:
            Whether there was news.
        """
        path = self._where()
        now = signature(path)
        if now == self._signature:
            return False
        self._signature = now
        self.version += 1
        try:
            self._known = read(path)
        except OSError as error:
            # What was known before holds on; nothing of the file goes into the log.
            _log.warning(
                "The dismissed findings in %s cannot be read (%s); move the file away to begin "
                "a new one.", path, error.args[-1] if error.errno is None else error.strerror,
            )  # fmt: skip
        return True

    def covers(self, finding: Finding, uri: str) -> bool:
        """Whether a finding is not to be shown.

        Args:
            finding: The finding.
            uri: The document that it is in.
        """
        known = self._known
        if finding.rule in known.rules or finding.fingerprint in known.findings:
            return True
        here = _here(finding.rule, uri) if known.rules_here or known.projects else ""
        return here in known.rules_here or any(
            finding.fingerprint in project.findings or here in project.rules_here
            for project in self._projects(known, uri)
        )

    def dismiss(self, fingerprint: str, rule: str, uri: str, scope: Scope) -> None:
        """Remember that something is not to be shown.

        Args:
            fingerprint: The finding.
            rule: Its rule.
            uri: The document that it is in.
            scope: Whether the finding is meant, its rule in the document, or its rule.

        Raises:
            OSError: It cannot be written, or what it holds cannot be read and would be lost.
            TimeoutError: Another program keeps the file locked.
        """
        with self._changing() as known:
            if scope == "rule":
                if rule not in known.rules:
                    known.rules.append(rule)
                    del known.rules[:-_MOST]
                return
            name = _digest(self._candidates(uri)[0])
            project = known.projects.pop(name, None) or DismissedInProject()
            known.projects[name] = project
            _cut(known.projects, _MOST_PROJECTS)
            if scope == "finding":
                project.findings[fingerprint] = rule
                _cut(project.findings, _MOST)
            else:
                project.rules_here[_here(rule, uri)] = rule
                _cut(project.rules_here, _MOST)

    def restore(self, findings: Iterable[Finding], uri: str) -> int:
        """Forget all that keeps some findings of a document from being shown.

        Returns:
            How many entries were removed: findings, and rules for the document or everywhere.

        Raises:
            OSError: It cannot be written, or what it holds cannot be read.
            TimeoutError: Another program keeps the file locked.
        """
        wanted = list(findings)
        with self._changing() as known:
            before = known.entries()
            fingerprints = {finding.fingerprint for finding in wanted}
            rules = {finding.rule for finding in wanted}
            documents = {_here(rule, uri) for rule in rules}
            known.findings[:] = [one for one in known.findings if one not in fingerprints]
            known.rules_here[:] = [one for one in known.rules_here if one not in documents]
            known.rules[:] = [one for one in known.rules if one not in rules]
            for project in self._projects(known, uri):
                for fingerprint in fingerprints:
                    project.findings.pop(fingerprint, None)
                for here, rule in list(project.rules_here.items()):
                    # A rule that finds nothing in the document any more may be dismissed there.
                    if here in documents or here == _here(rule, uri):
                        del project.rules_here[here]
            return before - known.entries()

    def restore_all(self) -> int:
        """Forget everything that was dismissed, and return how much that was.

        Raises:
            OSError: It cannot be written, or what it holds cannot be read.
            TimeoutError: Another program keeps the file locked.
        """
        with self._changing() as known:
            count = known.entries()
            known.findings.clear()
            known.rules_here.clear()
            known.rules.clear()
            known.projects.clear()
            return count

    def renamed(self, old: str, new: str) -> bool:
        """Take it that a file or a folder has another name, for what is dismissed in it.

        Args:
            old: Its URI before.
            new: Its URI now.

        Returns:
            Whether that made a difference.

        Raises:
            OSError: It cannot be written, or what it holds cannot be read.
            TimeoutError: Another program keeps the file locked.
        """
        self.refresh()
        if not self._known.projects:
            return False
        names = list(names_now(old, new))
        if not self._move(self._known, names, is_trial=True):
            return False
        self._roots.clear()
        with self._changing() as known:
            return self._move(known, names)

    def _move(
        self, known: DismissedList, names: Sequence[Renamed], *, is_trial: bool = False
    ) -> bool:
        """File what is dismissed in some files under their new names.

        Returns:
            Whether anything is, or with `is_trial` would be, filed elsewhere.
        """
        held = {here: one for one in known.projects.values() for here in one.rules_here}
        rules = {rule for one in known.projects.values() for rule in one.rules_here.values()}
        changed = False
        for name in names:
            if name.is_folder:
                # What is dismissed in a project is filed under the name of its folder.
                before, now = (_digest(os.path.realpath(path)) for path in (name.old, name.new))
                if before in known.projects and before != now:
                    changed = True
                    if not is_trial:
                        moved = known.projects.pop(before)
                        target = known.projects.setdefault(now, DismissedInProject())
                        target.findings |= moved.findings
                        target.rules_here |= moved.rules_here
                        held |= dict.fromkeys(moved.rules_here, target)
                continue
            for rule in rules:
                here = _named(rule, name.old)
                project = held.pop(here, None)
                if project is None:
                    continue
                changed = True
                if not is_trial:
                    del project.rules_here[here]
                    root = _digest(self._candidates_of(name.new)[0])
                    target = known.projects.setdefault(root, DismissedInProject())
                    target.rules_here[_named(rule, name.new)] = rule
        return changed

    # --- projects ------------------------------------------------------------------------------

    def _projects(self, known: DismissedList, uri: str) -> Iterable[DismissedInProject]:
        """Yield what is known of the projects that a document may belong to."""
        if known.projects:
            for root in self._candidates(uri):
                project = known.projects.get(_digest(root))
                if project is not None:
                    yield project

    def _candidates(self, uri: str) -> tuple[str, ...]:
        """Return what a document's project may be called, the nearest Git repository first.

        All of them count when it is looked up, because a folder may have become a repository, or
        been opened in another way, since something was dismissed in it.
        """
        return self._candidates_of(name_of(uri))

    def _candidates_of(self, name: str) -> tuple[str, ...]:
        if not name.startswith(FILE):
            return (name.partition(":")[0].lower(),)
        path = local_path(name)
        parent, folders = str(Path(path).parent), tuple(self._folders())
        key = parent, folders
        if key not in self._roots:
            if len(self._roots) >= _REMEMBERED_FOLDERS:
                self._roots.clear()
            self._roots[key] = tuple(_roots(parent, folders))
        return self._roots[key]

    # --- the file --------------------------------------------------------------------------------

    @contextmanager
    def _changing(self) -> Generator[DismissedList]:
        """Give out what the file holds, and write it back when it was changed."""
        from filelock import FileLock

        from sirdab.policy.private import make_private_directory

        path = self._where()
        make_private_directory(path.parent)
        with FileLock(path.with_suffix(".lock"), timeout=_LOCK_SECONDS, mode=0o600):
            known = read(path)
            before = written(known)
            yield known
            after = written(known)
            if after != before or not path.exists():
                part = path.with_suffix(".part")
                part.write_text(after, encoding="utf-8")
                part.replace(path)
            self._known = known
            self._signature = signature(path)
            self.version += 1

    @property
    def path(self) -> Path:
        """The file that it is kept in."""
        return self._where()

    def _where(self) -> Path:
        return self._path or state_directory() / "dismissed.json"


def _roots(parent: str, folders: tuple[str, ...]) -> Iterable[str]:
    place = os.path.realpath(parent)
    found = [place]
    for folder in folders:
        whole = os.path.realpath(folder)
        if place == whole or place.startswith(whole.rstrip(os.sep) + os.sep):
            # The outermost of several that lie in each other.
            found = [min(whole, found[0], key=len), place]
    for above in itertools.islice((Path(place), *Path(place).parents), _MOST_PARENTS):
        with contextlib.suppress(OSError, ValueError):
            # A folder, or a file in the work trees and submodules of Git.
            if (above / ".git").exists():
                found.insert(0, str(above))
                break
    return dict.fromkeys(found)


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _here(rule: str, uri: str) -> str:
    """Name a rule in a document, without the document's name."""
    return _named(rule, name_of(uri))


def _named(rule: str, document: str) -> str:
    return _digest(f"{rule}\0{document}")


def _cut(entries: dict[str, Any], most: int) -> None:
    while len(entries) > most:
        del entries[next(iter(entries))]
