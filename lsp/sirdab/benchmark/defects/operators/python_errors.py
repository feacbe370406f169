"""Errors that are hidden, and what stays open because of them."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sirdab.benchmark.defects.mutation import Edit, Mutation, Source, field, operator, replace
from sirdab.benchmark.defects.operators.python_tree import (
    calls,
    keyword,
    only_statement,
    without_argument,
)

if TYPE_CHECKING:
    from tree_sitter import Node

_OPENERS = (
    "open", "os.fdopen", "io.open", "gzip.open", "sqlite3.connect", "socket.socket",
    "socket.create_connection", "zipfile.ZipFile", "tarfile.open", "urlopen",
    "urllib.request.urlopen", "tempfile.NamedTemporaryFile", "NamedTemporaryFile",
)  # fmt: skip


@operator("resource-leak", "resource-leak", category="correctness", cwe=772)
def resource_leak(source: Source) -> Iterator[Mutation]:
    """A file or connection is opened without a `with` and never closed."""
    for statement in source.of_type("with_statement"):
        items = statement.named_children[0].named_children
        body = field(statement, "body")
        if len(items) != 1 or body is None:
            continue
        opened = field(items[0], "value")
        if opened is None or opened.type != "as_pattern":
            continue
        call = opened.named_children[0]
        name = source.code(field(opened, "alias"))
        if source.code(field(call, "function")) in ("closing", "contextlib.closing"):
            given = field(call, "arguments")
            call = call if given is None else given.named_children[0]
        if source.code(field(call, "function")) not in _OPENERS:
            continue
        yield Mutation(_unwrapped(source, statement, body, f"{name} = {source.code(call)}"))


def _unwrapped(source: Source, statement: "Node", body: "Node", first: str) -> tuple[Edit, ...]:
    """Return the edits that make `with x as y: body` an assignment and the body."""
    outer, inner = source.indent(statement), source.indent(body.named_children[0])
    start, stop = source.line_start(body.start_byte), source.line_stop(body.end_byte - 1)
    lines = source.bytes[start:stop].decode().split("\n")
    text = "\n".join(
        outer + line.removeprefix(inner) if line.startswith(inner) else line for line in lines
    )
    head = source.line_start(statement.start_byte)
    return (Edit(head, start, f"{outer}{first}\n"), Edit(start, stop, text, marks=False))


@operator("swallowed-error", "swallowed-error", "broad-except", category="correctness", cwe=390)
def swallowed(source: Source) -> Iterator[Mutation]:
    """An error that was passed on is caught and nothing is done about it."""
    for clause in source.of_type("except_clause"):
        block = clause.named_children[-1]
        if block.type != "block":
            continue
        statements = [one for one in block.named_children if one.type != "comment"]
        if any(one.type == "raise_statement" for one in statements):
            caught = source.code(_caught(field(clause, "value")))
            text = f"except {caught}:" if caught else "except:"
            inner = source.indent(block.named_children[0])
            yield Mutation((Edit(clause.start_byte, block.end_byte, f"{text}\n{inner}pass"),))


# With a session of the library requests, which has no timeout by itself.
_REQUESTS = re.compile(r"^[ \t]*(?:import|from) requests\b", re.MULTILINE)


def _caught(value: "Node | None") -> "Node | None":
    """Return the error of a clause, without the name it is given."""
    named = value is not None and value.type == "as_pattern"
    return value.named_children[0] if named and value is not None else value


@operator("broad-except", "broad-except", "swallowed-error", category="correctness", cwe=396)
def broad(source: Source) -> Iterator[Mutation]:
    """A handler for one error catches every error, so that defects go unseen."""
    for clause in source.of_type("except_clause"):
        value = field(clause, "value")
        block = clause.named_children[-1]
        last = block.named_children[-1] if block.named_children else None
        if value is None or block.type != "block" or last is None:
            continue
        caught = _caught(value) or value
        # Where the error goes on, catching more of it changes little.
        if last.type == "raise_statement" or source.code(caught) in ("Exception", "BaseException"):
            continue
        yield Mutation((replace(caught, "Exception"),))


@operator("missing-timeout", "missing-timeout", category="performance", cwe=1088)
def missing_timeout(source: Source) -> Iterator[Mutation]:
    """A call over the network waits for ever."""
    names = (
        "urlopen", "urllib.request.urlopen", "socket.create_connection", "requests.get",
        "requests.post", "session.get", "session.post", "HTTPSConnection", "HTTPConnection",
    )  # fmt: skip
    for call, _ in calls(source, *names):
        given = keyword(source, call, "timeout")
        if source.code(field(call, "function")).startswith("session.") and not _REQUESTS.search(
            source.text
        ):
            # Sessions of other libraries, such as httpx and aiohttp, have a timeout by default.
            continue
        # None waits for ever as well, so that nothing would change.
        if given is not None and source.code(field(given, "value")) != "None":
            yield Mutation((without_argument(source, given),), shows=(_line(source, call),))


def _line(source: Source, call: "Node") -> tuple[int, int]:
    """Return the bytes of the line that a call begins in."""
    return call.start_byte, min(call.end_byte, source.line_stop(call.start_byte) - 1)


@operator("lost-raise", "exception-not-raised", "ignored-result", category="correctness", cwe=390)
def lost_raise(source: Source) -> Iterator[Mutation]:
    """An error is made and never raised."""
    for node in source.of_type("raise_statement"):
        value = node.named_children[0] if node.named_children else None
        if value is None or value.type != "call" or field(node, "cause") is not None:
            continue
        block = node.parent
        guarded = block is not None and block.parent is not None
        if guarded and only_statement(node, "call") is None:
            yield Mutation((replace(node, source.code(value)),))
