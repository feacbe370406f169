r"""Finds secrets in source code and takes them out, leaving the code around them whole.

There are three kinds of signs, each precise by itself:

- Tokens whose issuer gave them a recognisable form (the source of each form is its issuer's
  documentation; the list follows the common ground of gitleaks' and detect-secrets' rules).
- Private keys between PEM markers (RFC 7468), also where only one marker is in sight.
- Literals given to something whose name says that it is secret. Here the literal has to look
  like a secret too; its entropy is only ever a second sign, because hashes and identifiers
  of other kinds have as much of it.

Give whole files or windows made of whole lines: half a token cannot be recognised.

A search costs looking for some dozens of short strings in the lines not seen before; only
lines in which one occurs are matched against patterns.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

PLACEHOLDER = "REDACTED"
"""What stands in a secret's place: a word, so that it is at home inside quotes, in a URL and
as a bare value in every language."""

_CACHED_LINES = 16_384
_CACHED_LINE_LENGTH = 1_000
_KEY_LINES = 400


class SecretSpan(NamedTuple):
    """A secret's place in a text.

    Attributes:
        start: Index of its first character.
        stop: Index behind its last character.
        kind: What it is, for example "github-token".
    """

    start: int
    stop: int
    kind: str


class _Detector(NamedTuple):
    """One kind of secret.

    Attributes:
        kind: Its name.
        needles: Lower-case strings of which one occurs in every line that has such a secret.
        pattern: Its form; the group `value`, or else the whole match, is the secret.
        accepts: Whether a match is a real secret.
    """

    kind: str
    needles: tuple[str, ...]
    pattern: re.Pattern[str]
    accepts: Callable[[re.Match[str]], bool]


def find_secrets(text: str) -> list[SecretSpan]:
    """Return the secrets in a text, in order, none overlapping another."""
    lines = text.split("\n")
    known = {line: _known_lines.get(line) for line in lines}
    fresh = _search([line for line, found in known.items() if found is None])
    spans = list(_key_spans(text))
    at = 0
    for line in lines:
        found = known[line] or fresh.get(line, ())
        spans.extend(SecretSpan(at + low, at + high, kind) for low, high, kind in found)
        at += len(line) + 1
    _remember(fresh)
    return _without_overlaps(spans)


def redact(text: str) -> str:
    """Return the text with each secret replaced by `PLACEHOLDER`.

    Quotes, markers and line ends stay, so lines keep their numbers.
    """
    spans = find_secrets(text)
    if not spans:
        return text
    pieces: list[str] = []
    at = 0
    for start, stop, _ in spans:
        pieces += (text[at:start], PLACEHOLDER)
        at = stop
    return "".join((*pieces, text[at:]))


def line_has_secret(line: str) -> bool:
    """Return whether a line, taken by itself, holds a secret."""
    return bool(find_secrets(line))


# What was found in a line, by line. A keystroke changes one line of a window.
_known_lines: dict[str, tuple[SecretSpan, ...]] = {}


def _remember(fresh: dict[str, tuple[SecretSpan, ...]]) -> None:
    if len(_known_lines) + len(fresh) > _CACHED_LINES:
        _known_lines.clear()
    _known_lines.update(
        (line, spans) for line, spans in fresh.items() if len(line) <= _CACHED_LINE_LENGTH
    )


def _search(lines: list[str]) -> dict[str, tuple[SecretSpan, ...]]:
    """Return what each of some different lines holds.

    The short strings are looked for in all lines at once: that is one fast search for each
    instead of one for each and every line.
    """
    found: dict[str, tuple[SecretSpan, ...]] = dict.fromkeys(lines, ())
    if not lines:
        return found
    text = "\n".join(lines)
    lower = text.lower()
    if len(lower) != len(text):
        # A few capitals have a longer small form, which would shift what follows.
        lower = "".join(small if len(small := char.lower()) == 1 else char for char in text)
    done: set[tuple[int, int]] = set()
    for needle, numbers in _BY_NEEDLE.items():
        at = lower.find(needle)
        while at >= 0:
            start = lower.rfind("\n", 0, at) + 1
            stop = lower.find("\n", at)
            stop = len(lower) if stop < 0 else stop
            for number in numbers:
                if (number, start) not in done:
                    done.add((number, start))
                    found[text[start:stop]] += tuple(_matches(number, text[start:stop]))
            at = lower.find(needle, stop)
    return found


def _matches(number: int, line: str) -> Iterator[SecretSpan]:
    kind, _, pattern, accepts = _DETECTORS[number]
    group = "value" if "value" in pattern.groupindex else 0
    for match in pattern.finditer(line):
        if accepts(match):
            yield SecretSpan(*match.span(group), kind)


def _without_overlaps(spans: list[SecretSpan]) -> list[SecretSpan]:
    """Sort the spans and join those that overlap, so that no part of a secret stays."""
    result: list[SecretSpan] = []
    for span in sorted(spans):
        if result and span.start < result[-1].stop:
            last = result[-1]
            result[-1] = last._replace(stop=max(last.stop, span.stop))
        else:
            result.append(span)
    return result


# --- What a real value looks like -----------------------------------------------------------

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


def _entropy(value: str) -> float:
    """Return Shannon's entropy of the characters, in bits a character."""
    size = len(value)
    return -sum(n / size * math.log2(n / size) for n in Counter(value).values())


