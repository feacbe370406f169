r"""Removes from a model's output the characters that a person cannot see.

What the model writes is shown as ghost text and accepted with one key, so what is shown must
be what is inserted. Bidirectional controls reorder the display of source code so that it
reads differently from what a compiler takes (Boucher and Anderson, "Trojan Source: Invisible
Vulnerabilities", 2021, CVE-2021-42574). Zero-width characters and Hangul fillers make
different identifiers look the same or a line look empty, tag characters and runs of variation
selectors carry hidden text, and C0/C1 controls drive terminals. None has a use in code that a
visible escape such as "\u202e" would not serve better.

Two kinds are letters' companions in real text and stay where they do a letter's work:

- ZWNJ and ZWJ (U+200C, U+200D) between two letters or marks of scripts that join or stack,
  such as Persian, Arabic, Hindi and Malayalam, and ZWJ between emoji. Unicode allows them in
  identifiers in such places for the same reason (UAX #31, section 2.3.1). Everywhere else,
  and in a row, they are invisible and go.
- One variation selector where it chooses a form: U+FE00 to U+FE0F behind a character that is
  not an ASCII letter or sign, such as an emoji or a keycap digit; those of the supplement
  (U+E0100 to U+E01EF) behind a CJK ideograph only (Unicode Technical Standard #37), because 240
  of them carry a byte each; and the Mongolian ones behind a Mongolian letter.

What is removed beyond controls is what Unicode calls Default_Ignorable_Code_Point
(DerivedCoreProperties.txt), assigned or not.
"""

import re
import unicodedata

_REMOVED = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and line feed, DEL, C1
    "\u00ad\u034f\u061c\u180e"  # soft hyphen, grapheme joiner, Arabic mark, Mongolian separator
    "\u115f\u1160\u3164\uffa0"  # Hangul fillers: letters without a shape
    "\u17b4\u17b5"  # Khmer vowels that are not written
    "\u200b\u200e\u200f"  # zero-width space, left-to-right and right-to-left mark
    "\u2028-\u202e"  # line and paragraph separator, bidirectional embeddings and overrides
    "\u2060-\u206f"  # word joiner, invisible operators, bidirectional isolates
    "\ufeff\ufff0-\ufffb"  # byte order mark, interlinear annotation
    "\ud800-\udfff"  # lone surrogates
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # controls of shorthand and of music
    "\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"  # tags, and what may come beside them
    "]+"
)

_JOINERS = re.compile("[\u200c\u200d]")

# Scripts whose letters join or stack: Arabic, Syriac, N'Ko, Mandaic and their supplements,
# the scripts of India and Sri Lanka, Myanmar, Khmer, Mongolian, Arabic presentation forms.
_JOINING_SCRIPTS = re.compile(
    "[\u0600-\u077f\u07c0-\u07ff\u0840-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u18af"
    "\ufb50-\ufdff\ufe70-\ufefc]"
)
_EMOJI = re.compile("[\u2190-\u2bff\U0001f000-\U0001faff]")
_EMOJI_PRESENTATION = "\ufe0f"

_MONGOLIAN_SELECTORS = "\u180b-\u180d\u180f"
_SELECTORS = f"\ufe00-\ufe0f{_MONGOLIAN_SELECTORS}\U000e0100-\U000e01ef"
_IDEOGRAPHS = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# A selector at the start, behind ASCII that has no second form, or behind a selector; one of a
# kind that only ideographs or Mongolian letters have, behind something else.
_STRAY_SELECTORS = re.compile(
    f"(?:^|(?<=[\x00-\x22\x24-\x29\x2b-\x2f\x3a-\x7f{_SELECTORS}]))[{_SELECTORS}]+"
    f"|(?<![{_IDEOGRAPHS}])[\U000e0100-\U000e01ef]+"
    f"|(?<![\u1820-\u18aa])[{_MONGOLIAN_SELECTORS}]+"
)


def clean_output(text: str) -> str:
    r"""Return the text without control, bidirectional, zero-width and tag characters.

    Tabs and line feeds stay. A carriage return goes: bring line ends to "\n" before and to
    the document's line end afterwards. Give whole answers, not pieces of a stream, because
    a joiner is judged by its two neighbours.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _REMOVED.sub("", text)
    if text.isascii():
        return text
    text = _STRAY_SELECTORS.sub("", text)
    return _JOINERS.sub(_keep_joiner, text)


def visible(text: str) -> str:
    r"""Return the text with what cannot be seen written as escapes such as "\x1b".

    For names of files, which may hold anything: a terminal's commands, or a line end behind
    which a message goes on that is not ours.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def _keep_joiner(match: re.Match[str]) -> str:
    text, at = match.string, match.start()
    if at == 0 or at + 1 == len(text):
        return ""
    before, after = text[at - 1], text[at + 1]
    if _is_joining(before) and _is_joining(after):
        return match[0]
    if match[0] == "\u200d" and _EMOJI.match(after):
        emoji = text[at - 2 : at - 1] if before == _EMOJI_PRESENTATION else before
        if _EMOJI.match(emoji):
            return match[0]
    return ""


def _is_joining(char: str) -> bool:
    """Return whether a character is a letter or mark of a script that uses joiners."""
    return bool(_JOINING_SCRIPTS.match(char)) and unicodedata.category(char)[0] in "LM"
