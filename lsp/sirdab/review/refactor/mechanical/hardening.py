"""Functions that are unsafe by themselves, and those that take their place."""

import re

from sirdab.review.refactor.mechanical.case import (
    Case,
    Change,
    arguments_of,
    function_around,
    operands_of,
    operator_of,
    replaced,
    whole,
)
from sirdab.review.refactor.mechanical.registry import PYTHON, SCRIPT, mends
from sirdab.review.tree import Node

_MODES = {"0o777": "0o700", "0o666": "0o600"}
_UNSAFE_LOADERS = frozenset({"Loader", "UnsafeLoader", "FullLoader", "CLoader"})
_PASSWORD = re.compile(r"passw|passphrase|pwd|(?<![a-z])pin(?![a-z])|credential", re.IGNORECASE)
_WEAK = re.compile(r"(?:md5|sha-?1)", re.IGNORECASE)
_RANDOM = {"choice": "choice", "randbytes": "token_bytes", "getrandbits": "randbits"}
_DRAWN = frozenset(
    {"choices", "sample", "shuffle", "randint", "randrange", "random", "uniform", "choice"}
)
_LETTERS = re.compile(
    r"Math\.random\(\)\.toString\((16|36)\)(?:\.(?:slice|substring|substr)\([\d, ]{0,9}\))?"
)
_ELSEWHERE = re.compile(r"(?<![\w.])random\s*=|\bimport\s+[^\n]{0,200}\bas\s+random\b")


@mends("unsafe-deserialization", *PYTHON)
def loaded_safely(case: Case) -> list[Change] | None:
    """Load YAML without making objects of any class."""
    found: list[Change] = []
    for call in case.all("call"):
        on, given = call.child("function"), arguments_of(call)
        name = "" if on is None else on.text
        if on is None or not given or name not in ("yaml.load", "yaml.load_all"):
            continue
        loaders = [one.text.rpartition("=")[2].strip().rpartition(".")[2] for one in given[1:]]
        if len(given) > 2 or any(one not in _UNSAFE_LOADERS for one in loaders):
            return None
        if given[0].kind in ("keyword_argument", "list_splat"):
            return None
        found.append(replaced(on, name.replace(".load", ".safe_load")))
        if len(given) == 2:
            found.append(Change(given[0].end, given[1].end, ""))
    return found


@mends("weak-permissions", *PYTHON, *SCRIPT)
def for_the_owner(case: Case) -> list[Change] | None:
    """Let the owner alone read and write."""
    return [
        replaced(node, _MODES[node.text.lower()])
        for node in case.all("integer", "number")
        if node.text.lower() in _MODES
    ]


@mends("weak-hash", *PYTHON, *SCRIPT)
def with_sha256(case: Case) -> list[Change] | None:
    """Take SHA-256, except where a password is near: that takes another kind of function."""
    found: list[Change] = []
    for node in case.all("attribute", "string"):
        if node.kind == "attribute" and re.fullmatch(r"hashlib\.(?:md5|sha1)", node.text):
            found.append(replaced(node, "hashlib.sha256"))
        elif node.kind == "string" and _WEAK.fullmatch(node.text[1:-1]) and _is_given(node):
            quote = node.text[0]
            found.append(replaced(node, f"{quote}sha256{quote}"))
        else:
            continue
        function = function_around(node)
        if _PASSWORD.search("" if function is None else whole(function)[:4_000]):
            return None
    return found


def _is_given(node: Node) -> bool:
    """Whether a text is the first argument of what makes a hash."""
    given = node.parent
    call = None if given is None else given.parent
    on = None if call is None else (call.child("function") or call.child("constructor"))
    if given is None or on is None or given.children[0] is not node:
        return False
    return bool(re.search(r"(?:createHash|createHmac|hashlib\.new)$", on.text))


@mends("insecure-random", *PYTHON)
def from_the_system(case: Case) -> list[Change] | None:
    """Draw from the generator of the system."""
    if _ELSEWHERE.search(case.text(0, len(case.source))[:200_000]):
        return None
    found: list[Change] = []
    for call in case.all("call"):
        on, given = call.child("function"), arguments_of(call)
        if on is None or given is None or not on.text.startswith("random."):
            continue
        name = on.text.removeprefix("random.")
        if name in _RANDOM:
            found.append(replaced(on, f"secrets.{_RANDOM[name]}"))
        elif name == "randrange" and len(given) == 1 and given[0].kind != "keyword_argument":
            found.append(replaced(on, "secrets.randbelow"))
        elif name in _DRAWN:
            found.append(replaced(on, f"secrets.SystemRandom().{name}"))
    return found


