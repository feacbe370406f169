"""The fingerprint of a line by which GitHub's code scanning knows an alert again.

Code scanning compares results by `partialFingerprints.primaryLocationLineHash` alone (GitHub's
documentation, "SARIF support for code scanning"), and the action that uploads them works the
value out where it is missing. Here is the same value, so that an upload without the action agrees:
a polynomial over the next hundred UTF-16 units from the line's first one on, in base 37, modulo
2^64. Spaces and tabs are left out, every line end is one line feed, and behind the text stands one
unit 0xFFFF and then nothing but zeros. A colon and a number follow, which counts the lines from
the top with the same hundred units.
"""

import re
from collections import Counter
from struct import unpack

_BASE = 37
_UNITS = 100
_MODULUS = 1 << 64
_TOP = pow(_BASE, _UNITS, _MODULUS)
_END = 0xFFFF
_LINE_END = re.compile("\r\n|\r")
_BLANKS = re.compile("[ \t]+")


def line_hashes(content: str) -> list[str]:
    """Return the fingerprint of each line, the one behind the last line end included.

    Args:
        content: A whole file; lone surrogates count as they are.
    """
    # A line feed behind a carriage return is a part of it, but not where a blank stands between.
    plain = _BLANKS.sub("", _LINE_END.sub("\n", content))
    encoded = plain.encode("utf-16-le", "surrogatepass")
    units = list(unpack(f"<{len(encoded) // 2}H", encoded))
    line_feed = ord("\n")
    starts = [0, *(number + 1 for number, unit in enumerate(units) if unit == line_feed)]
    units.append(_END)
    units.extend([0] * _UNITS)
    hashes: list[str] = []
    counts: Counter[int] = Counter()
    value = 0
    for unit in units[:_UNITS]:
        value = (value * _BASE + unit) % _MODULUS
    at = 0
    for start in starts:
        while at < start:
            value = (value * _BASE + units[at + _UNITS] - _TOP * units[at]) % _MODULUS
            at += 1
        counts[value] += 1
        hashes.append(f"{value:x}:{counts[value]}")
    return hashes
