"""Signs in the handling of errors."""

import re
from collections.abc import Iterator

from sirdab.review.signs.fallbacks import has_other_way
from sirdab.review.signs.look import CALLS, NAMES, called_name
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.tree import Node

_BROAD = re.compile(r"\b(Exception|BaseException)\b")
# Errors that mean no more than "there is none", which is often the answer that was wanted.
_EXPECTED = re.compile(
    r"\b(ImportError|ModuleNotFoundError|StopIteration|StopAsyncIteration|CancelledError|"
    r"FileNotFoundError|ProcessLookupError|KeyboardInterrupt|GeneratorExit|Empty|Full|"
    r"BrokenPipeError|FileExistsError|AttributeError|TimeoutError|NotImplementedError|"
    r"ConnectionResetError|ChildProcessError|EOFError|DoesNotExist|SystemExit|KeyError|"
    r"IndexError|LookupError|UnicodeError|UnicodeDecodeError|InterruptedError)\b"
)
_TELLING = re.compile(
    r"(?i)(log|warn|error|exception|print|report|debug|info|record|fail|abort|"
    r"echo|notify|trace|emit|write|show|exit|capture)"
)


@sign("swallowed-error", *PYTHON)
def swallowed_error(scene: Scene) -> Iterator[Node]:
    """Yield handlers that do nothing at all with an error that says something."""
    for clause in scene.all("except_clause"):
        body = clause.first("block")
        if body is None:
            continue
        caught = _caught(clause)
        statements = [one for one in body.children if one.kind != "comment"]
        silent = all(
            one.kind in ("pass_statement", "continue_statement")
            or (one.kind == "expression_statement" and one.text == "...")
            for one in statements
        )
        if _is_broad(caught):
            hides = silent or all(_gives_constant(one) for one in statements)
        else:
            hides = silent and not _EXPECTED.search(caught) and not _is_cleaning_up(clause)
        if hides and not has_other_way(scene, clause, silent):
            yield clause


@sign("broad-except", *PYTHON)
def broad_except(scene: Scene) -> Iterator[Node]:
    """Yield handlers that take every error for the one that was expected."""
    for clause in scene.all("except_clause"):
        body = clause.first("block")
        if body is None or not _is_broad(_caught(clause)):
            continue
        statements = [one for one in body.children if one.kind != "comment"]
        if all(one.kind == "pass_statement" for one in statements):
            # That nothing is done with it weighs more, and is another sign.
            continue
        alias = _alias(clause)
        if _is_one_conversion(clause) or not any(
            _deals_with(inner, alias) for inner in body.walk()
        ):
            yield _caught_node(clause)


def _caught_node(clause: Node) -> Node:
    """Return what an `except` catches, or the clause where it names nothing."""
    first = clause.children[0]
    if first.kind == "as_pattern" and first.children:
        return first.children[0]
    return clause if first.kind in ("block", "comment") else first


_CONVERTING = frozenset({"int", "float", "loads", "fromisoformat", "strptime", "Decimal", "index",
                         "UUID", "literal_eval", "ip_address", "parse"})  # fmt: skip


def _is_one_conversion(clause: Node) -> bool:
    """Whether what is tried is one conversion, whose errors are known."""
    body = clause.parent.child("body") if clause.parent is not None else None
    statements = [] if body is None else [one for one in body.children if one.kind != "comment"]
    if len(statements) != 1:
        return False
    calls = [one for one in statements[0].walk() if one.kind in CALLS]
    return len(calls) == 1 and called_name(calls[0]) in _CONVERTING


@sign("swallowed-error", *SCRIPT)
def empty_catch(scene: Scene) -> Iterator[Node]:
    """Yield `catch` with nothing in it."""
    for clause in scene.all("catch_clause"):
        body = clause.child("body")
        if body is not None and all(one.kind == "comment" for one in body.children):
            yield clause


_CLEANING = frozenset({"close", "unlink", "remove", "rmdir", "kill", "terminate", "shutdown",
                       "rmtree", "cancel", "flush", "release", "join", "stop", "send_signal",
                       "wait", "disconnect", "pop", "discard", "__delitem__"})  # fmt: skip


def _is_cleaning_up(clause: Node) -> bool:
    """Whether what is tried only puts something away, or only asks for one thing."""
    body = clause.parent.child("body") if clause.parent is not None else None
    statements = [] if body is None else [one for one in body.children if one.kind != "comment"]
    if len(statements) != 1:
        return False
    if statements[0].kind == "delete_statement":
        return True
    return any(one.kind in CALLS and called_name(one) in _CLEANING for one in statements[0].walk())


def _caught(clause: Node) -> str:
    """Return what an `except` catches, "" for everything."""
    body = clause.first("block")
    stop = clause.end if body is None else body.start
    head = clause.source[clause.start : min(stop, clause.start + 400)].decode("utf-8", "replace")
    return head.removeprefix("except").strip().rstrip(":").strip()


def _is_broad(caught: str) -> bool:
    return not caught or bool(_BROAD.search(caught.partition(" as ")[0]))


def _alias(clause: Node) -> str:
    pattern = clause.first("as_pattern")
    target = pattern.child("alias") if pattern is not None else None
    return "" if target is None else target.text


def _gives_constant(statement: Node) -> bool:
    """Whether a statement only gives back something that is written out."""
    if statement.kind in ("pass_statement", "continue_statement"):
        return True
    if statement.kind != "return_statement":
        return False
    return not statement.children or statement.children[0].kind in ("none", "false", "true")


def _deals_with(node: Node, alias: str) -> bool:
    """Whether a node raises, tells somebody, or looks at the error."""
    if node.kind in ("raise_statement", "assert_statement"):
        return True
    if node.kind in CALLS and _TELLING.search(called_name(node)):
        return True
    return bool(alias) and node.kind in NAMES and node.text == alias
