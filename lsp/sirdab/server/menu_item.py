"""A suggestion as an item of the completion menu.

What editors make of an item differs, and this is the shape that all of them read alike:

* The edit takes in the word before the cursor, and label and filter text begin with it. Editors
  match the word they see before the cursor, some against the label (Emacs), some against the
  filter text, some against the text of the edit (ALE), and most drop an item that does not
  begin with it.
* The edit stays on the cursor's line (LSP 3.18, CompletionItem.textEdit).
* Sorted last, not preselected and without commit characters: it never stands between the user and
  the item of a language server that knows the code, nor takes a key that was meant for the text.
"""

import re
import unicodedata

from lsprotocol import types
from pygls.capabilities import get_capability

from sirdab.completion.request import Suggestion
from sirdab.server import convert
from sirdab.text.document import Snapshot
from sirdab.text.positions import Encoding
from sirdab.text.store import Point

# The last UTF-16 code unit, so behind every label.
_SORT_LAST = "\uffff"

# Longer labels would make the menu as wide as the screen.
_LABEL_CHARS = 80

_SOURCE = "Sirdab"

# Characters that belong to words beside letters, digits and underscores, by language, as the
# editors' own definitions of words have it.
_DOLLAR = dict.fromkeys(
    ("javascript", "javascriptreact", "typescript", "typescriptreact", "java"), "$"
)
_HYPHEN = dict.fromkeys(("css", "scss", "less", "clojure", "lisp", "scheme", "elisp"), "-")
_WORD_EXTRAS = {**_DOLLAR, **_HYPHEN}

_TICKS = re.compile("`+")


def menu_item(
    suggestion: Suggestion,
    snapshot: Snapshot,
    encoding: Encoding,
    capabilities: types.ClientCapabilities,
    model: str,
) -> types.CompletionItem:
    """Return a suggestion as an item.

    Args:
        suggestion: What is suggested.
        snapshot: The document it was computed for.
        encoding: That of the positions of this session.
        capabilities: What the client said it can do.
        model: The name of the model, "" when it is not known.
    """
    start = suggestion.start
    line = snapshot.text.line_body(start.line)
    first = Point(start.line, word_start(line, start.column, snapshot.language_id))
    text = line[first.column : start.column] + suggestion.text
    head, *more = text.strip().splitlines() or [""]
    cut = more or len(head) > _LABEL_CHARS
    item = types.CompletionItem(
        label=head[:_LABEL_CHARS] + (" …" if cut else ""),
        kind=types.CompletionItemKind.Text,
        detail=f"{_SOURCE} · {model}" if model else _SOURCE,
        documentation=_preview(text, snapshot.language_id, capabilities) if cut else None,
        preselect=False,
        sort_text=_SORT_LAST,
        filter_text=head,
        insert_text_format=types.InsertTextFormat.PlainText,
        insert_text_mode=types.InsertTextMode.AsIs,
        text_edit=types.TextEdit(
            convert.range_of(snapshot, first, suggestion.stop, encoding), text
        ),
        command=convert.accept_command(suggestion),
    )
    if get_capability(
        capabilities, "text_document.completion.completion_item.label_details_support"
    ):
        item.label_details = types.CompletionItemLabelDetails(description=_SOURCE)
    return item


def word_start(line: str, column: int, language_id: str) -> int:
    """Return where the word that ends at a column begins.

    Args:
        line: The line.
        column: An index into it.
        language_id: Decides about "$" and "-".
    """
    extras = _WORD_EXTRAS.get(language_id, "")
    while column and _in_word(line[column - 1], extras):
        column -= 1
    return column


def _in_word(char: str, extras: str) -> bool:
    # A combining mark belongs to its letter; Python does not count it as one.
    return char.isalnum() or char == "_" or char in extras or unicodedata.category(char)[0] == "M"


def _preview(
    text: str, language_id: str, capabilities: types.ClientCapabilities
) -> str | types.MarkupContent:
    """Return the whole text for the menu's side window, coloured where the client can."""
    formats = get_capability(
        capabilities, "text_document.completion.completion_item.documentation_format", []
    )
    if types.MarkupKind.Markdown not in (formats or ()):
        return text
    longest = max((len(found) for found in _TICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return types.MarkupContent(types.MarkupKind.Markdown, f"{fence}{language_id}\n{text}\n{fence}")
