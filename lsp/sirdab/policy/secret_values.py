"""Judges whether a text that stands where a secret would stand is one.

The functions take a match of one of the patterns of `sirdab.policy.secret_forms`. Entropy is only
ever a second sign, because hashes and identifiers of other kinds have as much of it.
"""

import math
import re
from collections import Counter

# Words that people put where a secret goes, and forms that stand for one.
_PLACEHOLDER_WORDS = re.compile(
    r"change.?me|example|sample|placeholder|dummy|redacted|your|replace|insert|foobar|"
    r"(?<![a-z0-9])(?:fake|mock|test|todo|fixme|default|none|null|undefined|true|false|"
    r"secret|password|passwd|pass|token|xxx+|string|required|nullable|m(?:in|ax):\d+)(?![a-z0-9])|"
    r"12345678|abcdefgh|qwerty|01234567|deadbeef|\*\*\*|\.\.\.|…",
    re.IGNORECASE,
)
_TEMPLATE = re.compile(
    r"\$[{(A-Za-z_]|\{\{|\{[\w.:!\[\]]*\}|<[^<>]*>|%[sd(]|%\w+%|\[\^|\(\?|\\[dwsb]|\.\*|\[a-z|#\{"
)
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
# Words with a number of a few digits at their end, joined by signs that join names: an
# identifier, a file name, a key of a translation, a host.
_NAMES = re.compile(r"[A-Za-z]*\d{0,3}(?:[-_./: ][A-Za-z]*\d{0,3})+|[A-Za-z]+")
_PATH = re.compile(r"[A-Za-z][\w+.-]*://|[A-Za-z]:[\\/]|~?\.{0,2}/[\w.-]+(?:/|$)")
# A name whose parts speak of secrets or of forms is not one.
_NAME_PARTS = re.compile(
    r"pass|pwd|secret|token|key|auth|user|login|field|input|name|label|hint|error|invalid|form",
    re.IGNORECASE,
)
# What people weave into a secret because of what it is for; alone it is filler.
_OWN_WORDS = re.compile(
    r"(?<![a-z0-9])(?:secret|password|passwd|pass|token)(?![a-z0-9])", re.IGNORECASE
)


def _is_varied(value: str) -> bool:
    """Whether letters and digits take turns as in no name, which has its digits at the ends."""
    changes = re.findall(r"(?<=[A-Za-z])\d|(?<=\d)[A-Za-z]", value)
    return len(changes) >= 3 and sum(char.isalnum() for char in value) >= 7


def _entropy(value: str) -> float:
    """Return Shannon's entropy of the characters, in bits a character."""
    size = len(value)
    return -sum(n / size * math.log2(n / size) for n in Counter(value).values())


def _is_placeholder(value: str) -> bool:
    rest = _OWN_WORDS.sub("", value)
    return (
        len(set(value)) < 4
        or bool(_PLACEHOLDER_WORDS.search(rest if _is_varied(rest) else value))
        or bool(_TEMPLATE.search(value))
    )


def _is_password(value: str) -> bool:
    """Whether a literal given to a password looks like one a person or a tool chose."""
    core = value.rstrip("!?.:,;…")
    if len(value) < 6 or _is_placeholder(value) or _PATH.match(value) or _UUID.fullmatch(value):
        return False
    if value[0] in "#.[" and re.fullmatch(r"[#.\[][\w=\]'\"-]+", value):
        return False  # A selector of a form's field.
    has_digit = any(char.isdigit() for char in core)
    has_sign = bool(re.search(r"[^\w\s./:\\-]", core))
    if not any(char.isalpha() for char in core) or not (has_digit or has_sign):
        return False
    if not has_sign and (_NAMES.fullmatch(core) and not re.fullmatch(r"[A-Za-z]+\d{1,3}", core)):
        return False
    return has_sign or not _NAME_PARTS.search(core) or _is_varied(_NAME_PARTS.sub("", core))


def _is_token(value: str) -> bool:
    """Whether a literal given to a token or key looks like one that was generated."""
    if len(value) < 16 or _is_placeholder(value) or _PATH.match(value) or _UUID.fullmatch(value):
        return False
    if not re.fullmatch(r"[\w+/=.~:-]+", value, re.ASCII) or _NAMES.fullmatch(value):
        return False
    digits = sum(char.isdigit() for char in value)
    letters = sum(char.isalpha() for char in value)
    return digits >= 2 and letters >= 2 and _entropy(value) >= 3.0


