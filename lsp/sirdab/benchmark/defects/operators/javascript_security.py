"""Text from outside, secrets and certificates in JavaScript and TypeScript."""

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
    span,
    without_lines,
)
from sirdab.benchmark.defects.operators.javascript_tree import (
    calls,
    following,
    function_of,
    guards,
)

if TYPE_CHECKING:
    from tree_sitter import Node

_SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE)\b")
_FILES = ("readFile", "createReadStream", "open", "unlink", "sendFile", "writeFile")


@operator("js-inner-html", "cross-site-scripting", category="security", cwe=79, family="javascript")
def inner_html(source: Source) -> Iterator[Mutation]:
    """Text from outside stands in a page as markup."""
    for node in source.of_type("property_identifier"):
        member = node.parent
        outer = None if member is None else member.parent
        assigned = outer is not None and outer.type == "assignment_expression"
        if assigned and source.code(node) == "textContent" and field(outer, "left") == member:
            yield Mutation((replace(node, "innerHTML"),))
    for call, given in calls(source, "escapeHtml", "escape", "encodeHtml"):
        if len(given) == 1 and given[0].type in ("identifier", "member_expression"):
            yield Mutation((replace(call, source.code(given[0])),))


@operator("js-eval", "code-injection", category="security", cwe=95, family="javascript")
def run_as_code(source: Source) -> Iterator[Mutation]:
    """Text is run as code to read it."""
    for number, (call, given) in enumerate(calls(source, "JSON.parse")):
        if len(given) != 1:
            continue
        value = source.code(given[0])
        text = (
            f'eval("(" + {value} + ")")'
            if number % 2 == 0
            else f"new Function(`return (${{{value}}})`)()"
        )
        yield Mutation((replace(call, text),))


@operator("js-sql-template", "sql-injection", category="security", cwe=89, family="javascript")
def sql(source: Source) -> Iterator[Mutation]:
    """A value is put into the text of a query instead of being passed as a parameter."""
    for number, (_, given) in enumerate(calls(source, ".query", ".execute", ".all", ".run")):
        if len(given) != 2 or given[0].type != "string" or given[1].type != "array":
            continue
        query = source.code(given[0])[1:-1]
        values = [source.code(one) for one in given[1].named_children]
        if not _SQL.search(query) or not values or "ANY(" in query:
            continue
        if number % 2 and len(values) == 1 and values[0].isidentifier():
            head, _, tail = query.partition("$1")
            text = f'"{head}\'" + {values[0]} + "\'{tail}"'
        else:
            for index, value in enumerate(values, 1):
                inner = value[1:-1] if value.startswith("`") else f"${{{value}}}"
                query = query.replace(f"${index}", f"'{inner}'")
            text = f"`{query}`"
        yield Mutation((Edit(given[0].start_byte, given[1].end_byte, text),))


@operator("js-command", "command-injection", category="security", cwe=78, family="javascript")
def command(source: Source) -> Iterator[Mutation]:
    """A command is put together as text and run by a shell."""
    runner = re.search(r"const (\w+) = promisify\(execFile\)", source.text)
    names = ("execFile", "execFileSync", "spawn", *((runner.group(1),) if runner else ()))
    for _, given in calls(source, *names):
        if len(given) < 2 or given[0].type != "string" or given[1].type != "array":
            continue
        words = [source.code(given[0])[1:-1]]
        for one in given[1].named_children:
            code = source.code(one)
            words.append(code[1:-1] if one.type == "string" else f"${{{code}}}")
        if any(word.startswith("${") for word in words):
            text = f"`{' '.join(words)}`, [], {{ shell: true }}"
            yield Mutation((Edit(given[0].start_byte, given[1].end_byte, text),))


@operator("js-prototype", "prototype-pollution", category="security", cwe=1321, family="javascript")
def prototype(source: Source) -> Iterator[Mutation]:
    """Keys from outside may change what all objects have in common."""
    for guard, condition in guards(source):
        if "__proto__" not in condition and "UNSAFE" not in condition:
            continue
        use = next(
            (
                field(node, "left")
                for statement in following(guard)
                for node in (statement, *below(statement))
                if node.type in ("assignment_expression", "augmented_assignment_expression")
                and "[" in source.code(field(node, "left"))
            ),
            None,
        )
        if use is not None:
            yield Mutation((without_lines(source, guard),), shows=(span(use),))


