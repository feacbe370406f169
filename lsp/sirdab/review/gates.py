"""The checks a document passes before anything of it is put to a model."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sirdab.config.schema import Settings
from sirdab.policy import limits
from sirdab.policy.uris import judged_paths
from sirdab.review.units import LANGUAGES
from sirdab.text.document import Snapshot

if TYPE_CHECKING:
    from sirdab.policy.ignore import ExclusionRules

MAX_CHARACTERS = 512 * limits.KIB
"""Code points of a document that is reviewed. What is larger is data or generated, and would
occupy a small machine for an hour."""


class Gates:
    """Says why a document is not reviewed, or given to the model in any other way."""

    def __init__(self) -> None:
        # With the settings and folders that they are of. In one, because a thread asks as well.
        self._rules: tuple[tuple[tuple[str, ...], tuple[str, ...]], ExclusionRules] | None = None

    def refusal(
        self, snapshot: Snapshot, settings: Settings, folders: tuple[str, ...]
    ) -> str | None:
        """Return why a document must not be read, as one sentence, or None when it may be."""
        checks: tuple[Callable[[], str | None], ...] = (
            lambda: snapshot.suspect,
            lambda: _size(snapshot),
            lambda: self._excluded(snapshot, settings, folders),
        )
        return next((reason for check in checks if (reason := check())), None)

    def excluded_by(self, path: str, settings: Settings, folders: tuple[str, ...]) -> str | None:
        """Return the rule that excludes a path, or None."""
        key = (settings.privacy.exclude, folders)
        rules = self._rules
        if rules is None or rules[0] != key:
            from sirdab.policy.ignore import ExclusionRules

            rules = self._rules = (key, ExclusionRules(*key))
        return rules[1].is_excluded(path)

    def _excluded(
        self, snapshot: Snapshot, settings: Settings, folders: tuple[str, ...]
    ) -> str | None:
        paths = judged_paths(snapshot.uri)
        rules = (self.excluded_by(path, settings, folders) for path in paths)
        rule = next(filter(None, rules), None)
        return None if rule is None else f"The file is excluded by {rule}; it is never read."


def not_reviewed(language_id: str) -> str | None:
    """Return why documents of a language are not reviewed, or None when they are."""
    if language_id in LANGUAGES:
        return None
    return f"Documents of the language {language_id[:40]} are not reviewed, only source code is."


def _size(snapshot: Snapshot) -> str | None:
    if snapshot.text.char_count > MAX_CHARACTERS:
        return f"The document has more than {MAX_CHARACTERS:,} characters, too many to review."
    if limits.looks_binary("".join(snapshot.text.lines(0, 16))):
        return "The document looks binary."
    return None
