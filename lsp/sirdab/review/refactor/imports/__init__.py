"""What new code needs from elsewhere: imports that are missing, and libraries that are new."""

from sirdab.review.refactor.imports import go, python, script
from sirdab.review.refactor.imports.lifted import Lifted, lift
from sirdab.review.refactor.imports.modules import check_modules
from sirdab.review.refactor.shrink import LineEdit
from sirdab.text.store import Text

_SCRIPTS = frozenset({"javascript", "javascriptreact", "typescript", "typescriptreact"})


def needed(before: Text, after: Text, language_id: str, lifted: Lifted) -> list[LineEdit]:
    """Return the edits at the top of a document that new code needs to find what it names.

    Args:
        before: The document as it is.
        after: The document with the new code in it.
        language_id: Its language. For one that is not known here nothing is needed.
        lifted: The imports that the model wrote above its code.

    Returns:
        Edits of `before`, in order; none where nothing is missing.

    Raises:
        RefusalError: The new code names something that is nowhere.
    """
    if language_id == "python":
        return python.needed(before, after, lifted)
    if language_id in _SCRIPTS:
        return script.needed(before, after, language_id, lifted)
    if language_id == "go":
        return go.needed(before, after, lifted)
    return []


__all__ = ["Lifted", "check_modules", "lift", "needed"]
