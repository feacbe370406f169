"""Takes editor configurations out of the pages that show them to users.

A page's text is the very text that a test uses, so it cannot go stale without a test failing.
"""

import re
from pathlib import Path

PAGES = Path(__file__).parents[3] / "docs" / "editors"


def configuration(page: str, name: str) -> str:
    """Return a code block of a page.

    The block is the first one after the comment `<!-- configuration: NAME -->`.

    Args:
        page: The file's name in `docs/editors`.
        name: Which configuration.
    """
    text = (PAGES / page).read_text(encoding="utf-8")
    pattern = rf"<!-- configuration: {re.escape(name)} -->\n+```\w*\n(.*?)^```$"
    found = re.search(pattern, text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise AssertionError(f"{page} has no configuration {name!r}")
    return found[1]
