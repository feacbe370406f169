"""Signs of errors that are raised under the opposite of what they say."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from sirdab.review.signs.look import (
    CALLS,
    MEMBERS,
    NAMES,
    arguments,
    bare,
    called_name,
    callee,
    receiver,
    string_value,
)
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node

_MISSING_ERRORS = re.compile(
    r"^(KeyError|LookupError|IndexError|FileNotFoundError|NoSuch\w*|Unknown\w*|Missing\w*|"
    r"\w*NotFound(Error|Exception)?|\w*DoesNotExist)$"
)
_THERE_ERRORS = re.compile(r"^(FileExistsError|Duplicate\w*|\w*Already\w*|\w*Exists(Error)?)$")
_SAYS_MISSING = re.compile(
    r"(?i)\b(not found|no such (?!thing)|does(n't| not) exist|do(n't| not) exist|unknown|undefined|"
    r"not (registered|defined|known|present))\b"
)
_SAYS_THERE = re.compile(r"(?i)\b(already|exists|duplicates?|in use)\b")
_DENIES = re.compile(r"(?i)\b(no|not|never|without|cannot)\b|n't\b")
# What lies in such a collection is not what is looked for.
_OF_OTHERS = re.compile(
    r"(?i)(missing|unknown|removed|deleted|invalid|bad|forbidden|reserved|denied|black|block|"
    r"exclud|ignored|skip|unsupported|closed|deprecated|fail|illegal|error|absent|"
    r"gone|dead|stale|hidden|private|unsafe|undefined|unresolved|stop|empty|(^|_|\.)non?_|not_)"
)
_THERE_CALLS = frozenset({"exists", "isfile", "is_file", "isdir", "is_dir", "lexists", "has",
                          "contains", "includes", "existsSync"})  # fmt: skip
_MOST_WORDS = 600


class _Claim(NamedTuple):
    """What holds where a branch is taken: that something is there, or that it is not."""

    is_there: bool
    subject: str


@sign("inverted-condition", *PYTHON, *SCRIPT)
def objection(scene: Scene) -> Iterator[Node]:
    """Yield conditions of errors that say the opposite of them."""
    for node in scene.all("if_statement", "elif_clause"):
        condition, body = bare(node.child("condition")), node.child("consequence")
        if condition is None or body is None:
            continue
        error = _raised(body)
        if error is None or _is_handling(node):
            continue
        name, words = _said(error)
        if _is_denied(condition, name, words) or _is_form_denied(condition, words):
            yield operator_of(condition)


def _is_handling(node: Node) -> bool:
    """Whether something has failed already, for a reason that no condition tells."""
    return any(outer.kind in ("except_clause", "catch_clause") for outer in node.ancestors())


def operator_of(condition: Node) -> Node:
    """Return what is wrong in a condition: its operator, where it has one."""
    if condition.kind == "comparison_operator" and len(condition.children) == 3:
        return condition.children[1]
    if condition.kind == "binary_expression":
        return condition.child("operator") or condition
    return condition


def _raised(body: Node) -> Node | None:
    """Return the error that is all that a branch is for, None where it does more."""
    statements = [one for one in body.children if one.kind != "comment"]
    if body.kind in ("raise_statement", "throw_statement"):
        statements = [body]
    if len(statements) != 1 or statements[0].kind not in ("raise_statement", "throw_statement"):
        return None
    error = bare(statements[0].children[0]) if statements[0].children else None
    return error if error is not None and error.kind in ("call", "new_expression") else None


def _said(error: Node) -> tuple[str, str]:
    """Return the name of an error that is made, and the constant words of its text."""
    words = [one.text for one in error.walk() if one.kind in ("string_content", "string_fragment")]
    return called_name(error) or callee(error), " ".join(words)[:_MOST_WORDS]


def _is_denied(condition: Node, name: str, words: str) -> bool:
    claim = _lookup(condition)
    if claim is not None:
        if claim.is_there:
            says = _SAYS_MISSING.search(words) or (
                _MISSING_ERRORS.match(name) and not _SAYS_THERE.search(words)
            )
            return bool(says) and not _OF_OTHERS.search(claim.subject)
        says = _THERE_ERRORS.match(name) or _SAYS_THERE.search(words)
        return bool(says) and not _DENIES.search(words)
    claim = _emptiness(condition)
    if claim is None:
        return False
    stem = claim.subject.rpartition(".")[2].strip("_").replace("_", " ")
    if not re.fullmatch(r"[A-Za-z ]{3,60}", stem):
        return False
    if claim.is_there:
        missing = re.search(
            rf"(?i)\b(no|empty|missing) {stem}\b|\b{stem} (is|are) (empty|missing|required)\b|"
            rf"\b{stem} (must|may|can) ?not be (empty|none|null)\b",
            words,
        )
        return missing is not None and not _OF_OTHERS.search(claim.subject)
    # `if not closed: raise Error("already closed")`.
    return re.search(rf"(?i)\balready {stem[:4]}", words) is not None


def _lookup(condition: Node) -> _Claim | None:
    """Return what a condition says of whether something is in a collection, or on a disk."""
    if condition.kind == "comparison_operator" and len(condition.children) == 3:
        left, operator, right = condition.children
        if operator.kind not in ("in", "not in") or left.kind not in (*NAMES, *MEMBERS):
            return None
        if right.kind not in (*NAMES, *MEMBERS):
            return None
        return _Claim(operator.kind == "in", right.text)
    is_there = True
    call = condition
    if condition.kind == "not_operator" or (
        condition.kind == "unary_expression" and condition.text.startswith("!")
    ):
        is_there = False
        call = bare(condition.child("argument")) or condition
    if call.kind not in CALLS or called_name(call) not in _THERE_CALLS:
        return None
    on, given = receiver(call), arguments(call)
    if given and string_value(given[0]) is not None:
        # `if "%" in name` forbids something.
        return None
    return _Claim(is_there, on.text if on is not None else "")


def _emptiness(condition: Node) -> _Claim | None:
    """Return what a condition says of whether a name holds anything: `x`, `not x`, `len(x) > 0`."""
    if condition.kind in NAMES or condition.kind in MEMBERS:
        return _Claim(True, condition.text)
    if condition.kind in ("not_operator", "unary_expression"):
        inner = bare(condition.child("argument"))
        plain = inner is not None and (inner.kind in NAMES or inner.kind in MEMBERS)
        is_not = condition.kind == "not_operator" or condition.text.startswith("!")
        return _Claim(False, inner.text) if inner is not None and plain and is_not else None
    if condition.kind == "comparison_operator" and len(condition.children) == 3:
        left, operator, right = condition.children
        if right.kind == "none" and operator.kind in ("is", "is not"):
            return _Claim(operator.kind == "is not", left.text)
        given = arguments(left) if left.kind in CALLS and callee(left) == "len" else []
        if given and right.text == "0" and operator.kind in (">", "!="):
            return _Claim(True, given[0].text)
    if condition.kind == "binary_expression":
        left, right = condition.child("left"), condition.child("right")
        operator = condition.child("operator")
        if left is None or right is None or operator is None:
            return None
        if right.kind in ("null", "undefined"):
            return _Claim(operator.kind in ("!=", "!=="), left.text)
        if left.text.endswith(".length") and right.text == "0" and operator.kind != "<":
            return _Claim(operator.kind in (">", "!=", "!=="), left.text.removesuffix(".length"))
    return None


_FORMS: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = (
    (re.compile(r"^(startswith|startsWith)$"),
     re.compile(r"(?i)\b(must|should|does not|doesn't) (start|begin)\b")),
    (re.compile(r"^(endswith|endsWith)$"),
     re.compile(r"(?i)\b(must|should|does not|doesn't) end\b")),
    (re.compile(r"^(isdigit|isnumeric|isdecimal|isInteger|isFinite)$"),
     re.compile(r"(?i)\b(must be|is not|not an?|is no) (an? )?(whole |finite )?(integer|number|"
                r"digits?|numeric|finite)\b")),
    (re.compile(r"^(isabs|is_absolute|isAbsolute)$"),
     re.compile(r"(?i)\b(must be|is not|not an?) (an? )?absolute\b")),
)  # fmt: skip


def _is_form_denied(condition: Node, words: str) -> bool:
    """Whether `if x.startswith("/")` raises an error that says that it must start so."""
    if condition.kind not in CALLS:
        return False
    name = called_name(condition)
    if name == "isinstance":
        given = arguments(condition)
        if len(given) != 2 or given[1].kind not in NAMES or len(given[1].text) < 3:
            return False
        wanted = rf"(?i)\b(must be|expected|is not|not) (an? )?(instance of )?{given[1].text}\b"
        return re.search(wanted, words) is not None and "must not" not in words
    return any(asks.match(name) and says.search(words) for asks, says in _FORMS)
