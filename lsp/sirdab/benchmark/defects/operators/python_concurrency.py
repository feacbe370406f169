"""Asynchronous code, and clocks."""

from collections.abc import Iterator

from sirdab.benchmark.defects.mutation import Edit, Mutation, Source, field, operator, replace, span
from sirdab.benchmark.defects.operators.python_tree import arguments, calls, importing, keyword


@operator("missing-await", "missing-await", category="correctness")
def missing_await(source: Source) -> Iterator[Mutation]:
    """A coroutine is made and not awaited."""
    for node in source.of_type("await"):
        call = node.named_children[0]
        outer = node.parent
        if call.type != "call" or outer is None:
            continue
        if outer.type in ("expression_statement", "assignment", "if_statement"):
            yield Mutation((Edit(node.start_byte, call.start_byte, ""),), shows=(span(call),))


@operator("blocking-call", "blocking-call", category="performance")
def blocking_call(source: Source) -> Iterator[Mutation]:
    """A coroutine waits in a way that stops all others."""
    for node in source.of_type("await"):
        call = node.named_children[0]
        called = source.code(field(call, "function"))
        given = arguments(call)
        if called == "asyncio.sleep" and given:
            text = f"time.sleep({source.code(given[0])})"
            yield Mutation((replace(node, text), *importing(source, "time")))
        elif called == "asyncio.to_thread" and given:
            listed = field(call, "arguments")
            rest = source.bytes[given[0].end_byte : (listed or call).end_byte - 1].decode()
            text = f"{source.code(given[0])}({rest.lstrip(', ')})"
            yield Mutation((replace(node, text),))


@operator("naive-datetime", "naive-datetime", category="correctness")
def naive(source: Source) -> Iterator[Mutation]:
    """The present time is taken without its time zone."""
    for call, given in calls(source, "datetime.now", "datetime.datetime.now"):
        zone = given[0] if given else field(keyword(source, call, "tz"), "value")
        if zone is not None and "utc" in source.code(zone).lower():
            called = source.code(field(call, "function"))
            yield Mutation((replace(call, f"{called}()"),))
            yield Mutation((replace(call, f"{called.removesuffix('now')}utcnow()"),))
