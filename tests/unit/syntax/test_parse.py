"""Trees: the budget, and that a repaired tree is what a fresh one would be."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tree_sitter import Node, Parser

from sirdab.syntax import grammars
from sirdab.syntax.parse import forget, parse, parse_alone
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


def test_a_review_takes_the_tree_that_there_is() -> None:
    forget()
    text = Text(SOURCE)
    assert parse_alone(text, "python") is not parse_alone(text, "python")
    parsed = parse(text, "python")
    assert parse_alone(text, "python") is parsed
    assert parse_alone(text, "lua") is not parsed


def test_a_review_parses_a_large_text_once_and_an_equal_one_again() -> None:
    forget()
    text = Text(SOURCE * 200)
    parsed = parse_alone(text, "python")
    assert parse_alone(text, "python") is parsed
    assert parse_alone(Text(SOURCE * 200), "python") is not parsed


def test_a_review_takes_no_repaired_tree_with_errors() -> None:
    forget()
    text = Text("def f(:\n")
    parsed = parse(text, "python")
    assert parsed is not None
    assert parsed.tree.root_node.has_error
    assert parse_alone(text, "python") is not parsed


_PARTS = {
    "python": (SOURCE, ("", "x", "(", '"', "'" + "''", "\n", "  ", "if x:\n    y\n", "# \u221a")),
    "javascript": ("const f = (a) => {\n  return `${a}` + 1;\n};\n", ("", "}", "`", "/*", ";\n")),
    "lua": ("local function f(a)\n  return a .. 'x'\nend\n", ("", "end", "[[", "--", "\n")),
}


# A large text is parsed and walked several times; how long that takes is not what is tested.
@settings(deadline=None, max_examples=30)
@given(st.data())
def test_after_any_edits_a_review_gets_what_a_fresh_parse_gives(data: st.DataObject) -> None:
    forget()
    language = data.draw(st.sampled_from(sorted(_PARTS)))
    part, inserted = _PARTS[language]
    whole = Text(part * (17_000 // len(part)))
    text = whole
    states: list[Text] = []
    for _ in range(data.draw(st.integers(1, 4))):
        line = data.draw(st.integers(0, text.line_count - 1))
        column = data.draw(st.integers(0, len(text.line_body(line))))
        stop = data.draw(st.integers(column, len(text.line_body(line))))
        new = data.draw(st.sampled_from(inserted))
        text = text.replace(Point(line, column), Point(line, stop), new)
        states.append(text)
    for state in (whole, *states, Text(str(whole))):
        if data.draw(st.booleans()):
            parse(state, language, budget_ms=10_000)
        got = parse_alone(state, language)
        assert got is not None
        assert got.source == str(state).encode()
        language_of_it = grammars.grammar(language)
        assert language_of_it is not None
        fresh = Parser(language_of_it).parse(got.source)
        assert shape(got.tree.root_node) == shape(fresh.root_node)
