"""Checks that are missing, errors that are hidden, and promises that nobody waits for."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sirdab.benchmark.defects.mutation import (
    Edit,
    Mutation,
    Source,
    above,
    below,
    field,
    operator,
    replace,
    span,
    without_lines,
)
from sirdab.benchmark.defects.operators.javascript_tree import (
    body_of,
    following,
    guards,
)

if TYPE_CHECKING:
    from tree_sitter import Node


@operator("js-missing-await", "missing-await", category="correctness", family="javascript")
def missing_await(source: Source) -> Iterator[Mutation]:
    """A promise is made and not awaited."""
    for node in source.of_type("await_expression"):
        outer = node.parent
        inner = node.named_children[0]
        if outer is None:
            continue
        kinds = ("expression_statement", "variable_declarator", "parenthesized_expression")
        if outer.type in kinds and inner.type == "call_expression":
            yield Mutation((Edit(node.start_byte, inner.start_byte, ""),), shows=(span(inner),))


@operator(
    "js-async-foreach",
    "async-foreach",
    "missing-await",
    category="correctness",
    family="javascript",
)
def async_foreach(source: Source) -> Iterator[Mutation]:
    """A loop that awaits becomes a forEach, which waits for nothing."""
    for loop in source.of_type("for_in_statement"):
        body, left, right = field(loop, "body"), field(loop, "left"), field(loop, "right")
        if body is None or left is None or right is None or body.type != "statement_block":
            continue
        leaving = ("return_statement", "break_statement", "continue_statement", "yield_expression")
        inner = list(below(body))
        if source.code(field(loop, "operator")) != "of" or any(
            node.type in leaving for node in inner
        ):
            continue
        if any(node.type == "await_expression" for node in inner):
            head = f"{source.code(right)}.forEach(async ({source.code(left)}) => "
            yield Mutation(
                (
                    Edit(loop.start_byte, body.start_byte, head),
                    Edit(body.end_byte, body.end_byte, ");", marks=False),
                )
            )


@operator("js-var-closure", "late-binding", category="correctness", family="javascript")
def var_closure(source: Source) -> Iterator[Mutation]:
    """A function made in a loop sees the last value of the loop's variable, not its own."""
    for loop in source.of_type("for_statement"):
        start, body = field(loop, "initializer"), field(loop, "body")
        kind = field(start, "kind")
        if kind is None or body is None or source.code(kind) != "let":
            continue
        name = source.code(field(next(iter(below(start or loop)), None), "name"))
        closures = [node for node in below(body) if node.type == "arrow_function"]
        if any(
            source.code(node) == name and node.type == "identifier"
            for closure in closures
            for node in below(closure)
        ):
            yield Mutation((replace(kind, "var"),), shows=tuple(map(span, closures)))


@operator("js-null-check", "none-dereference", category="correctness", cwe=476, family="javascript")
def null_check(source: Source) -> Iterator[Mutation]:
    """What may be missing is used without a look at it."""
    for guard, condition in guards(source):
        name = condition.removeprefix("!").split(" === ")[0]
        missing = condition in (f"!{name}", f"{name} === null", f"{name} === undefined")
        if not missing or not name.isidentifier():
            continue
        use = _use(source, following(guard), name)
        if use is not None:
            yield Mutation((without_lines(source, guard),), shows=(span(use),))
    for node in source.of_type("optional_chain"):
        outer = node.parent
        if outer is not None:
            yield Mutation((replace(node, "."),))


def _use(source: Source, statements: "list[Node]", name: str) -> "Node | None":
    for statement in statements:
        for node in (statement, *below(statement)):
            parts = node.type in ("member_expression", "subscript_expression")
            if parts and source.code(field(node, "object")) == name:
                return node
    return None


@operator("js-falsy-default", "falsy-default", category="correctness", cwe=480, family="javascript")
def falsy_default(source: Source) -> Iterator[Mutation]:
    """Zero and the empty text are taken for nothing given."""
    for node in source.of_type("binary_expression"):
        sign = field(node, "operator")
        if sign is not None and source.code(sign) == "??":
            yield Mutation((replace(sign, "||"),))


@operator(
    "js-swallowed-error", "swallowed-error", category="correctness", cwe=390, family="javascript"
)
def swallowed(source: Source) -> Iterator[Mutation]:
    """An error is caught and nothing is done about it."""
    for clause in source.of_type("catch_clause"):
        body = field(clause, "body")
        if body is None or not body.named_children:
            continue
        if any(node.type == "throw_statement" for node in below(body)):
            yield Mutation((replace(clause, "catch {}"),))


@operator("js-resource-leak", "resource-leak", category="correctness", cwe=772, family="javascript")
def resource_leak(source: Source) -> Iterator[Mutation]:
    """A handle is opened and never closed."""
    for statement in source.of_type("try_statement"):
        final, body = field(statement, "finalizer"), field(statement, "body")
        if final is None or body is None or field(statement, "handler") is not None:
            continue
        if ".close()" not in source.code(final):
            continue
        opened = statement.prev_named_sibling
        inner = body_of(body)
        if opened is None or not inner:
            continue
        start, stop = inner[0].start_byte, inner[-1].end_byte
        outer, deep = source.indent(statement), source.indent(inner[0])
        text = source.bytes[start:stop].decode().replace(f"\n{deep}", f"\n{outer}")
        yield Mutation(
            (Edit(statement.start_byte, statement.end_byte, text, marks=False),),
            shows=(span(opened),),
        )


@operator(
    "js-division-guard", "division-by-zero", category="correctness", cwe=369, family="javascript"
)
def division_guard(source: Source) -> Iterator[Mutation]:
    """A division is done without a look at whether its divisor is zero."""
    for guard, condition in guards(source):
        subject = condition.removesuffix(" === 0").removesuffix(" == 0")
        if subject == condition:
            continue
        divisions = [
            node
            for statement in following(guard)
            for node in (statement, *below(statement))
            if node.type == "binary_expression"
            and source.code(field(node, "operator")) == "/"
            and source.code(field(node, "right")) == subject
        ]
        if divisions:
            yield Mutation((without_lines(source, guard),), shows=(span(divisions[0]),))


@operator("js-lost-throw", "exception-not-raised", "ignored-result", category="correctness",
          cwe=390, family="javascript")  # fmt: skip
def lost_throw(source: Source) -> Iterator[Mutation]:
    """An error is made and never thrown."""
    for node in source.of_type("throw_statement"):
        value = node.named_children[0] if node.named_children else None
        guarded = any(outer.type == "if_statement" for outer in above(node))
        if value is not None and value.type == "new_expression" and guarded:
            yield Mutation((Edit(node.start_byte, value.start_byte, ""),), shows=(span(value),))
