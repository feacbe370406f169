"""Judges sentences that somebody else wrote before a person is shown them.

What a model says of code may have been put into its mouth by the code, and what another language
server says may quote a workspace. Such a sentence may describe; it may not send the reader to an
address, tell the reader what to type, or carry markup that an editor makes a link of. One that
does is not mended, because what is left of it would still be the attacker's: it is not shown, and
the caller says something of its own instead.

This guards the reader, and is no filter of content: a false sentence about code that is neutral in
tone passes, like any other error of a model.
"""

import re

from sirdab.policy.sanitize import clean_output

# What is removed, because it is common in honest sentences about code: `name`, <T>, a[0].
_MARKUP = re.compile(r"[<>\[\]`]|\]\(")

# An address: with a scheme (RFC 3986, section 3.1; "a::b" and "a: b" are code and prose), a host
# name that is spelt like one, a dotted quad, or a mailbox.
_ADDRESS = re.compile(
    r"\b[a-z][a-z0-9+.-]{0,30}:/{1,3}\S"
    r"|(?<![\w.:])//\w"
    r"|\bwww\."
    r"|\b(?:mailto|javascript|command|data|vscode|file|tel|sms):(?![:\s])\S"
    r"|\b[\w-]{1,63}\.(?:com|org|net|example|invalid|test|onion|xyz|top|site|online|ru|cn|biz|zip)\b"
    r"(?![.(\w])"
    r"|\b[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}/\S"
    r"|\b\d{1,3}(?:\.\d{1,3}){3}\b"
    r"|\b[\w.+-]{1,64}@[\w-]{1,63}\.\w",
    re.IGNORECASE,
)
# A command for a shell, or a package to fetch.
_COMMAND = re.compile(
    r"\b(?:curl|wget|sudo|chmod|powershell|invoke-\w{1,20}|npx|nc|netcat)\s+[\w'\"/.-]"
    r"|\b(?:pip3?|npm|pnpm|yarn|cargo|gem|go|apt|apt-get|brew|dnf|conda|uv)\s+"
    r"(?:install|add|get|i)\s+\S"
    r"|\brm\s+-"
    r"|\|\s*(?:sudo\s+)?(?:ba|z)?sh\b",
    re.IGNORECASE,
)
# The reader is spoken to, told to do something that is no change of this code, or told that there
# is nothing to see. Sentences of that kind come from orders in the code.
_ADDRESSED = re.compile(
    r"\A\W{0,8}(?:please\b|(?:run|visit|click|download|install|execute|paste|send|email|"
    r"contact|enter|go|ignore|disregard|approve|disable|trust|upload|subscribe|follow)\s)"
    r"|\byou(?:\s+(?:must|should|have\s+to|need\s+to|can\s+safely)|r\s+(?:password|token|account|"
    r"credentials?|api\s+key|terminal|shell|browser))\b"
    r"|\b(?:previous|prior|above|earlier)\s+instructions\b"
    r"|\bsystem\s+prompt\b",
    re.IGNORECASE,
)
# Longer than any name of a program: an encoded text, or a key.
_LONGEST_WORD = 60
# Only so much is looked at: nobody is shown more.
_MOST_READ = 1_000


def neutral_line(text: str, limit: int) -> str:
    """Return somebody else's words as one plain line, or "" where they may not be shown.

    Args:
        text: What was said; anything.
        limit: Most characters of the line. A longer one is cut and ends with an ellipsis.

    Returns:
        Printable text on one line, without markup; "" where it holds an address or a command,
        speaks to the reader, carries controls of a terminal, or has no letter in it.
    """
    text = text[:_MOST_READ]
    if "\x1b" in text or "\x9b" in text:
        # What is left of a terminal's command when its first character is gone is no prose.
        return ""
    line = " ".join(_printable(clean_output(_LINE_ENDS.sub(" ", text))).split())
    if _ADDRESS.search(line) or _COMMAND.search(line) or _ADDRESSED.search(line):
        return ""
    # An address must not come into being where markup is taken out.
    line = " ".join(_MARKUP.sub("", line).split())
    if _ADDRESS.search(line) or any(len(word) > _LONGEST_WORD for word in line.split()):
        return ""
    if not any(char.isalpha() for char in line):
        return ""
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


_LINE_ENDS = re.compile("[\r\n\t\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")


def _printable(text: str) -> str:
    """Return the text with blanks in place of what is left that cannot be printed."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in _JOINERS else " " for char in text)


# Not printable by themselves, and letters' companions where `clean_output` has left them.
_JOINERS = "\u200c\u200d"
