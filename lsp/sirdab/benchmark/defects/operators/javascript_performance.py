"""Work in JavaScript and TypeScript that grows faster, or takes longer, than it has to."""

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
from sirdab.benchmark.defects.operators.javascript_tree import (
    calls,
    function_of,
    in_loop,
    statement_of,
)

if TYPE_CHECKING:
    from tree_sitter import Node

_ANY = re.compile(r"= ANY\(\$1\)")


@operator(
    "js-list-membership", "quadratic-loop", category="performance", cwe=407, family="javascript"
)
def list_membership(source: Source) -> Iterator[Mutation]:
    """An array is searched for each item of a loop, where a set would do."""
    for node in source.of_type("variable_declarator"):
        name, value = source.code(field(node, "name")), field(node, "value")
        function = function_of(node)
        if value is None or function is None or source.code(field(value, "constructor")) != "Set":
            continue
        given = source.code(field(value, "arguments"))[1:-1]
        edits = [replace(value, f"[...{given}]" if given else "[]")]
        tests: list[Node] = []
        for use in below(function):
            if use.type != "member_expression" or source.code(field(use, "object")) != name:
                continue
            method = field(use, "property")
            other = {"has": "includes", "add": "push"}.get(source.code(method))
            if other is None or method is None:
                break
            if other == "includes" and in_loop(source, use):
                tests.append(use)
            edits.append(replace(method, other, marks=other == "includes"))
        else:
            if tests:
                yield Mutation(tuple(edits))


@operator(
    "js-query-in-loop", "query-in-loop", category="performance", cwe=1050, family="javascript"
)
def query_in_loop(source: Source) -> Iterator[Mutation]:
    """A query is made for each item, where one for all would do."""
    for call, given in calls(source, ".query", ".execute"):
        declarator = None if call.parent is None else call.parent.parent
        if len(given) != 2 or given[1].named_child_count != 1 or declarator is None:
            continue
        query = source.code(given[0])
        if not _ANY.search(query) or declarator.type != "variable_declarator":
            continue
        statement = statement_of(declarator)
        indent = source.indent(statement)
        name = source.code(field(declarator, "name"))
        called = source.code(field(call, "function"))
        values = source.code(given[1].named_children[0])
        text = (
            f"const {name} = [];\n{indent}for (const one of {values}) {{\n"
            f"{indent}  {name}.push(...(await {called}({_ANY.sub('= $1', query)}, [one])));\n"
            f"{indent}}}"
        )
        yield Mutation((replace(statement, text),))


@operator(
    "js-sequential-await",
    "sequential-await",
    "query-in-loop",
    category="performance",
    family="javascript",
)
def sequential(source: Source) -> Iterator[Mutation]:
    """Calls that could run at the same time wait for each other."""
    for call, given in calls(source, "Promise.all"):
        mapped = given[0] if len(given) == 1 else None
        waiting = call.parent
        if mapped is None or waiting is None or waiting.type != "await_expression":
            continue
        callee = field(mapped, "function")
        callback = field(mapped, "arguments")
        function = callback.named_children[0] if callback is not None else None
        if source.code(field(callee, "property")) != "map" or function is None:
            continue
        body = field(function, "body")
        listed = field(function, "parameters")
        if function.type != "arrow_function" or body is None or body.type == "statement_block":
            continue
        item = source.code(listed).strip("()")
        statement = statement_of(waiting)
        indent = source.indent(statement)
        values = source.code(field(callee, "object"))
        name = "results"
        text = (
            f"const {name} = [];\n{indent}for (const {item} of {values}) {{\n"
            f"{indent}  {name}.push(await {source.code(body)});\n{indent}}}\n{indent}"
        )
        yield Mutation(
            (
                Edit(statement.start_byte, statement.start_byte, text),
                replace(waiting, name, marks=False),
            )
        )
