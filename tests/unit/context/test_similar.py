"""Windows of other documents that look like what stands around the cursor."""

import pytest

from sirdab.context.similar import (
    MOST_FILES,
    MOST_WINDOWS,
    WINDOW_LINES,
    Source,
    reference,
    similar,
    words_of,
)
from tests.support.completion import place


def source(path: str, lines: list[str], hidden: tuple[int, int] = (0, 0)) -> Source:
    return Source(path, lines, [words_of(line) for line in lines], hidden)


ALIKE = ["order = invoice.total(customer)", "invoice.pay(customer, amount)", "shipment.send(order)"]
OTHER = ["parser.feed(token)", "lexer.skip(blank)", "tree.walk(node, depth)"]
WANTED = words_of("invoice customer order shipment amount total")


def nothing() -> None: ...


@pytest.mark.parametrize(
    ("line", "expect"),
    [
        ("for item in self.items:", {"item", "items"}),
        ("x = a1 + éclair", {"a1", "éclair"}),
        ("return None  # 12ab", set[str]()),
    ],
)
def test_words(line: str, expect: set[str]) -> None:
    assert words_of(line) == expect


def test_the_reference_is_what_stands_before_the_cursor() -> None:
    text, point = place("alpha()\nbeta()\ngamma($0delta())\n")
    assert reference(text, point) == {"alpha", "beta", "gamma"}
    text, point = place("far_away()\n" + "\n" * WINDOW_LINES + "near()$0")
    assert reference(text, point) == {"near"}


def test_the_most_alike_come_first() -> None:
    half = [ALIKE[0], *OTHER]
    found = similar(
        WANTED, [source("half", half), source("other", OTHER), source("alike", ALIKE)], nothing
    )
    assert [piece.path for piece in found] == ["alike", "half"]
    assert found[0].lines == tuple(ALIKE)
    assert (found[0].line, found[0].last_line) == (0, 2)


def test_the_window_is_where_it_is_alike() -> None:
    lines = [*[f"filler_{n} = {n}" for n in range(200)], *ALIKE, *[f"rest_{n}" for n in range(200)]]
    (piece,) = similar(WANTED, [source("a", lines)], nothing)
    assert set(ALIKE) <= set(piece.lines)
    assert len(piece.lines) == WINDOW_LINES
    assert lines[piece.line : piece.last_line + 1] == list(piece.lines)


def test_what_the_prompt_holds_anyway_is_not_shown() -> None:
    lines = [*ALIKE, *["filler"] * 20, *ALIKE]
    (piece,) = similar(WANTED, [source("a", lines, hidden=(0, 15))], nothing)
    assert piece.line >= 15
    assert similar(WANTED, [source("a", ALIKE, hidden=(0, 3))], nothing) == []


def test_bounds() -> None:
    many = [source(f"{n:03}", ALIKE) for n in range(MOST_FILES + 5)]
    assert [piece.path for piece in similar(WANTED, many, nothing)] == ["000", "001", "002", "003"]
    assert MOST_WINDOWS == 4
    late = [*[source(f"{n}", OTHER) for n in range(MOST_FILES)], source("late", ALIKE)]
    assert similar(WANTED, late, nothing) == []


@pytest.mark.parametrize("wanted", ["", "one two"])
def test_too_little_to_go_by(wanted: str) -> None:
    assert similar(words_of(wanted), [source("a", ["one two"])], nothing) == []


def test_empty_documents() -> None:
    assert similar(WANTED, [source("a", []), source("b", [""])], nothing) == []
