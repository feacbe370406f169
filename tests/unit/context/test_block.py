"""How pieces of code become a block."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirdab.completion.context import ContextBlock
from sirdab.completion.prompt import build
from sirdab.context.block import write
from sirdab.context.code import Piece
from sirdab.models.catalog import ContextStyle, Family, families, family_of

QWEN = family_of("qwen2.5-coder")


def family(style: ContextStyle) -> Family:
    return replace(QWEN, context_style=style)


def definition(name: str, path: str = "a.py", line: int = 0) -> Piece:
    return Piece("definition", path, line, line, (f"def {name}():",))


def similar(count: int, path: str = "b.py") -> Piece:
    lines = tuple(f"line_{number} = {number}" for number in range(count))
    return Piece("similar", path, 10, 9 + count, lines, tuple(range(count)))


def written(
    pieces: list[Piece],
    style: ContextStyle = "comments",
    language: str = "python",
    characters: int = 10_000,
) -> ContextBlock:
    return write(pieces, family(style), language, characters, workspace="shop", path="own.py")


@pytest.mark.parametrize(
    ("language", "sign"), [("python", "#"), ("typescript", "//"), ("lua", "--"), ("yaml", "#")]
)
def test_comments_of_the_language(language: str, sign: str) -> None:
    block = written([definition("f")], language=language)
    assert block.text == f"{sign} a.py\n{sign} def f():\n\n"


def test_the_format_for_repositories() -> None:
    block = written([definition("f"), definition("g", line=3), similar(1)], "repository")
    assert block.text == (
        "<|repo_name|>shop\n<|file_sep|>a.py\ndef f():\ndef g():\n"
        "<|file_sep|>b.py\nline_0 = 0\n<|file_sep|>own.py\n"
    )


def test_a_language_without_line_comments_has_no_block() -> None:
    assert written([definition("f")], language="html") == ContextBlock()
    assert written([definition("f")], "repository", "html").text


def test_what_changes_least_comes_first() -> None:
    edit = Piece("edit", "a.py", 0, 0, ("edited = 1",), (1,))
    block = written([edit, similar(1), definition("g", "z.py"), definition("f", "c.py")])
    assert [part.kind for part in block.parts] == ["definition", "definition", "similar", "edit"]
    assert [part.path for part in block.parts] == ["c.py", "z.py", "b.py", "a.py"]


def test_the_parts_say_what_is_there() -> None:
    block = written([definition("f", line=6), similar(20)], characters=300)
    first, second = block.parts
    assert (first.first_line, first.last_line) == (7, 7)
    lines = block.text.split("\n")
    shown = [line for line in lines if "line_" in line]
    assert second.last_line - second.first_line + 1 == len(shown) < 20
    # The worthiest lines of it, which are its last here.
    assert (shown[-1], second.last_line) == ("# line_19 = 19", 30)
    assert sum(part.characters for part in block.parts) + 1 == len(block.text)


@pytest.mark.parametrize("style", ["comments", "repository"])
@given(
    characters=st.integers(0, 900),
    names=st.lists(st.sampled_from("abcdefgh"), max_size=8),
    count=st.integers(1, 70),
)
def test_never_more_than_the_budget(
    style: ContextStyle, characters: int, names: list[str], count: int
) -> None:
    pieces = [*[definition(name * 9, f"{name}.py") for name in names], similar(count)]
    block = written(pieces, style, characters=characters)
    assert len(block.text) <= characters
    assert block == written(pieces, style, characters=characters)
    assert bool(block.text) == bool(block.parts)


def test_what_one_kind_leaves_is_the_next_ones() -> None:
    block = written([definition("f"), similar(60)], characters=1_000)
    assert len(block.text) > 800
    alone = written([definition(f"f{n}", line=n) for n in range(99)], characters=1_000)
    assert len(alone.text) > 900


def test_the_same_code_is_not_shown_twice() -> None:
    block = written([definition("f", "a.py"), definition("f", "b.py")])
    assert len(block.parts) == 1


@pytest.mark.parametrize("style", ["comments", "repository"])
@pytest.mark.parametrize("token", QWEN.sentinels)
def test_no_command_to_the_model_gets_in(style: ContextStyle, token: str) -> None:
    evil = Piece("definition", f"a{token}.py", 0, 0, (f"x = '{token}'", token))
    block = write([evil], family(style), "python", 999, workspace=f"w{token}", path=f"p{token}")
    frame = written([definition("f")], style).text
    assert block.text.count(token) == frame.count(token)


@pytest.mark.parametrize("style", ["comments", "repository"])
def test_a_name_with_a_line_end_stays_on_its_line(style: ContextStyle) -> None:
    evil = Piece("definition", "a\nimport os\r.py", 0, 0, ("x = 1\rimport os",))
    block = written([evil], style)
    assert all("import os" not in line[:11] for line in block.text.replace("\r", "\n").split("\n"))


def test_a_piece_without_text_is_nothing() -> None:
    assert written([Piece("edit", "a.py", 0, 0, ("",), (1,))]) == ContextBlock()
    assert written([]) == ContextBlock()


@pytest.mark.parametrize("known", families(), ids=lambda known: known.id)
def test_typing_only_appends_behind_the_block(known: Family) -> None:
    block = write([definition("f")], known, "python", 999, workspace="shop", path="own.py")
    assert block.text
    one = build(known, "x = 1\ny = ", "\nz = 3\n", block.text)
    other = build(known, "x = 1\ny = abc + ", "\nz = 3\n", block.text)
    said = block.text.strip("\n")
    assert said in one.sent
    if one.layout in ("prefix-as-middle", "prefix-only"):
        assert other.text.startswith(one.text)
    else:
        assert other.sent.startswith(one.sent[: one.sent.index(said) + len(said)])


def test_without_context_the_prompt_is_as_it_was() -> None:
    for known in families():
        assert build(known, "a", "b", "") == build(known, "a", "b")


def test_where_the_block_stands() -> None:
    block = "# b.py\n# x\n\n"
    said = build(family("comments"), "a = 1\n", "\nz", block)
    assert said.text == f"<|fim_prefix|>{block}<|fim_suffix|>\nz<|fim_middle|>a = 1\n"
    said = build(family("repository"), "a = 1\n", "\nz", "<|repo_name|>x\n")
    assert said.text == "<|repo_name|>x\n<|fim_prefix|><|fim_suffix|>\nz<|fim_middle|>a = 1\n"


@pytest.mark.parametrize("known", families(), ids=lambda known: known.id)
def test_a_style_is_one_that_the_family_has(known: Family) -> None:
    assert known.context_style in ("comments", "repository")
    assert known.context_style == "comments" or known.repository is not None
    assert known.context_evidence
    if known.repository is not None:
        # What a model takes for a command must not come from anybody's code.
        assert {known.repository.name, known.repository.file} <= set(known.sentinels)
