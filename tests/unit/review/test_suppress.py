"""Comments that tell a review to be silent, in every language that is reviewed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirdab.review import suppress
from sirdab.review.suppress import (
    WHOLE_DOCUMENT,
    Directives,
    Unknown,
    carried,
    comment_for,
    ignored,
    ignored_by,
    is_ignored,
    read,
)
from sirdab.review.units import LANGUAGES
from sirdab.text.store import Point, Text

ALL: frozenset[str] = frozenset()
SQL = frozenset({"sql-injection"})

# A line of code in each language, and a string in it that is no comment.
CODE = {
    "c": 'char *s = "{}";',
    "cpp": 'auto s = "{}";',
    "csharp": 'var s = "{}";',
    "go": 'package a\n\nvar s = "{}"',
    "java": 'class A {{ String s = "{}"; }}',
    "javascript": 'let s = "{}";',
    "javascriptreact": 'let s = "{}";',
    "kotlin": 'val s = "{}"',
    "lua": 'local s = "{}"',
    "perl": 'my $s = "{}";',
    "php": '$s = "{}";',
    "python": 's = "{}"',
    "ruby": 's = "{}"',
    "rust": 'const S: &str = "{}";',
    "scala": 'val s = "{}"',
    "shellscript": 's="{}"',
    "swift": 'let s = "{}"',
    "typescript": 'let s: string = "{}";',
    "typescriptreact": 'let s: string = "{}";',
}


def test_the_samples_are_of_every_language_that_is_reviewed() -> None:
    assert set(CODE) == LANGUAGES


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_the_comment_that_we_write_is_one_that_we_read(language: str) -> None:
    comment = comment_for(language, "sql-injection")
    assert comment is not None
    code = CODE[language].format("x")
    last = code.count("\n")
    behind = Text(f"{code}  {comment}\n{code}\n")
    assert ignored(behind, language) == {last: SQL}
    above = Text(f"{code}\n{comment}\n\n{code}\n")
    assert ignored(above, language) == {last + 3: SQL}


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_a_string_is_no_comment(language: str) -> None:
    comment = comment_for(language, "sql-injection")
    assert ignored(Text(CODE[language].format(comment) + "\n"), language) == {}


def test_a_language_without_comments_has_none() -> None:
    assert comment_for("markdown", "sql-injection") is None
    assert ignored(Text("# sirdab: ignore\n"), "markdown") == {}


@pytest.mark.parametrize(
    ("content", "expect"),
    [
        ("x = 1  # sirdab: ignore\n", {0: ALL}),
        ("x = 1  # sirdab: ignore because it is fine\n", {0: ALL}),
        ("x = 1  #sirdab:ignore[sql-injection]\n", {0: SQL}),
        ("x = 1  # sirdab: ignore[security/sql-injection]\n", {0: SQL}),
        ("x = 1  # sirdab: ignore [ sql-injection , eval ]\n", {0: SQL | {"eval"}}),
        ("x = 1  # noqa: S608  # sirdab: ignore[sql-injection]\n", {0: SQL}),
        ("x = 1  # sirdab: ignore[a] # sirdab: ignore[b]\n", {0: frozenset("ab")}),
        ("x = 1  # sirdab: ignore[a] # sirdab: ignore\n", {0: ALL}),
        ("# sirdab: ignore[a]\n# sirdab: ignore[b]\n\n# why\nx = 1\n", {4: frozenset("ab")}),
        # Nothing to ignore, or no such comment.
        ("x = 1  # sirdab: ignore[]\n", {}),
        ("x = 1  # sirdab: ignore[a\n", {}),
        ("x = 1  # sirdab: ignored\n", {}),
        ("x = 1  # sirdab: ignore-all\n", {}),
        ("x = 1  # use sirdab: ignore to be silent\n", {}),
        ("# sirdab: ignore\n", {}),
        ('x = """\n# sirdab: ignore\n"""\n', {}),
        ('"""Doc.\n\n    # sirdab: ignore\n"""\nx = 1\n', {}),
        # A document, on a line of its own among the first.
        ("# sirdab: ignore-file\nx = 1\n", {WHOLE_DOCUMENT: ALL}),
        ("\n\n# sirdab: ignore-file[sql-injection]\n", {WHOLE_DOCUMENT: SQL}),
        ("x = 1  # sirdab: ignore-file\n", {}),
        ("\n" * suppress.FILE_LINES + "# sirdab: ignore-file\n", {}),
        # Broken code has comments as well.
        ("def f(:\n    x = (  # sirdab: ignore\n", {1: ALL}),
        ("ä = '€'  # sirdab: ignore\n", {0: ALL}),
        ("x = '\ud800'  # sirdab: ignore\n", {0: ALL}),
    ],
)
def test_in_python(content: str, expect: dict[int, frozenset[str]]) -> None:
    assert ignored(Text(content), "python") == expect


