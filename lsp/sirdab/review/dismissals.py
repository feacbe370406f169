"""Findings that the user does not want to see again, kept in the user's state directory.

A finding is known by its fingerprint, which holds no source text; a rule by its name, for a
file or everywhere. Several editors may write at once, so the file is read anew under a lock
before it is changed.
"""

import hashlib
import json
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from sirdab.config.directories import state_directory
from sirdab.review.finding import Finding

_log = logging.getLogger(__name__)

Scope = Literal["finding", "rule-here", "rule"]

SCOPES: tuple[Scope, ...] = ("finding", "rule-here", "rule")

_LOCK_SECONDS = 2.0
# More than anybody dismisses by hand; the oldest go first.
_MOST = 10_000


@dataclass(slots=True)
class _Known:
    findings: list[str] = field(default_factory=list[str])
    rules_here: list[str] = field(default_factory=list[str])
    rules: list[str] = field(default_factory=list[str])


class Dismissals:
    """What has been dismissed.

    Args:
        path: The file; the user's own by default.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._known = _Known()
        self._signature: tuple[int, int] | None = None

    def refresh(self) -> None:
        """Take up what other editors have dismissed; costs looking at the file's date."""
        path = self._where()
        try:
            status = path.stat()
        except OSError:
            return
        signature = (status.st_mtime_ns, status.st_size)
        if signature != self._signature:
            self._signature = signature
            try:
                self._known = _read(path)
            except OSError as error:
                _log.warning("the dismissed findings cannot be read (%s)", type(error).__name__)

    def covers(self, finding: Finding, document: str) -> bool:
        """Whether a finding is not to be shown.

        Args:
            finding: The finding.
            document: Names the document; the same for all its states.
        """
        known = self._known
        return (
            finding.fingerprint in known.findings
            or finding.rule in known.rules
            or _here(finding.rule, document) in known.rules_here
        )

    def dismiss(self, fingerprint: str, rule: str, document: str, scope: Scope) -> None:
        """Remember that something is not to be shown.

        Raises:
            OSError: It cannot be written, or what it holds cannot be read and would be lost.
        """
        from filelock import FileLock

        from sirdab.policy.private import make_private_directory

        path = self._where()
        make_private_directory(path.parent)
        with FileLock(path.with_suffix(".lock"), timeout=_LOCK_SECONDS, mode=0o600):
            known = _read(path)
            target, entry = {
                "finding": (known.findings, fingerprint),
                "rule-here": (known.rules_here, _here(rule, document)),
                "rule": (known.rules, rule),
            }[scope]
            if entry not in target:
                target.append(entry)
                del target[:-_MOST]
            part = path.with_suffix(".part")
            part.write_text(
                json.dumps(
                    {
                        "findings": known.findings,
                        "rulesHere": known.rules_here,
                        "rules": known.rules,
                    },
                    indent=1,
                ),
                encoding="utf-8",
            )
            part.replace(path)
            self._known = known
            status = path.stat()
            self._signature = (status.st_mtime_ns, status.st_size)

    def _where(self) -> Path:
        return self._path or state_directory() / "dismissed.json"


def _here(rule: str, document: str) -> str:
    """Name a rule in a document, without the document's name."""
    return hashlib.sha256(f"{rule}\0{document}".encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _read(path: Path) -> _Known:
    try:
        value: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return _Known()
    except ValueError as error:
        _log.warning("the dismissed findings cannot be read (%s)", type(error).__name__)
        return _Known()
    if not isinstance(value, dict):
        return _Known()
    tree = cast("dict[str, Any]", value)
    return _Known(_strings(tree, "findings"), _strings(tree, "rulesHere"), _strings(tree, "rules"))


def _strings(tree: dict[str, Any], key: str) -> list[str]:
    found = tree.get(key)
    if not isinstance(found, list):
        return []
    return [entry for entry in cast("list[Any]", found) if isinstance(entry, str)]
