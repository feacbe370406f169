"""Heals the place where the text before the cursor is cut.

A model reads tokens, not characters. Byte-pair tokenisers cut text into pre-tokens first
(a word carries the blank or the bracket before it: " return", ".items", "(self"), so a
prompt that ends in "return " or "self.it" ends in the middle of what the model saw as one
token while it was trained, and the answer is doubly indented, empty or wrong (measured on
Qwen2.5-Coder: `result += ite` is answered with a line end). The cure is to end the prompt
at the last token boundary and to require the answer to begin with what was backed up over.
"""

import re
from typing import NamedTuple

# The pre-tokenisation pattern of the GPT-4 and Qwen2 tokenisers (the `pre_tokenizer` field of
# Qwen2.5-Coder's tokenizer.json), written with the classes of Python's `re`: letters are
# [^\W\d_], and the underscore counts as punctuation. Families with a SentencePiece tokeniser
# put the blank in front of a word as well, so its boundaries are safe for them too.
_PRE_TOKEN = re.compile(
    r"(?:(?![\r\n])[\W_])?[^\W\d_]+"
    r"|\d"
    r"| ?(?:(?!\s)[\W_])+[\r\n]*"
    r"|\s*[\r\n]+"
    r"|\s+(?!\S)"
    r"|\s+"
)

# A longer piece would cost more forced tokens than its healing is worth; it is a banner of
# "=====" or a blob of data, and the model continues those well without help. Blanks are few
# tokens however many they are, and arguments aligned under a bracket are often this far right.
_LONGEST_HEALED = 32
_MOST_BLANKS_HEALED = 160


class Healed(NamedTuple):
    """The text before the cursor in two parts.

    Attributes:
        kept: What the prompt says.
        backed_up: What the answer has to begin with; may be empty.
    """

    kept: str
    backed_up: str


def heal(before: str, *, words: bool = True) -> Healed:
    """Split the text before the cursor at its last token boundary.

    Only the cursor's own line is backed up over, so that what is backed up never holds a
    line end.

    Args:
        before: Text before the cursor, with LF line ends.
        words: Whether the answer can be made to begin with a word. Where nobody can make it do so,
            only blanks are backed up over: a model writes these again by itself, but hardly ever
            the very word that was taken from it.
    """
    line_start = before.rfind("\n") + 1
    last = 0
    for match in _PRE_TOKEN.finditer(before, line_start):
        last = match.start()
    backed_up = before[last:] if last >= line_start else ""
    longest = _MOST_BLANKS_HEALED if backed_up.isspace() else _LONGEST_HEALED
    if not backed_up or len(backed_up) > longest or not (words or backed_up.isspace()):
        return Healed(before, "")
    return Healed(before[:last], backed_up)
