"""How long to wait after a keystroke before the model is asked."""

from sirdab.completion.request import Trigger
from sirdab.config.schema import Settings

# Fast typists leave 60 to 120 ms between keys. Waiting about that long skips most requests
# that the next key would cancel, and is still felt as at once.
AUTOMATIC_MS = 75


def delay_ms(settings: Settings, trigger: Trigger) -> int:
    """Return the pause in milliseconds: the user's own figure, or ours; none when asked for."""
    if trigger is Trigger.INVOKED:
        return 0
    configured = settings.completion.debounce_ms
    return AUTOMATIC_MS if configured == "auto" else configured
