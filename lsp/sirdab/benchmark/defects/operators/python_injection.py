"""Text from outside that becomes a query, a command, code, markup or a pattern."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sirdab.benchmark.defects.mutation import (
    Edit,
    Mutation,
    Source,
    below,
    field,
    operator,
    replace,
)
from sirdab.benchmark.defects.operators.python_tree import (
    arguments,
    calls,
    following,
    function_of,
    importing,
    statement_of,
)

if TYPE_CHECKING:
    from tree_sitter import Node

_SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE)\b")


@operator("sql-concatenation", "sql-injection", category="security", cwe=89)
def sql(source: Source) -> Iterator[Mutation]:
    """A value is put into the text of a query instead of being passed as a parameter."""
    for number, (call, given) in enumerate(calls(source, ".execute")):
        if len(given) != 2 or given[1].type != "tuple":
            continue
        query = given[0] if given[0].type == "string" else _constant(source, given[0])
        values = [source.code(one) for one in given[1].named_children]
        text = source.code(query)
        if query is None or not _SQL.search(text) or text.count("?") != len(values):
            continue
        if query.id != given[0].id and statement_of(query).id != _before(statement_of(call)):
            continue
        built = _built(text, values, style=number % 3)
        yield Mutation((Edit(given[0].start_byte, given[1].end_byte, built),))


def _before(statement: "Node") -> int:
    before = statement.prev_named_sibling
    return -1 if before is None else before.id


def _constant(source: Source, name: "Node") -> "Node | None":
    """Return the string that a name was assigned in the same function."""
    function = function_of(name)
    for node in () if function is None else below(function):
        if node.type == "assignment" and source.code(field(node, "left")) == source.code(name):
            right = field(node, "right")
            return right if right is not None and right.type == "string" else None
    return None


def _built(query: str, values: list[str], style: int) -> str:
    """Return an expression that puts the values into the query, in one of the usual ways."""
    quote = query[-1]
    plain = query.lstrip("f")
    formatted = query.startswith("f")
    if style == 0 and len(values) == 1 and not formatted and plain.count("?") == 1:
        head, _, tail = plain[1:-1].partition("?")
        end = f" + {quote}'{tail}{quote}"
        return f"{quote}{head}'{quote} + {values[0]}{end}"
    if style == 1 and not formatted and "%" not in plain:
        given = values[0] if len(values) == 1 else f"({', '.join(values)})"
        return f"{plain.replace('?', chr(39) + '%s' + chr(39))} % {given}"
    for value in values:
        inner = value.replace('"', "'") if quote == '"' else value
        plain = plain.replace("?", f"'{{{inner}}}'" if "'" not in inner else f"{{{inner}}}", 1)
    return f"f{plain}"


@operator("eval", "code-injection", category="security", cwe=95)
def run_as_code(source: Source) -> Iterator[Mutation]:
    """Text is run as code to read it."""
    for call, given in calls(source, "ast.literal_eval", "json.loads", "int", "float"):
        argument = given[0] if len(given) == 1 else None
        if argument is not None and argument.type in ("identifier", "attribute", "subscript"):
            yield Mutation((replace(call, f"eval({source.code(argument)})"),))


@operator("shell", "command-injection", category="security", cwe=78)
def shell(source: Source) -> Iterator[Mutation]:
    """A command is put together as text and run by a shell."""
    for call, given in calls(source, "subprocess.run", "subprocess.check_output", "run"):
        listed = given[0] if given else None
        function = function_of(call)
        if listed is None or function is None:
            continue
        if listed.type == "list":
            values = [one for one in listed.named_children if one.type != "string"]
            if values and source.code(field(call, "function")).startswith("subprocess."):
                text = _command(source, listed)
                yield Mutation((replace(listed, f"{text}, shell=True"),))
        elif listed.type == "identifier":
            text = f'" ".join({source.code(listed)}), shell=True'
            if source.code(field(call, "function")).startswith("subprocess."):
                yield Mutation((replace(listed, text),))


def _command(source: Source, listed: "Node") -> str:
    words = [
        source.code(one)[1:-1] if one.type == "string" else f"{{{source.code(one)}}}"
        for one in listed.named_children
    ]
    return f'f"{" ".join(words)}"'


@operator("unsafe-deserialisation", "unsafe-deserialization", category="security", cwe=502)
def deserialise(source: Source) -> Iterator[Mutation]:
    """Data from outside is read in a way that can run code."""
    for call, given in calls(source, "json.loads", "yaml.safe_load"):
        if len(given) != 1:
            continue
        value = source.code(given[0])
        if source.code(field(call, "function")) == "json.loads":
            edit = replace(call, f"pickle.loads({value})")
            yield Mutation((edit, *importing(source, "pickle")))
        else:
            yield Mutation((replace(call, f"yaml.load({value}, Loader=yaml.Loader)"),))


@operator("html-escape", "cross-site-scripting", category="security", cwe=79)
def html_escape(source: Source) -> Iterator[Mutation]:
    """Text from outside stands in a page as it is."""
    for call, given in calls(source, "html.escape", "escape", "markupsafe.escape"):
        if len(given) == 1:
            yield Mutation((replace(call, source.code(given[0])),))


@operator("regex-escape", "regex-injection", category="security", cwe=1333)
def regex_escape(source: Source) -> Iterator[Mutation]:
    """Text from outside becomes a part of a regular expression as it is."""
    for call, given in calls(source, "re.escape"):
        if len(given) == 1:
            yield Mutation((replace(call, source.code(given[0])),))


@operator("path-check", "path-traversal", category="security", cwe=22)
def path_check(source: Source) -> Iterator[Mutation]:
    """A name from outside leads to a path, and nothing looks where that is."""
    for guard in source.of_type("if_statement"):
        condition = source.code(field(guard, "condition"))
        signs = ("is_relative_to(", "commonpath(", "secure_filename(", ".startswith(")
        if "not " not in condition or not any(sign in condition for sign in signs):
            continue
        if ".startswith(" in condition and not re.search(r"path|folder|root|dir", condition):
            continue
        use = _use(source, guard)
        if use is None:
            continue
        whole = statement_of(guard)
        start, stop = source.line_start(whole.start_byte), source.line_stop(whole.end_byte - 1)
        loop = guard.parent.parent if guard.parent is not None else None
        if loop is not None and loop.type == "for_statement":
            # The check is all that the loop does.
            if field(loop, "body") is None or len(field(loop, "body").named_children) > 1:  # type: ignore[union-attr]
                continue
            start = source.line_start(loop.start_byte)
            stop = source.line_stop(loop.end_byte - 1)
        yield Mutation((Edit(start, stop, ""),), shows=(use,))


def _use(source: Source, guard: "Node") -> tuple[int, int] | None:
    """Return where the path is used, or returned, behind the guard."""
    function = function_of(guard)
    for node in () if function is None else below(function):
        if node.start_byte < guard.end_byte or node.type not in ("call", "return_statement"):
            continue
        called = source.code(field(node, "function"))
        if node.type == "return_statement" or called == "open" or called.endswith(_USES):
            return node.start_byte, min(node.end_byte, source.line_stop(node.start_byte) - 1)
    return None


_USES = (".open", ".read_text", ".read_bytes", ".unlink", ".extractall", "send_file")


@operator("open-redirect", "open-redirect", category="security", cwe=601)
def open_redirect(source: Source) -> Iterator[Mutation]:
    """An address from outside is gone to, whatever it is."""
    for guard in source.of_type("if_statement"):
        condition = source.code(field(guard, "condition"))
        if not re.search(r"netloc|hostname|scheme|url_has_allowed_host", condition):
            continue
        for statement in following(guard):
            for node in (statement, *below(statement)):
                called = source.code(field(node, "function"))
                if node.type == "call" and "redirect" in called.lower() and arguments(node):
                    start = source.line_start(guard.start_byte)
                    stop = source.line_stop(guard.end_byte - 1)
                    shows = (node.start_byte, node.end_byte)
                    yield Mutation((Edit(start, stop, ""),), shows=(shows,))
                    break