def _is_placeholder(value: str) -> bool:
    return (
        len(set(value)) < 4
        or bool(_PLACEHOLDER_WORDS.search(value))
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
    return has_sign or not _NAME_PARTS.search(core)


def _is_token(value: str) -> bool:
    """Whether a literal given to a token or key looks like one that was generated."""
    if len(value) < 16 or _is_placeholder(value) or _PATH.match(value) or _UUID.fullmatch(value):
        return False
    if not re.fullmatch(r"[\w+/=.~:-]+", value, re.ASCII) or _NAMES.fullmatch(value):
        return False
    digits = sum(char.isdigit() for char in value)
    letters = sum(char.isalpha() for char in value)
    return digits >= 2 and letters >= 2 and _entropy(value) >= 3.0


# --- Names that say "secret" ----------------------------------------------------------------

_CHOSEN_NAMES = r"pass(?:word|wd|phrase)|pwd"
_GENERATED_NAMES = (
    r"token(?!iz)|secret|credentials?|api[_-]?key|(?:access|auth|private|encryption|signing|"
    r"account|master|service|shared|storage)[_-]?key"
)
_NAME_NEEDLES = (
    "password", "passwd", "passphrase", "pwd", "token", "secret", "credential",
    "apikey", "api_key", "api-key", "accesskey", "access_key", "access-key", "authkey", "auth_key",
    "auth-key", "privatekey", "private_key", "private-key", "encryptionkey", "encryption_key",
    "encryption-key", "signingkey", "signing_key", "signing-key", "accountkey", "account_key",
    "account-key", "masterkey", "master_key", "master-key", "servicekey", "service_key",
    "service-key", "sharedkey", "shared_key", "shared-key", "storagekey", "storage_key",
    "storage-key",
)  # fmt: skip
# A name that goes on like this names something about a secret, not the secret.
_ABOUT = re.compile(
    r"(?:^|[_-])(?:s?_?)(?:name|id|path|file|url|uri|type|field|input|env|env_?var|var|header|prefix|"
    r"suffix|length|len|size|count|limit|hint|label|title|text|message|msg|error|help|policy|rule|"
    r"rules|regex|pattern|format|selector|placeholder|class|style|icon|ref|arn|version|endpoint|"
    r"algorithm|hash_?algorithm|provider|manager|store|column|param|expiry|expires|ttl)s?$",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

_ASSIGNED = re.compile(
    rf"(?P<name>(?P<password>{_CHOSEN_NAMES})|{_GENERATED_NAMES})"
    r"(?P<rest>[\w-]{0,40})"
    r"""(?:\\?["'`]?\]?)"""
    # A type between the name and the value, as in Rust, Kotlin and TypeScript.
    r"""(?:\s{0,8}:\s{0,4}[&\w'<>\[\]| ?]{1,30}?(?=\s{0,4}=))?"""
    r"""\s{0,20}(?:===?|!==?|=>|:=|\?\?=|\|\|=|[:=])\s{0,20}(?:await\s+)?[bBrRuUfFL&]{0,2}"""
    r"""(?P<slash>\\?)(?P<quote>["'`])"""
    r"""(?P<value>(?:(?!(?P=slash)(?P=quote))(?:[^\\\s]|\\[^\s])){4,256})(?P=slash)(?P=quote)""",
    re.IGNORECASE,
)
_SHELL = re.compile(
    rf"^\s{{0,40}}(?:(?:export|ENV|ARG|set|-)\s+)?[\w.-]{{0,40}}?"
    rf"(?P<name>(?P<password>{_CHOSEN_NAMES})|{_GENERATED_NAMES})(?P<rest>[\w.-]{{0,40}})"
    r"""(?:=|:\s{1,8}|\s=\s)(?P<value>[^\s"'`(){}\[\]<>,;]{6,256})\s*(?:#.*)?$""",
    re.IGNORECASE,
)
_OPTION = re.compile(
    rf"--[\w-]{{0,20}}?(?P<name>(?P<password>{_CHOSEN_NAMES})|{_GENERATED_NAMES})(?P<rest>[\w-]{{0,20}})"
    r"""[=\s]\s{0,8}["']?(?P<value>[^\s"'`(){}\[\]<>,;]{6,256})""",
    re.IGNORECASE,
)


def _names_a_secret(match: re.Match[str]) -> bool:
    rest = _CAMEL.sub("_", match["rest"])
    return not _ABOUT.search(rest)


def _accepts_assigned(match: re.Match[str]) -> bool:
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


def _accepts_bare(match: re.Match[str]) -> bool:
    """Judge a value without quotes: it could be an expression, so more is asked of it."""
    if not _names_a_secret(match):
        return False
    value = match["value"]
    in_shell = match.re is _OPTION or re.match(
        r"\s*(?:(?:export|ENV|ARG)\s+)?[A-Z][A-Z0-9_]*=", match[0]
    )
    if match["password"]:
        if re.fullmatch(r"[A-Za-z_]\w*(?:(?:\.|->|::)\w+)*", value) and not in_shell:
            return False
        return _is_password(value)
    return _is_token(value) and not re.fullmatch(r"[A-Za-z_]+(?:\.[A-Za-z_]\w*)+", value)


_URL_FILLER = re.compile(r"change.?me|example|placeholder|redacted|your|\*\*|\.\.\.", re.IGNORECASE)


def _accepts_url(match: re.Match[str]) -> bool:
    value = match["value"]
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


def _accepts_varied(match: re.Match[str]) -> bool:
    """Accept a token of a known form unless its variable part is filler."""
    value = match["value"] if "value" in match.re.groupindex else match[0]
    return len(set(value[-16:])) >= 6 and not re.search(r"x{6}|X{6}|your|YOUR|\.\.\.", value)


def _accepts_generated(match: re.Match[str]) -> bool:
    """Accept a token of a loosely known form when it looks generated as well."""
    value = match["value"] if "value" in match.re.groupindex else match[0]
    digits = sum(char.isdigit() for char in value)
    return _accepts_varied(match) and digits >= 2 and _entropy(value) >= 3.0


def _known(kind: str, needle: str | tuple[str, ...], pattern: str) -> _Detector:
    needles = (needle,) if isinstance(needle, str) else needle
    return _Detector(kind, needles, re.compile(pattern), _accepts_varied)


_DETECTORS: tuple[_Detector, ...] = (
    _known("aws-key", ("akia", "asia", "abia", "acca"),
           r"(?<![A-Za-z0-9])A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _known("github-token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
           r"(?<![A-Za-z0-9])gh[pousr]_[A-Za-z0-9]{36,255}"),
    _known("github-token", "github_pat_", r"github_pat_[A-Za-z0-9_]{22,255}"),
    _known("gitlab-token", "gl",
           r"(?<![A-Za-z0-9])gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|imt)-[A-Za-z0-9_-]{20,255}"),
    _known("slack-token", ("xox", "xapp-"),
           r"(?<![A-Za-z0-9])(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,255}"),
    _known("slack-webhook", "hooks.slack.com",
           r"hooks\.slack\.com/(?:services|workflows)/(?P<value>[A-Za-z0-9/_]{30,255})"),
    _known("google-key", "aiza", r"(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{35}"),
    _known("google-secret", "gocspx-", r"GOCSPX-[A-Za-z0-9_-]{28}"),
    _known("google-token", "ya29.", r"(?<![A-Za-z0-9])ya29\.[A-Za-z0-9_-]{20,2000}"),
    _known("stripe-key", ("sk_live_", "sk_test_", "rk_live_", "rk_test_"),
           r"(?<![A-Za-z0-9])[sr]k_(?:live|test)_[A-Za-z0-9]{16,255}"),
    _known("stripe-secret", "whsec_", r"(?<![A-Za-z0-9])whsec_[A-Za-z0-9+/=]{24,255}"),
    _Detector("openai-key", ("sk-",),
              re.compile(r"(?<![\w.-])sk-[A-Za-z0-9_-]{20,255}"), _accepts_generated),
    _known("huggingface-token", "hf_", r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{30,64}(?![A-Za-z0-9_])"),
    _known("azure-key", ("accountkey=", "sharedaccesskey=", "sharedsecret="),
           r"(?i:(?:AccountKey|SharedAccessKey|SharedSecret)=)(?P<value>[A-Za-z0-9+/]{40,128}={0,2})"),
    _known("azure-signature", "sig=", r"[?&;]sig=(?P<value>[A-Za-z0-9%+/=]{40,128})"),
    _known("npm-token", "npm_", r"(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])"),
    _known("npm-token", ("_authtoken", "_auth=", "_password="),
           r":?_(?:authToken|auth|password)\s{0,4}=\s{0,4}\"?(?P<value>[A-Za-z0-9+/=_.-]{16,512})"),
    _known("pypi-token", "pypi-age", r"pypi-AgE[A-Za-z0-9_-]{40,512}"),
    _known("sendgrid-key", "sg.", r"(?<![A-Za-z0-9])SG\.[\w-]{16,64}\.[\w-]{16,64}"),
    _known("telegram-token", ":aa", r"(?<!\d)\d{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])"),
    _known("digitalocean-token", ("dop_v1_", "doo_v1_", "dor_v1_"), r"do[por]_v1_[a-f0-9]{64}"),
    _known("shopify-token", ("shpat_", "shpca_", "shppa_", "shpss_"),
           r"shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}"),
    _known("vault-token", ("hvs.", "hvb."), r"(?<![A-Za-z0-9])hv[sb]\.[A-Za-z0-9_-]{24,512}"),
    _known("databricks-token", "dapi", r"(?<![A-Za-z0-9])dapi[a-f0-9]{32}(?![a-f0-9])"),
    _known("age-key", "age-secret-key-1", r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
    _known("jwt", "eyj",
           r"(?<![A-Za-z0-9])eyJ[A-Za-z0-9_-]{8,4000}\.eyJ[A-Za-z0-9_-]{8,8000}"
           r"(?:\.[A-Za-z0-9_-]{8,4000})?"),
    _Detector("authorization", ("bearer ", "basic "),
              re.compile(r"\b(?:Bearer|Basic|bearer|basic)\s+(?P<value>[A-Za-z0-9._~+/-]{20,4000}={0,2})"),
              _accepts_generated),
    _Detector("url-password", ("://",),
              re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://(?P<user>[^\s:/@'\"`<>?#]{0,128}):"
                         r"(?P<value>[^\s/@'\"`<>?#]{3,256})@(?=[\w\[$%{*(-])"),
              _accepts_url),
    _Detector("connection-string", ("password", "pwd"),
              re.compile(r"(?:^|[;\s\"'?&])(?P<name>(?P<password>password|pwd))(?P<rest>)\s{0,4}=\s{0,4}"
                         r"(?P<value>[^;\s\"'`&]{4,128})(?=;)", re.IGNORECASE),
              _accepts_assigned),
    _Detector("assigned-secret", _NAME_NEEDLES, _ASSIGNED, _accepts_assigned),
    _Detector("assigned-secret", _NAME_NEEDLES, _SHELL, _accepts_bare),
    _Detector("option-secret", ("--",), _OPTION, _accepts_bare),
)  # fmt: skip

_BY_NEEDLE: dict[str, tuple[int, ...]] = {
    needle: tuple(n for n, detector in enumerate(_DETECTORS) if needle in detector.needles)
    for needle in dict.fromkeys(needle for one in _DETECTORS for needle in one.needles)
}


# --- Private keys ---------------------------------------------------------------------------

_KEY_MARKER = re.compile(
    r"-----(?P<side>BEGIN|END) (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
)
# "\n" written out, as in a key inside a string literal, or a run of base64.
_KEY_RUN = re.compile(
    r"(?:\\[nr])+|(?P<run>[A-Za-z0-9+/]{2,}={0,2}(?:(?:\\[nr])+[A-Za-z0-9+/]{2,}={0,2})*)"
)
_DECORATION = re.compile(r"[\s\"'`#*>|+.,;:()\\/-]*")
_KEY_HEADER = re.compile(r"[\s\"'`#*]*(?:[A-Z][A-Za-z-]{2,20}: .*)?(?:\\n)?[\s\"'`,+\\]*$")


def _key_spans(text: str) -> Iterator[SecretSpan]:
    """Yield the base64 of private keys, line by line, on the inner side of each marker."""
    if "PRIVATE KEY" not in text:
        return
    for marker in _KEY_MARKER.finditer(text):
        if marker["side"] == "BEGIN":
            yield from _forwards(text, marker.end())
        else:
            yield from _backwards(text, marker.start())


def _forwards(text: str, at: int) -> Iterator[SecretSpan]:
    in_key = False
    for _ in range(_KEY_LINES):
        stop = text.find("\n", at)
        stop = len(text) if stop < 0 else stop
        marker = text.find("-----", at, stop)
        spans = _runs(text, at, stop if marker < 0 else marker)
        in_key = in_key or _is_key_line(text, spans)
        if spans and not in_key:
            return  # A word of code below a marker that only names the format.
        yield from spans
        if not spans and not _KEY_HEADER.match(text[at:stop]):
            return
        if marker >= 0 or stop == len(text):
            return
        at = stop + 1


def _backwards(text: str, at: int) -> Iterator[SecretSpan]:
    tail: list[SecretSpan] = []
    in_key = False
    for _ in range(_KEY_LINES):
        start = text.rfind("\n", 0, at) + 1
        marker = text.rfind("-----", start, at)
        spans = _runs(text, start if marker < 0 else marker + 5, at)
        if _is_key_line(text, spans):
            in_key = True
        elif tail or in_key:
            return  # Only the last line of a key is short.
        tail += spans
        if in_key:
            yield from tail
            tail = []
        if not spans and not _KEY_HEADER.match(text[start:at]):
            return
        if marker >= 0 or start == 0:
            return
        at = start - 1


def _is_key_line(text: str, spans: list[SecretSpan]) -> bool:
    """Whether base64 is that of a key and not a word that happens to have its letters."""
    longest = max((text[start:stop] for start, stop, _ in spans), key=len, default="")
    return len(longest) >= 20 and (len(longest) >= 60 or any(map(str.isdigit, longest)))


def _runs(text: str, start: int, stop: int) -> list[SecretSpan]:
    """Return the base64 in a part of a line; nothing when there is anything else in it."""
    found: list[SecretSpan] = []
    at = start
    for match in _KEY_RUN.finditer(text, start, stop):
        if _DECORATION.fullmatch(text, at, match.start()) is None:
            return []
        at = match.end()
        if match["run"]:
            found.append(SecretSpan(*match.span("run"), "private-key"))
    return found if _DECORATION.fullmatch(text, at, stop) else []
