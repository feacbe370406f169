"""The file of dismissed findings: its form, how it is read, and what is written into it.

The file is JSON: `{"version": 2, "rules": […], "projects": {PROJECT: {"findings": {FINGERPRINT:
RULE}, "rulesHere": {DOCUMENT: RULE}}}}`, where PROJECT and DOCUMENT are digests. Version 1 had no
projects but the lists "findings" and "rulesHere" beside "rules"; they count in every project.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

_VERSION = 2
_MOST_BYTES = 16 * 1024 * 1024


@dataclass(slots=True)
class DismissedInProject:
    """What is dismissed in one project, each with the name of its rule."""

    findings: dict[str, str] = field(default_factory=dict[str, str])
    rules_here: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(slots=True)
class DismissedList:
    """What the file holds; the lists other than `rules` are those of version 1."""

    findings: list[str] = field(default_factory=list[str])
    rules_here: list[str] = field(default_factory=list[str])
    rules: list[str] = field(default_factory=list[str])
    projects: dict[str, DismissedInProject] = field(default_factory=dict[str, DismissedInProject])

    def entries(self) -> int:
        """Count all that is dismissed."""
        inside = sum(len(one.findings) + len(one.rules_here) for one in self.projects.values())
        return len(self.findings) + len(self.rules_here) + len(self.rules) + inside


class UnreadableListError(OSError):
    """The list of what is dismissed is there, but not of a form that can be read.

    Args:
        reason: What is the matter with it, as the end of a sentence.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def signature(path: Path) -> tuple[int, int, int] | None:
    """Return what changes when the file is written anew; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def written(known: DismissedList) -> str:
    """Return the content of the file."""
    tree: dict[str, Any] = {
        "version": _VERSION,
        "rules": known.rules,
        "projects": {
            name: {"findings": project.findings, "rulesHere": project.rules_here}
            for name, project in known.projects.items()
            if project.findings or project.rules_here
        },
    }
    if known.findings or known.rules_here:
        tree |= {"findings": known.findings, "rulesHere": known.rules_here}
    return json.dumps(tree, indent=1)


def read(path: Path) -> DismissedList:
    """Read the file; an entry that is not as we write it is left out.

    Raises:
        UnreadableListError: It is larger than we ever write it, damaged, or of a newer version.
            Who raises it does not write over it.
        OSError: It is closed to us.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return DismissedList()
    if len(data) > _MOST_BYTES:
        raise UnreadableListError("too large")
    try:
        value: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UnreadableListError("damaged") from error
    if not isinstance(value, dict):
        raise UnreadableListError("damaged")
    tree = cast("dict[str, Any]", value)
    version = tree.get("version", 1)
    if not isinstance(version, int) or version > _VERSION:
        raise UnreadableListError("of a newer version")
    projects = tree.get("projects")
    known = DismissedList(
        _strings(tree, "findings"), _strings(tree, "rulesHere"), _strings(tree, "rules")
    )
    if isinstance(projects, dict):
        for name, inside in cast("dict[str, Any]", projects).items():
            if isinstance(inside, dict):
                one = cast("dict[str, Any]", inside)
                known.projects[name] = DismissedInProject(
                    _texts(one, "findings"), _texts(one, "rulesHere")
                )
    return known


def _strings(tree: dict[str, Any], key: str) -> list[str]:
    found = tree.get(key)
    if not isinstance(found, list):
        return []
    return [entry for entry in cast("list[Any]", found) if isinstance(entry, str)]


def _texts(tree: dict[str, Any], key: str) -> dict[str, str]:
    found = tree.get(key)
    if not isinstance(found, dict):
        return {}
    entries = cast("dict[str, Any]", found).items()
    return {name: rule for name, rule in entries if isinstance(rule, str)}
