"""Trees: the budget, and that a repaired tree is what a fresh one would be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tree_sitter import Node

from sirdab.syntax import grammars
from sirdab.syntax.parse import forget, parse
from sirdab.text.store import Point, Text

SOURCE = """import os

def first(a: int) -> str:
    \"\"\"What it does.\"\"\"
    return f"{a} {os.sep!r}"  # a comment

class Second:
    x = [1, 2, 'drei √ 😀']
"""


def shape(node: Node) -> str:
    inner = ",".join(shape(child) for child in node.children)
    return f"{node.type}:{node.start_byte}-{node.end_byte}:{node.start_point}({inner})"


def test_a_tree_is_kept_for_its_text() -> None:
    forget()
    text = Text(SOURCE)
    assert parse(text, "python") is parse(text, "python")
    assert parse(text, "lua") is not parse(text, "python")


def test_time_that_is_up_gives_no_tree_and_harms_no_later_parse() -> None:
    forget()
    text = Text(SOURCE * 1_000)
    assert parse(text, "python", budget_ms=0) is None
    # Nor is it tried again at once.
    assert parse(text, "python", budget_ms=10_000) is None
    forget()
    parsed = parse(text, "python", budget_ms=10_000)
    assert parsed is not None
    assert not parsed.tree.root_node.has_error


def test_a_repair_that_runs_out_of_time_harms_no_later_one() -> None:
    forget()
    text = Text(SOURCE * 1_000)
    first = parse(text, "python", budget_ms=10_000)
    assert first is not None
    before = shape(first.tree.root_node)
    edited = text.replace(Point(0, 0), Point(0, 0), '"""')
    assert parse(edited, "python", budget_ms=0) is None
    assert shape(first.tree.root_node) == before


def test_parsing_again_and_again_keeps_no_memory() -> None:
    psutil = pytest.importorskip("psutil")
    process = psutil.Process()
    text = Text(SOURCE * 200)

    def parse_often() -> None:
        for _ in range(200):
            forget()
            assert parse(text, "python") is not None

    parse_often()
    before = process.memory_info().rss
    parse_often()
    # 200 sources of 29 kB.
    assert process.memory_info().rss - before < 3 * 2**20


@pytest.mark.parametrize("language", sorted(grammars.LANGUAGES))
def test_every_grammar_loads_and_parses(language: str) -> None:
    parsed = parse(Text("x\n"), language)
    assert parsed is not None
    assert parsed.tree.root_node.end_byte == 2


def test_a_grammar_that_is_missing_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(grammars._GRAMMARS, "cobol", ("tree_sitter_no_such_grammar", "language"))
    assert grammars.grammar("cobol") is None
    assert parse(Text("x"), "cobol") is None


EDITS = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.integers(0, 50),
        st.integers(0, 3),
        st.integers(0, 20),
        st.sampled_from(["", "x", "\n", '"', '"""', "#", "(", "é😀", "\r", "    if a:\n", "√"]),
    ),
    min_size=1,
    max_size=12,
)


@given(EDITS, st.sampled_from(["python", "javascript", "rust"]))
def test_an_incremental_tree_is_a_fresh_tree(
    edits: list[tuple[int, int, int, int, str]], language: str
) -> None:
    forget()
    text = Text(SOURCE)
    states = [text]
    for line, column, lines, columns, new in edits:
        start, stop = Point(line, column), Point(line + lines, columns if lines else column)
        text = text.replace(start, stop, new)
        states.append(text)
        assert parse(text, language, budget_ms=10_000)
    incremental = parse(text, language)
    forget()
    fresh = parse(Text(str(text)), language, budget_ms=10_000)
    assert incremental is not None
    assert fresh is not None
    assert incremental.source == fresh.source
    assert shape(incremental.tree.root_node) == shape(fresh.tree.root_node)
