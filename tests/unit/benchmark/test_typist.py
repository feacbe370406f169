"""Whatever the typist presses, and whatever was accepted, the file comes out as it was."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirdab.benchmark.rhythm import Rhythm
from sirdab.benchmark.typist import Buffer, Kind, Stretch, Typist, parts
from sirdab.syntax.languages import language_of
from sirdab.text.store import Point, Text

ROOT = Path(__file__).parents[3]
SOURCES = (
    ROOT / "lsp" / "sirdab" / "completion" / "cache.py",
    ROOT / "clients" / "vscode" / "src" / "extension.ts",
    ROOT / "clients" / "neovim" / "lua" / "sirdab" / "init.lua",
)


def typist_of(target: str, language_id: str, above: str = "", below: str = "") -> Typist:
    """A typist who is to type a text between two others."""
    start = Point(above.count("\n"), len(above.rpartition("\n")[2]))
    return Typist(
        Buffer(Text(above + below), start), Stretch("here", language_id, start, target), rhythm=SURE
    )


SURE = Rhythm(slip=0.0)


def pressed(typist: Typist) -> list[str]:
    """Type all and return the document after each key, with the cursor as `|`."""
    found: list[str] = []
    while not typist.done:
        typist.press()
        point = typist.buffer.point
        found.append(str(typist.buffer.text.replace(point, point, "|")))
    return found


@pytest.mark.parametrize(
    ("target", "language_id", "documents"),
    [
        ("\nf(a)", "python", ["\n|", "\nf|", "\nf(|)", "\nf(a|)", "\nf(a)|"]),
        ('\n"a"', "python", ["\n|", '\n"|"', '\n"a|"', '\n"a"|']),
        ("\nit's", "python", ["\n|", "\ni|", "\nit|", "\nit'|", "\nit's|"]),
        # The editor indents behind a colon, and the person takes it back.
        ("\na:\nb", "python", ["\n|", "\na|", "\na:|", "\na:\n    |", "\na:\n|", "\na:\nb|"]),
        # It goes out of the block behind `return`.
        (
            "\n    return\nb",
            "python",
            [
                *("\n|", "\n    |", "\n    r|", "\n    re|", "\n    ret|", "\n    retu|"),
                *("\n    retur|", "\n    return|", "\n    return\n|", "\n    return\nb|"),
            ],
        ),
        # Brackets open up at Enter, and who is done moves out of them.
        (
            "\n{\n  a\n}",
            "typescript",
            ["\n|", "\n{|}", "\n{\n  |\n}", "\n{\n  a|\n}", "\n{\n  a\n}|"],
        ),
        # An empty line does not keep the indentation that the editor made.
        (
            "\n  a\n\n  b",
            "lua",
            ["\n|", "\n  |", "\n  a|", "\n  a\n  |", "\n  a\n\n  |", "\n  a\n\n  b|"],
        ),
    ],
)  # fmt: skip
def test_the_editor_helps_as_editors_do(
    target: str, language_id: str, documents: list[str]
) -> None:
    assert pressed(typist_of(target, language_id)) == documents


def test_a_slip_is_taken_back() -> None:
    typist = typist_of("\nabcdef", "python")
    typist.rhythm = Rhythm(slip=1.0)
    kinds: list[Kind] = []
    while not typist.done:
        kinds.append(typist.press()[0])
    assert str(typist.buffer.text) == "\nabcdef"
    assert kinds.count(Kind.SLIP) == kinds.count(Kind.BACKSPACE) >= 6


def test_nothing_is_right_while_something_is_wrong() -> None:
    typist = typist_of("\nabc", "python")
    typist.press()
    typist.rhythm = Rhythm(slip=1.0)
    assert typist.press()[0] is Kind.SLIP
    assert typist.rest == ""


def test_what_is_right_ends_where_the_editor_has_put_something() -> None:
    typist = typist_of("\nf(a, b)\nc", "python")
    for _ in "\nf(":
        typist.press()
    assert typist.rest == "a, b"
    typist.take("a, b")
    assert typist.press() == (Kind.OVER, None)
    assert typist.rest == "\nc"


def test_only_what_is_right_can_be_accepted() -> None:
    typist = typist_of("\nabc", "python")
    with pytest.raises(ValueError, match="right"):
        typist.take("\nabd")


def test_the_same_seed_types_the_same() -> None:
    def times(seed: int) -> list[float]:
        typist = typist_of("\nfor a in b:\n    print(a)", "python")
        typist.seed = seed
        found: list[float] = []
        while not typist.done:
            found.append(typist.pause_ms())
            typist.press()
        return found

    assert times(1) == times(1) != times(2)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SOURCES), st.integers(0, 1 << 30))
def test_the_file_comes_out_as_it_was(path: Path, seed: int) -> None:
    whole, chance = Text(path.read_text("utf-8")), random.Random(seed)
    first = chance.randrange(1, whole.line_count - 20)
    last = first + chance.randint(1, 18)
    while not whole.line_body(last).strip() and last > first:
        last -= 1
    start, stop = Point(first - 1, len(whole.line_body(first - 1))), whole.clamp(Point(last, 9999))
    target = whole.slice(start, stop)
    buffer = Buffer(whole.replace(start, stop, ""), start)
    typist = Typist(buffer, Stretch("x", language_of(path), start, target), seed)
    keys = 0
    while not typist.done:
        keys += 1
        assert keys < 4 * len(target) + 20
        if typist.rest.strip() and typist.line_before.strip() and chance.random() < 0.1:
            typist.take(typist.rest[: chance.randint(1, 60)])
        else:
            typist.press()
    assert target.rstrip("\n ") in str(buffer.text)
    if whole.line_body(last).strip():
        assert str(buffer.text) == str(whole)


@pytest.mark.parametrize(
    ("text", "ways"),
    [
        ("a.b", ["a.b", "a"]),
        (" = 1\nb", [" = 1\nb", " = 1", " ="]),
        ("\nb", ["\nb"]),
        ("x", ["x"]),
    ],
)
def test_a_suggestion_is_taken_whole_or_by_the_line_or_by_the_word(
    text: str, ways: list[str]
) -> None:
    assert [part for _, part in parts(text)] == ways