@mends("insecure-random", *SCRIPT)
def unique(case: Case) -> list[Change] | None:
    """Take a random UUID where a number is made into letters."""
    for call in case.all("call_expression"):
        letters = _LETTERS.fullmatch(whole(call)[:200])
        outer = call.parent
        if letters is None or (outer is not None and outer.kind == "member_expression"):
            continue
        source = case.text(0, len(case.source))
        name = "randomUUID" if re.search(r"\brandomUUID\b", source) else "crypto.randomUUID"
        # What was of hexadecimal digits alone stays so.
        if letters[1] == "16" and re.search(r"\brandomBytes\b", source):
            return [replaced(call, 'randomBytes(32).toString("hex")')]
        tail = '.replaceAll("-", "")' if letters[1] == "16" else ""
        return [replaced(call, f"{name}(){tail}")]
    return None


@mends("timing-attack", *SCRIPT)
def in_constant_time(case: Case) -> list[Change] | None:
    """Compare two buffers in constant time, after their lengths, which must not differ."""
    for call in case.all("call_expression"):
        on, given = call.child("function"), arguments_of(call)
        left = None if on is None else on.child("object")
        named = None if on is None else on.child("property")
        if left is None or named is None or given is None or named.text != "equals":
            continue
        if len(given) != 1 or {left.kind, given[0].kind} != {"identifier"}:
            return None
        one, other = left.text, given[0].text
        safe = f"timingSafeEqual({one}, {other})"
        around = call.parent
        if around is not None and f"{one}.length === {other}.length && " in around.text:
            return [replaced(call, safe)]
        guarded = f"{one}.length === {other}.length && {safe}"
        is_alone = around is not None and around.kind in ("return_statement", "variable_declarator")
        return [replaced(call, guarded if is_alone else f"({guarded})")]
    return None


@mends("timing-attack", *PYTHON)
def digests(case: Case) -> list[Change] | None:
    """Compare in constant time where both sides are surely bytes, or surely texts."""
    node = case.pointed("comparison_operator")
    operator = None if node is None else operator_of(node)
    sides = None if node is None else operands_of(node)
    if node is None or operator is None or sides is None or operator.kind not in ("==", "!="):
        return None
    kinds = {_type_of(case, one) for one in sides}
    if len(kinds) != 1 or "" in kinds:
        return None
    # Of texts the function takes those of ASCII only.
    tail = ".encode()" if kinds == {"str"} else ""
    left, right = (whole(one) for one in sides)
    if tail and any(one.kind not in ("identifier", "call", "attribute") for one in sides):
        return None
    same = f"hmac.compare_digest({left}{tail}, {right}{tail})"
    return [replaced(node, same if operator.kind == "==" else f"not {same}")]


_BYTES = re.compile(r"\.(?:digest|encode|fromhex|to_bytes)\([^()]{0,80}\)$")
_TEXT = re.compile(r"\.(?:hexdigest|decode|hex)\([^()]{0,80}\)$")
_BYTES_BY = re.compile(
    r"(?:bytes\.fromhex|(?:base64\.)?\w*b64decode|secrets\.token_bytes|hashlib\.(?:pbkdf2_hmac|scrypt))\("
)


def _type_of(case: Case, node: Node, depth: int = 0) -> str:
    """Return "bytes" or "str" where the code says that it is so, else ""."""
    text = whole(node)[:400]
    if _BYTES.search(text) or _BYTES_BY.match(text):
        return "bytes"
    if _TEXT.search(text):
        return "str"
    function = function_around(node)
    if node.kind == "call":
        on = node.child("function")
        made = "" if on is None or on.kind != "identifier" else on.text
        for one in case.root.walk():
            named = one.child("name") if one.kind == "function_definition" else None
            result = one.child("return_type")
            if named is not None and named.text == made and result is not None:
                return result.text if result.text in ("str", "bytes") else ""
    if node.kind != "identifier" or function is None or depth > 3:
        return ""
    kinds: set[str] = set()
    for one in function.walk():
        if one.kind == "typed_parameter" and one.children[0].text == node.text:
            said = one.child("type")
            kinds.add("" if said is None else said.text)
        elif one.kind == "assignment":
            left, right = one.child("left"), one.child("right")
            if left is None or right is None:
                continue
            if left.kind == "identifier" and left.text == node.text:
                kinds.add(_type_of(case, right, depth + 1))
            elif left.kind == "pattern_list" and node.text in {c.text for c in left.children}:
                parts = re.search(r"\.r?partition\(|\.r?split\(", right.text)
                on = right.child("function")
                of = None if on is None else on.child("object")
                kinds.add(_type_of(case, of, depth + 1) if parts and of is not None else "")
    return kinds.pop() if len(kinds) == 1 and kinds <= {"str", "bytes"} else ""
