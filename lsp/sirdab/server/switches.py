"""What the user has turned off, or on again, for this session only.

The settings say what holds in general; these are the quick decisions of a moment, and a later
change of the setting that they overrule ends them. Pure: nothing here talks to the client.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from sirdab.config.schema import CompletionSettings, Settings

MAX_SNOOZE_MINUTES = 24 * 60
"""A snooze is no longer than a day; who wants more wants the setting."""


def _now() -> datetime:
    return datetime.now().astimezone()


class Switches:
    """The switches of one session: for everything, for a language, for a file, and for a while."""

    def __init__(self) -> None:
        self._everything: bool | None = None
        self._languages: dict[str, bool] = {}
        self._files: set[str] = set()
        self._until: datetime | None = None

    @property
    def snoozed_until(self) -> datetime | None:
        """When ghost text comes back by itself, in local time; None when it does not sleep."""
        # The clock is asked each time: a timer does not run while a laptop sleeps.
        if self._until is not None and self._until <= _now():
            self._until = None
        return self._until

    def settings(self, settings: Settings) -> Settings:
        """Return the settings with the switch for everything and the snooze applied."""
        completion = settings.completion
        enabled = completion.enabled if self._everything is None else self._everything
        if self.snoozed_until is not None:
            enabled = False
        if enabled == completion.enabled:
            return settings
        return replace(settings, completion=replace(completion, enabled=enabled))

    def settings_for(self, settings: Settings, language_id: str) -> Settings:
        """Return the settings with the switches for everything and for a language applied."""
        settings = self.settings(settings)
        wanted = self._languages.get(language_id)
        listed = settings.completion.disabled_languages
        if wanted is None or wanted == (language_id not in listed):
            return settings
        languages = tuple(name for name in listed if name != language_id)
        if not wanted:
            languages = (*listed, language_id)
        completion = replace(settings.completion, disabled_languages=languages)
        return replace(settings, completion=completion)

    def why_off(self, settings: Settings, language_id: str = "", key: str = "") -> str:
        """Say which switch keeps ghost text away, or return "" when none does.

        Args:
            settings: The settings without any switch applied.
            language_id: Language of the document that is asked about, if one is.
            key: The document, as the session names it, if one is asked about.
        """
        until = self.snoozed_until
        if until is not None:
            return f"Ghost text is snoozed until {until:%H:%M}."
        if self._everything is False:
            return "Ghost text is turned off for this session; toggle it to turn it on again."
        if key and key in self._files:
            return "Ghost text is turned off for this file in this session."
        off = self._languages.get(language_id) is False
        if off and language_id not in settings.completion.disabled_languages:
            return f"Ghost text is turned off for {language_id} in this session."
        return ""

    def set_everything(self, settings: Settings, wanted: bool | None) -> bool:
        """Turn ghost text on or off everywhere and return whether it is on now.

        Args:
            settings: The settings without any switch applied.
            wanted: True or False, or None to turn it to what it is not.
        """
        enabled = self.settings(settings).completion.enabled
        self._everything = not enabled if wanted is None else wanted
        if self._everything:
            self._until = None
        return self._everything

    def set_language(self, settings: Settings, language_id: str, wanted: bool | None) -> bool:
        """Turn ghost text on or off for a language; see `set_everything`."""
        listed = self.settings_for(settings, language_id).completion.disabled_languages
        self._languages[language_id] = language_id in listed if wanted is None else wanted
        return self._languages[language_id]

    def set_file(self, key: str, wanted: bool | None) -> bool:
        """Turn ghost text on or off for a document, named as the session names it."""
        on = key in self._files if wanted is None else wanted
        if on:
            self._files.discard(key)
        else:
            self._files.add(key)
        return on

    def snooze(self, minutes: int) -> datetime | None:
        """Turn ghost text off for some minutes (0 ends it) and return until when."""
        self._until = _now() + timedelta(minutes=minutes) if minutes else None
        return self._until

    def overruled(self, before: CompletionSettings, after: CompletionSettings) -> None:
        """Take it that settings have changed, which is a later word than a switch."""
        if before.enabled != after.enabled:
            self._everything = None
        if before.disabled_languages != after.disabled_languages:
            self._languages.clear()