@operator("js-regex-input", "regex-injection", category="security", cwe=1333, family="javascript")
def regex_input(source: Source) -> Iterator[Mutation]:
    """Text from outside becomes a part of a regular expression as it is."""
    for call, given in calls(source, "escapeRegExp", "RegExp.escape"):
        if len(given) == 1:
            yield Mutation((replace(call, source.code(given[0])),))


@operator("js-random-token", "insecure-random", category="security", cwe=338, family="javascript")
def random_token(source: Source) -> Iterator[Mutation]:
    """A secret comes from a generator whose values can be foretold."""
    for call, _ in calls(source, "randomUUID", "crypto.randomUUID"):
        yield Mutation((replace(call, "Math.random().toString(36).slice(2)"),))
    for call, given in calls(source, ".toString"):
        made = field(call, "function", "object")
        name = source.code(field(made, "function")).removeprefix("crypto.")
        if name == "randomBytes" and len(given) == 1:
            yield Mutation((replace(call, "Math.random().toString(16).slice(2)"),))


@operator("js-tls-off", "disabled-verification", category="security", cwe=295, family="javascript")
def tls_off(source: Source) -> Iterator[Mutation]:
    """The certificate of the other side is not checked."""
    for node in source.of_type("pair"):
        value = field(node, "value")
        named = source.code(field(node, "key")) == "rejectUnauthorized"
        if named and value is not None and source.code(value) == "true":
            yield Mutation((replace(value, "false"),))


@operator("js-path-check", "path-traversal", category="security", cwe=22, family="javascript")
def path_check(source: Source) -> Iterator[Mutation]:
    """A name from outside leads to a path, and nothing looks where that is."""
    for guard, condition in guards(source):
        if not condition.startswith("!") or ".startsWith(" not in condition:
            continue
        for statement in following(guard):
            found = next(
                (
                    node
                    for node in (statement, *below(statement))
                    if node.type == "return_statement"
                    or source.code(field(node, "function")).rsplit(".", 1)[-1] in _FILES
                ),
                None,
            )
            if found is not None:
                yield Mutation((without_lines(source, guard),), shows=(span(found),))
                break


@operator("js-weak-hash", "weak-hash", category="security", cwe=328, family="javascript")
def weak_hash(source: Source) -> Iterator[Mutation]:
    """A hash that can be forged protects a token or a signature."""
    for call, given in calls(source, "createHash", "createHmac", "crypto.createHash"):
        around = source.code(function_of(call)).lower()
        strong = bool(given) and source.code(given[0]) in ('"sha256"', '"sha512"')
        if strong and re.search(r"passw|token|sign|secret", around):
            yield Mutation((replace(given[0], '"md5"'),))


@operator("js-timing-compare", "timing-attack", category="security", cwe=208, family="javascript")
def timing_compare(source: Source) -> Iterator[Mutation]:
    """Secrets are compared in a time that tells how much of them is right."""
    for call, given in calls(source, "timingSafeEqual", "crypto.timingSafeEqual"):
        if len(given) == 2:
            first, second = (source.code(one) for one in given)
            yield Mutation((replace(call, f"{first}.equals({second})"),))


@operator("js-open-redirect", "open-redirect", category="security", cwe=601, family="javascript")
def open_redirect(source: Source) -> Iterator[Mutation]:
    """An address from outside is gone to, whatever it is."""
    for guard, condition in guards(source):
        if not re.search(r"\.(origin|host|hostname)\b", condition):
            continue
        use = _leaving(source, following(guard))
        if use is not None:
            yield Mutation((without_lines(source, guard),), shows=(span(use),))


def _leaving(source: Source, statements: "list[Node]") -> "Node | None":
    for statement in statements:
        for node in (statement, *below(statement)):
            called = source.code(field(node, "function"))
            if node.type == "call_expression" and called.endswith((".redirect", ".assign")):
                return node
    return None