@pytest.mark.parametrize(
    ("language", "content", "expect"),
    [
        ("javascript", "f(); /* sirdab: ignore[a] */\n", {0: frozenset("a")}),
        ("javascript", "/* sirdab: ignore[a] */ f();\n", {0: frozenset("a")}),
        ("javascript", "/* sirdab: ignore[a] */\nf();\n", {1: frozenset("a")}),
        ("javascript", "let s = `\n// sirdab: ignore\n`;\n", {}),
        ("javascript", 'let r = /["]/; // sirdab: ignore\n', {0: ALL}),
        ("typescriptreact", "<a>{/* sirdab: ignore */}</a>;\n", {0: ALL}),
        ("rust", "/// sirdab: ignore\nfn f() {}\n", {1: ALL}),
        ("lua", "x = 1 --- sirdab: ignore\n", {0: ALL}),
        ("csharp", 'var s = "a\\"b"; // sirdab: ignore\n', {0: ALL}),
        ("php", "f(); # sirdab: ignore\n", {0: ALL}),
        ("kotlin", "/* don't */ f() // sirdab: ignore\n", {0: ALL}),
        ("kotlin", "f() /* don't // sirdab: ignore\n", {0: ALL}),
        ("swift", 'f("//") // why // sirdab: ignore\n', {0: ALL}),
        ("php", "# sirdab: ignore\n#[Pure]\n", {1: ALL}),
        ("c", "// sirdab: ignore\n// more\nint x;\n", {2: ALL}),
        ("c", "int x; # sirdab: ignore\n", {}),
    ],
)
def test_in_other_languages(language: str, content: str, expect: dict[int, frozenset[str]]) -> None:
    assert ignored(Text(content), language) == expect


def test_a_finding_of_several_lines_is_ignored_in_any_of_them() -> None:
    marks = {3: SQL, 9: ALL}
    assert is_ignored(marks, "sql-injection", 2, 4)
    assert not is_ignored(marks, "eval", 2, 4)
    assert is_ignored(marks, "eval", 9, 9)
    assert not is_ignored(marks, "sql-injection", 4, 8)
    assert is_ignored({WHOLE_DOCUMENT: SQL}, "sql-injection", 7, 7)
    assert not is_ignored({}, "eval", 0, 0)


def test_names_that_no_rule_has_are_found() -> None:
    text = Text("x = 1  # sirdab: ignore[sql-injection, sql-injektion]\ny  # sirdab: ignore\n")
    assert suppress.unknown(read(text, "python")) == (Unknown(0, "sql-injektion"),)
    assert is_ignored(ignored(text, "python"), "sql-injection", 0, 0)


def test_a_hostile_document_takes_no_time() -> None:
    line = "# sirdab:" * 20_000 + "#" * 100_000 + "[" * 100_000
    content = f"{line}\n" + "x = 1  # sirdab: ignore[" + "a," * 5_000 + "]\n"
    assert ignored(Text(content), "python") == {}
    many = "x = 1  # sirdab: ignore\n" * 5_000
    assert len(ignored(Text(many), "python")) == 2_000