# A name that goes on like this names something about a secret, not the secret.
_ABOUT = re.compile(
    r"(?:^|[_-])(?:s?_?)(?:name|id|path|file|url|uri|type|field|input|env|env_?var|var|header|prefix|"
    r"suffix|length|len|size|count|limit|hint|label|title|text|message|msg|error|help|policy|rule|"
    r"rules|regex|pattern|format|selector|placeholder|class|style|icon|ref|arn|version|endpoint|"
    r"algorithm|hash_?algorithm|provider|manager|store|column|param|expiry|expires|ttl)s?$",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def _names_a_secret(match: re.Match[str]) -> bool:
    rest = _CAMEL.sub("_", match["rest"])
    return not _ABOUT.search(rest)


def accepts_assigned(match: re.Match[str]) -> bool:
    """Accept a literal that is given to something whose name says that it is secret."""
    if not _names_a_secret(match):
        return False
    value = match["value"]
    if match["password"]:
        return _is_password(value)
    # Some services hand out UUIDs as keys; as a "token" they are mostly not secret.
    if _UUID.fullmatch(value) and re.match(r"secret|api", match["name"], re.IGNORECASE):
        return len(set(value)) > 8 and not _is_placeholder(value)
    short_secret = match["name"].lower() == "secret" and any(c in "!@#$%^&*?" for c in value)
    return _is_token(value) or (short_secret and _is_password(value))


def accepts_option(match: re.Match[str]) -> bool:
    """Judge a value without quotes on a command line."""
    return _accepts_bare(match, in_shell=True)


def accepts_bare(match: re.Match[str]) -> bool:
    """Judge a value without quotes: it could be an expression, so more is asked of it."""
    variable = r"\s*(?:(?:export|ENV|ARG)\s+)?[A-Z][A-Z0-9_]*="
    return _accepts_bare(match, in_shell=re.match(variable, match[0]) is not None)


def _accepts_bare(match: re.Match[str], *, in_shell: bool) -> bool:
    if not _names_a_secret(match):
        return False
    value = match["value"]
    if match["password"]:
        if re.fullmatch(r"[A-Za-z_]\w*(?:(?:\.|->|::)\w+)*", value) and not in_shell:
            return False
        return _is_password(value)
    return _is_token(value) and not re.fullmatch(r"[A-Za-z_]+(?:\.[A-Za-z_]\w*)+", value)


_URL_FILLER = re.compile(r"change.?me|example|placeholder|redacted|your|\*\*|\.\.\.", re.IGNORECASE)


def accepts_url(match: re.Match[str]) -> bool:
    """Accept the password of an address unless it is one that everybody knows."""
    value = match["value"]
    # Hosts that are reserved for documentation (RFC 2606).
    if re.match(r"@example\.(?:com|net|org)\b", match.string[match.end() - 1 :][:32]):
        return False
    weak = re.fullmatch(
        r"(?:user(?:name)?|root|admin|postgres|mysql|mongo|redis|guest|p(?:ass)?(?:word|wd)?|pw|"
        r"secret|test|token|x+|\*+|\.+)\d{0,3}",
        value,
        re.IGNORECASE,
    )
    return (
        not weak
        and value.lower() != match["user"].lower()
        and not _TEMPLATE.search(value)
        and not _URL_FILLER.search(value)
        and value[0] not in "$:%{<"
    )


def accepts_varied(match: re.Match[str]) -> bool:
    """Accept a token of a known form unless its variable part is filler."""
    value = match["value"] if "value" in match.re.groupindex else match[0]
    return len(set(value[-16:])) >= 6 and not re.search(r"x{6}|X{6}|your|YOUR|\.\.\.", value)


def accepts_generated(match: re.Match[str]) -> bool:
    """Accept a token of a loosely known form when it looks generated as well."""
    value = match["value"] if "value" in match.re.groupindex else match[0]
    digits = sum(char.isdigit() for char in value)
    # One in a hundred long tokens has hardly a digit, but then it has more of everything else.
    least = 3.0 if digits >= 2 else 4.3
    return accepts_varied(match) and _entropy(value) >= least and not _NAMES.fullmatch(value)
