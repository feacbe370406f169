"""Signs in what guards passwords, tokens and signatures."""

import re
from collections.abc import Iterator

from sirdab.review.calls import name_of
from sirdab.review.signs.comparisons import comparisons
from sirdab.review.signs.look import (
    CALLS,
    MEMBERS,
    NAMES,
    NUMBERS,
    STRINGS,
    arguments,
    bare,
    called_name,
    callee,
    class_of,
    function_of,
    keywords,
    receiver,
    string_value,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node

_SECRET = re.compile(
    r"(?i)(passw(or)?d|passphrase|secret|credential|signature|\bhmac|(^|_)mac$|api_?key|csrf|xsrf|"
    r"auth|session|token|signing|signed|nonce|\botp|(^|_)pin$|reset|invite|voucher|coupon|salt|"
    r"private_?key)"
)
# What is compared to find out whether somebody may do something.
_COMPARED = re.compile(
    r"(?i)(^|_)(signature|digest|hmac|mac|secret|password|passwd|api_?key|csrf_?token|"
    r"auth_?token|access_?token|session_?token|reset_?token|token|otp|pin|password_?hash|"
    r"hashed|checksum_?hmac)$|(Token|Signature|Secret|Password|ApiKey|Digest)$"
)
_VERIFIES = re.compile(
    r"(?i)^_?(verify|check|is_valid|valid(ate)?|matches|authenticate|compare)(_?\w*)?_?"
    r"(password|passwd|secret|token|signature|digest|mac|hmac|api_?key|otp|pin)s?$|"
    r"^(verify|check|matches|compare|same|equal)s?(Password|Token|Signature|Secret|Digest|Mac)$"
)
_HARMLESS = re.compile(r"(?i)(type|kind|len|length|version|algorithm|scheme|method|user|name)$")
_STRONG = re.compile(
    r"(?i)(signature|hmac|secret|passw|api_?key|csrf|auth|access|session|reset|"
    r"(^|_)sig$|(^|_)mac$|expected|stored|provided|given|supplied|presented)"
)
_WEAK = frozenset({"md5", "sha1", "sha"})
_RANDOM = frozenset({"random", "randint", "randrange", "choice", "choices", "sample",
                     "getrandbits", "randbytes", "shuffle", "uniform"})  # fmt: skip


def _words_around(node: Node) -> str:
    """Return the names that say what a node is for: of what it lies in, and of its statement."""
    words: list[str] = []
    for outer in node.ancestors():
        if outer.kind in ("assignment", "assignment_expression", "variable_declarator", "pair",
                          "keyword_argument", "return_statement", "augmented_assignment",
                          "expression_statement"):  # fmt: skip
            words += [
                inner.text
                for inner in outer.walk()
                if inner.kind in NAMES or inner.kind == "property_identifier"
            ]
    function, owner = function_of(node), class_of(node)
    while function is not None:
        words.append(name_of(function))
        parameters = function.child("parameters")
        words.append(parameters.text if parameters is not None else "")
        function = function_of(function)
    if owner is not None:
        words.append(name_of(owner))
    return " ".join(words)


# Names of what is no secret, and of protocols that say themselves which hash is used.
_FIXED_ELSEWHERE = re.compile(
    r"(?i)etag|cache_?key|checksum|digest\w*auth|auth\w*digest|\bapop\b|cram_?md5|ntlm"
)


@sign("weak-hash", *PYTHON, *SCRIPT)
def weak_hash(scene: Scene) -> Iterator[Node]:
    """Yield MD5 and SHA-1 where something secret is near."""
    for call in scene.calls:
        if not _is_weak(call):
            continue
        words = _words_around(call)
        if _SECRET.search(words) and not _FIXED_ELSEWHERE.search(words):
            yield call.child("function") or call
    for node in scene.all("attribute"):
        # hmac.new(key, message, hashlib.sha1)
        outer = node.parent
        if (
            node.text in ("hashlib.sha1", "hashlib.md5")
            and outer is not None
            and (outer.kind in ("argument_list", "keyword_argument"))
        ):
            yield node


def _is_weak(call: Node) -> bool:
    last, given = called_name(call), arguments(call)
    used = keywords(call).get("usedforsecurity")
    if used is not None and used.text == "False":
        return False
    if last in _WEAK and callee(call) in (last, f"hashlib.{last}", f"crypto.{last}"):
        return True
    if last in ("new", "createHash", "createHmac", "pbkdf2_hmac", "digest", "pbkdf2Sync", "hmac"):
        return any((string_value(one) or "").lower().replace("-", "") in _WEAK for one in given)
    return False


@sign("insecure-random", *PYTHON, *SCRIPT)
def insecure_random(scene: Scene) -> Iterator[Node]:
    """Yield ordinary random values where something secret is made."""
    for call in scene.calls:
        name, last = callee(call), called_name(call)
        if scene.language_id == "python":
            on = receiver(call)
            if last not in _RANDOM or on is None or on.text not in ("random", "rng", "np.random"):
                continue
        elif name != "Math.random":
            continue
        if _SECRET_MADE.search(_words_around(call)):
            yield call.child("function") or call


_SECRET_MADE = re.compile(
    r"(?i)(passw(or)?d|passphrase|secret|credential|api_?key|csrf|session_?"
    r"(id|key|token)|token|one_?time|recovery_?code|login_?code|nonce|\botp|(^|[_\s])pin($|[_\s])|salt|"
    r"invite|voucher|verification_?code|reset_?code|session\b)"
)


@sign("timing-attack", *PYTHON, *SCRIPT)
def timing_attack(scene: Scene) -> Iterator[Node]:
    """Yield secrets that are compared character by character."""
    for node, left, operator, right in comparisons(scene):
        if operator.kind in ("==", "!=", "===", "!==") and _is_secret_pair(left, right, node):
            yield node
    for call in scene.all("call_expression"):
        on, given = receiver(call), arguments(call)
        if called_name(call) != "equals" or on is None or len(given) != 1:
            continue
        if _is_secret_pair(on, given[0], call):
            yield call


def _is_secret_pair(left: Node, right: Node, node: Node) -> bool:
    sides = [bare(left), bare(right)]
    for side in sides:
        if side is None or side.kind in STRINGS | NUMBERS | {
            "none",
            "null",
            "undefined",
            "true",
            "false",
            "tuple",
            "list",
        }:
            return False
        if side.kind in NAMES and side.text.isupper():
            return False
        if side.kind in CALLS and callee(side) in ("len", "type", "str.lower"):
            return False
        if side.kind in MEMBERS:
            last = side.text.rpartition(".")[2]
            if last in ("length", "type", "kind") or last.isupper():
                return False
    names = [_name_at_end(side) for side in sides if side is not None]
    if names[0] == names[1] and left.kind in MEMBERS and right.kind in MEMBERS:
        # Two objects are compared.
        return False
    function = function_of(node)
    if (
        function is not None
        and _VERIFIES.search(name_of(function))
        and all(side is not None and side.kind in NAMES | CALLS for side in sides)
        and not any(_HARMLESS.search(name) for name in names)
    ):
        return True
    if not any(_COMPARED.search(name) for name in names):
        return False
    if any(_STRONG.search(name) for name in names):
        return True
    # "token" and "digest" alone are words of parsers and of files as well.
    owner = class_of(node)
    around = " ".join(name_of(one) for one in (function, owner) if one is not None)
    return re.search(r"(?i)auth|verif|login|valid|sign|secret|session|webhook|passw|csrf|permit|"
                     r"allow|token", around) is not None  # fmt: skip


def _name_at_end(node: Node) -> str:
    """Return the last name of an expression: of an attribute, of a key, of a call."""
    inner: Node | None = node
    for _ in range(4):
        if inner is None:
            return ""
        if inner.kind in NAMES:
            return inner.text
        if inner.kind in MEMBERS:
            return inner.text.rpartition(".")[2]
        if inner.kind in ("subscript", "subscript_expression"):
            index = inner.child("subscript") or inner.child("index")
            return (string_value(index) or "") if index is not None else ""
        if inner.kind in CALLS:
            last = called_name(inner)
            if last in ("hexdigest", "digest"):
                return "digest"
            if last in ("get", "strip", "encode", "lower", "trim"):
                given = arguments(inner)
                text = string_value(given[0]) if given and last == "get" else None
                if text:
                    return text
                inner = receiver(inner)
                continue
            return last
        return ""
    return ""
