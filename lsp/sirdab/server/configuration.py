"""Keeps the sources of the settings, and what is still to be said about their faults.

Pure: it is handed what the client sent. `sirdab.config.settings` knows what a setting is.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

from sirdab.config.schema import Settings
from sirdab.config.settings import Source, load_user_source, resolve

SECTION = "sirdab"


class Configuration:
    """The settings in force.

    Attributes:
        settings: The settings, resolved.
        trusted: Whether the user trusts the workspace.
    """

    def __init__(self, changed: Callable[[Settings, Settings], None] | None = None) -> None:
        """Start with the defaults.

        Args:
            changed: Called with the settings before and after each change of their sources.
        """
        self._options: Source | None = None
        self._user: Source | None = None
        self._pulled: Source | None = None
        self._pushed: Source | None = None
        self._shape_problems: list[str] = []
        self._reported: set[str] = set()
        self._waiting: list[str] = []
        self._changed = changed
        self.settings = Settings()
        self.trusted = True

    def begin(self, options: Any) -> None:
        """Take `initializationOptions`, in which `trusted` may stand beside the settings."""
        values = self._tree("initializationOptions", options)
        if values is not None:
            values = dict(values)
            trusted = values.pop("trusted", True)
            if isinstance(trusted, bool):
                self.trusted = trusted
            else:
                # What was meant cannot be told, so the careful reading is taken.
                self.trusted = False
                self._shape_problems.append(
                    "initializationOptions: trusted must be true or false; the workspace is "
                    "treated as not trusted."
                )
            self._options = Source("initializationOptions", values, user_level=True)
        self._resolve()

    def pull(self, answer: Any) -> None:
        """Take the client's answer to `workspace/configuration`."""
        self._pulled = self._workspace_source("workspace/configuration", answer)
        self._resolve()

    def push(self, settings: Any) -> None:
        """Take the settings of `workspace/didChangeConfiguration`, if they hold our section.

        Some clients send their whole settings, some only a section, and those that are meant
        to be asked send nothing. Only a tree that names us is taken.
        """
        if isinstance(settings, Mapping):
            section = cast("Mapping[str, Any]", settings).get(SECTION)
            self._pushed = self._workspace_source("workspace/didChangeConfiguration", section)
        self._resolve()

    def take_problems(self) -> list[str]:
        """Return the problems that have not been told yet; each is returned once."""
        waiting, self._waiting = self._waiting, []
        return waiting

    def _workspace_source(self, name: str, values: Any) -> Source | None:
        tree = self._tree(name, values)
        return None if tree is None else Source(name, tree, user_level=False)

    def _tree(self, name: str, values: Any) -> Mapping[str, Any] | None:
        # An empty list is what some clients' JSON makes of an empty table.
        if values is None or values == []:
            return None
        if isinstance(values, Mapping):
            return cast("Mapping[str, Any]", values)
        self._shape_problems.append(f"{name}: must be an object; it is not used.")
        return None

    def _resolve(self) -> None:
        user, problems = load_user_source()
        if user is None and problems:
            # A file that is being edited is broken now and then. Without its last settings the
            # user's exclusions would not hold, and another model server would be started.
            user = self._user
        self._user = user
        # What the client answers when asked is newer than what it once pushed.
        sources = [self._pulled or self._pushed, self._options, user]
        before = self.settings
        resolved = resolve([source for source in sources if source is not None])
        self.settings = resolved.settings
        if self._changed is not None:
            self._changed(before, self.settings)
        for problem in (*problems, *self._shape_problems, *resolved.problems):
            if problem not in self._reported:
                self._reported.add(problem)
                self._waiting.append(problem)
        self._shape_problems.clear()
