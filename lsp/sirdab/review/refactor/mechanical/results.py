"""Results that are thrown away, and what is changed while it is gone through."""

import re

from sirdab.review.refactor.mechanical.case import (
    Case,
    Change,
    arguments_of,
    before,
    indent_of,
    replaced,
    whole,
)
from sirdab.review.refactor.mechanical.registry import PYTHON, SCRIPT, mends
from sirdab.review.tree import Node

_NEW_TEXT = frozenset(
    {"strip", "lstrip", "rstrip", "lower", "upper", "casefold", "replace", "removeprefix",
     "removesuffix", "title", "capitalize"}
)  # fmt: skip
_NEW_VALUE = frozenset(
    {"trim", "trimStart", "trimEnd", "replace", "replaceAll", "toLowerCase", "toUpperCase",
     "filter", "concat", "padStart", "padEnd"}
)  # fmt: skip
_MADE = re.compile(r"(?:await\s+)?[\w.]{1,80}")
_BOUND = frozenset({"identifier", "attribute", "member_expression"})


@mends("ignored-result", *PYTHON)
@mends("ignored-result", *SCRIPT)
def kept(case: Case) -> list[Change] | None:
    """Give the new value to the name that the method was called on."""
    statement = case.statement()
    call = statement.children[0] if statement is not None and statement.children else None
    on = (
        None
        if call is None or call.kind not in ("call", "call_expression")
        else call.child("function")
    )
    if statement is None or on is None:
        return None
    value = on.child("object")
    named = on.child("attribute") or on.child("property")
    if value is None or named is None or value.kind not in _BOUND:
        return None
    names = _NEW_TEXT if case.language_id == "python" else _NEW_VALUE
    given = arguments_of(call) if call is not None else None
    if named.text not in names or _is_fixed(case, value) or given is None:
        return None
    if named.text == "replace" and len(given) < 2:
        # A path or a page is moved by a method of this name.
        return None
    return [before(statement, f"{value.text} = ")]


def _is_fixed(case: Case, value: Node) -> bool:
    """Whether a name is imported, or declared by `const`, anywhere in a document."""
    for one in case.root.walk():
        if one.kind.startswith("import_") and any(
            each.kind in ("identifier", "dotted_name") and each.text == value.text
            for each in one.walk()
        ):
            return True
        if one.kind == "lexical_declaration" and one.text.startswith("const"):
            for each in one.children:
                named = each.child("name")
                if named is not None and named.text == value.text:
                    return True
    return False


@mends("modified-while-iterating", *PYTHON)
def of_a_copy(case: Case) -> list[Change] | None:
    """Go through a copy."""
    for loop in case.root.walk():
        if loop.kind != "for_statement" or not loop.row <= case.first <= loop.end_row:
            continue
        over = loop.child("right")
        if over is None or over.text.startswith(("list(", "tuple(", "sorted(")):
            continue
        name = re.sub(r"\.(?:items|keys|values)\(\)$", "", over.text)
        body = loop.child("body")
        if not _MADE.fullmatch(name) or body is None or not _changes(body, name):
            continue
        return [replaced(over, f"list({whole(over)})")]
    return None


def _changes(body: Node, name: str) -> bool:
    """Whether a block takes something out of a collection, or puts something in."""
    written = re.escape(name)
    return bool(
        re.search(
            rf"\bdel\s+{written}\[|(?<![\w.]){written}\.(?:pop|remove|discard|add|append|clear"
            rf"|insert|popitem|update|setdefault)\(|(?<![\w.]){written}\[[^\]\n]{{1,80}}\]\s*=(?!=)",
            whole(body)[:20_000],
        )
    )


@mends("naive-datetime", *PYTHON)
def in_utc(case: Case) -> list[Change] | None:
    """Take the time of UTC, with its zone."""
    found: list[Change] = []
    for call in case.all("call"):
        on, given = call.child("function"), arguments_of(call)
        if on is None or given != []:
            continue
        owner, _, name = on.text.rpartition(".")
        if name not in ("now", "utcnow") or owner not in ("datetime", "datetime.datetime"):
            continue
        if _is_measured(call):
            return None
        zone = "datetime.timezone.utc" if owner == "datetime.datetime" else "timezone.utc"
        found.append(replaced(call, f"{owner}.now({zone})"))
    return found


def _is_measured(call: Node) -> bool:
    """Whether a time is compared or subtracted: another time without a zone cannot be then."""
    outer = call.parent
    if outer is None or outer.kind not in ("comparison_operator", "binary_operator"):
        return False
    # Where the document has times with a zone, the other one is taken for one of them.
    return not re.search(rb"\btimezone\.utc\b|\bUTC\b", call.source)


@mends("code-injection", *SCRIPT)
def parsed(case: Case) -> list[Change] | None:
    """Read what is evaluated as `eval("(" + text + ")")` as the JSON that it is."""
    for call in case.all("call_expression"):
        found = re.fullmatch(r"""eval\(["']\(["'] \+ ([\w.]{1,80}) \+ ["']\)["']\)""", whole(call))
        if found:
            return [replaced(call, f"JSON.parse({found[1]})")]
    return None


@mends("insecure-temp-file", *PYTHON)
def made_at_once(case: Case) -> list[Change] | None:
    """Make the temporary file or folder when its name is made."""
    for call in case.all("call"):
        on = call.child("function")
        if on is None or on.text != "tempfile.mktemp":
            continue
        opened = call.parent.parent if call.parent is not None else None
        if opened is not None and opened.kind == "call" and _called(opened) == "open":
            return _opened(call, on, opened)
        if call.parent is not None and call.parent.kind == "assignment":
            return _followed(on, call.parent)
    return None


def _called(call: Node) -> str:
    on = call.child("function")
    return "" if on is None else on.text


def _opened(call: Node, on: Node, opened: Node) -> list[Change] | None:
    given = arguments_of(opened)
    if given is None or given[0] is not call or len(given) > 2:
        return None
    mode = given[1].text if len(given) == 2 else ""
    inside = arguments_of(call)
    # Without a mode it would be read, and there is nothing in it yet.
    if inside is None or mode not in ('"w+b"', "'w+b'"):
        return None
    name = whole(call)[len(on.text) :]
    return [replaced(opened, f"tempfile.NamedTemporaryFile{name}")]


def _followed(on: Node, assignment: Node) -> list[Change] | None:
    """Mend a name that the next statement makes a file or a folder of."""
    name, statement = assignment.child("left"), assignment.parent
    block = None if statement is None else statement.parent
    if name is None or statement is None or block is None or not indent_of(statement):
        return None
    at = next((n for n, one in enumerate(block.children) if one is statement), -1)
    if at + 1 >= len(block.children):
        return None
    following = block.children[at + 1]
    if re.fullmatch(rf"os\.mkdir\({re.escape(name.text)}\)", following.text):
        return [replaced(on, "tempfile.mkdtemp"), Change(statement.end, following.end, "")]
    opened = re.fullmatch(
        rf"(\w{{1,80}}) = os\.open\({re.escape(name.text)}, [\w.| ]{{1,200}}\)", following.text
    )
    if opened is None:
        return None
    return [
        before(statement, f"{opened[1]}, "),
        replaced(on, "tempfile.mkstemp"),
        Change(statement.end, following.end, ""),
    ]