# Each of these took minutes, or hours, on the thread that answers keystrokes.
_NESTED = 30_000
_HOSTILE = {
    "one long line of quoted comments": '"' + "# sirdab: ignore " * 28_000 + '"',
    "many lines of them": ('"' + "# sirdab: ignore " * 110 + '"\n') * 260,
    "blank lines behind many comments": "# sirdab: ignore\n" * 2_000 + "\n" * 470_000,
    "deep nesting": "[" * _NESTED + '"# sirdab: ignore",\n' * 2_000 + "]" * _NESTED,
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("language", ["python", "ruby", "shellscript", "php"])
@pytest.mark.parametrize("content", _HOSTILE.values(), ids=_HOSTILE)
def test_what_a_document_costs_is_bounded(language: str, content: str) -> None:
    text = Text(content)
    known = read(text, language)
    # What is edited is read again with each keystroke.
    edited = carried(Directives(()), Text(""), text, language)
    assert not ignored_by(known, text, language)
    assert not ignored_by(edited, text, language)


def test_a_comment_alone_means_code_that_is_near() -> None:
    assert ignored(Text("# sirdab: ignore\n" + "\n" * 60 + "x = 1\n"), "python") == {61: ALL}
    assert ignored(Text("# sirdab: ignore\n" + "\n" * 90 + "x = 1\n"), "python") == {}


def test_a_comment_in_a_deep_place_is_one() -> None:
    nested = "[" * 300 + "1,  # sirdab: ignore\n" + "]" * 300 + "\n"
    assert ignored(Text(nested), "python") == {0: ALL}


# --- comments that are carried along with edits -----------------------------------------------

_SOME = st.lists(
    st.sampled_from(
        ["x = 1", "# sirdab: ignore", "y = 2  # sirdab: ignore[eval]", "", "# sirdab: ignore-file"]
    ),
    max_size=12,
)


@settings(max_examples=200, deadline=None)
@given(
    before=_SOME,
    edits=st.lists(
        st.tuples(st.integers(0, 14), st.integers(0, 3), st.integers(0, 20), _SOME), max_size=4
    ),
)
def test_comments_that_are_carried_are_those_that_are_read(
    before: list[str], edits: list[tuple[int, int, int, list[str]]]
) -> None:
    """No line here opens a string, so what a line says of itself is true."""
    text = Text("\n".join(before) + "\n")
    known = read(text, "python")
    for line, count, column, new in edits:
        start, stop = text.clamp(Point(line, column)), text.clamp(Point(line + count, column))
        after = text.replace(start, stop, "\n".join(new))
        known, text = carried(known, text, after, "python"), after
    assert known.entries == read(text, "python").entries
    assert ignored_by(known, text, "python") == ignored(text, "python")


def test_a_line_that_was_edited_is_taken_at_its_word_until_it_is_read() -> None:
    old = Text('x = """\n\n"""\ny = 1  # sirdab: ignore\n')
    known = read(old, "python")
    assert known.is_sure
    new = old.replace(Point(1, 0), Point(1, 0), "# sirdab: ignore[eval]")
    guessed = carried(known, old, new, "python")
    assert not guessed.is_sure
    assert ignored_by(guessed, new, "python") == {2: frozenset({"eval"}), 3: ALL}
    assert ignored(new, "python") == {3: ALL}
    # A string in the line itself is seen, and edits elsewhere leave it as it is.
    quoted = Text("y = 1\n")
    after = quoted.replace(Point(0, 4), Point(0, 5), '"# sirdab: ignore"')
    assert carried(Directives(()), quoted, after, "python") == Directives(())
    later = new.replace(Point(0, 0), Point(0, 0), "z = 1\n")
    assert carried(read(new, "python"), new, later, "python").is_sure
