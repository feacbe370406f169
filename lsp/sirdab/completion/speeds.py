"""The speeds of the models that are asked, measured now and remembered from earlier."""

from pathlib import Path
from urllib.parse import urlsplit

from sirdab.completion.budget import Speed
from sirdab.endpoint.base import ModelInfo
from sirdab.models import speeds


class Speeds:
    """The speed of each model that has been used. Never raises."""

    def __init__(self, path: Path | None = None) -> None:
        """Begin; nothing is read before it is needed.

        Args:
            path: The file of `sirdab.models.speeds`; None keeps nothing.
        """
        self._path = path
        self._speeds: dict[str, Speed] | None = None

    def of(self, info: ModelInfo) -> Speed:
        """Return the speed of a model, to be read from and recorded to."""
        known = self._load()
        key = speeds.key_of(info.name, urlsplit(info.url).hostname or "")
        speed = known.pop(key, None) or Speed()
        # The one that was used last is kept longest.
        known[key] = speed
        while len(known) > speeds.MOST_MODELS:
            del known[next(iter(known))]
        return speed

    def save(self) -> None:
        """Write what has been measured, if anything has."""
        if self._path is None or not self._speeds:
            return
        figures = {key: speed.figures() for key, speed in self._speeds.items()}
        speeds.write(self._path, {key: one for key, one in figures.items() if any(one)})

    def _load(self) -> dict[str, Speed]:
        if self._speeds is None:
            found = {} if self._path is None else speeds.read(self._path)
            self._speeds = {key: Speed(figures) for key, figures in found.items()}
        return self._speeds
