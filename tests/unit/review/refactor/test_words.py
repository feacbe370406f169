"""What the model writes in words: documentation, explanations."""

import pytest

from sirdab.review.refactor.docstyle import style_of, task_of
from sirdab.review.refactor.documenting import opening
from sirdab.review.refactor.explain import harmless, plain
from sirdab.review.refactor.refusal import RefusalError
from sirdab.text.store import Text

FUNCTION = ("def f(self, a):", "    b = a", "    return b")


def documented(lines: tuple[str, ...], answer: str, language: str = "python") -> list[str]:
    begun = opening(lines, language)
    assert begun is not None
    return begun.joined(lines, answer)


def test_only_the_comment_is_asked_for() -> None:
    begun = opening(("@cached", *FUNCTION), "python")
    assert begun is not None
    assert begun.begun == '@cached\ndef f(self, a):\n    """'
    assert begun.stop == '"""'


@pytest.mark.parametrize(
    ("answer", "expect"),
    [
        ("Return it.", ['    """Return it."""']),
        (
            "Return it.\n\n    Args:\n        a: What.\n    ",
            ['    """Return it.', "", "    Args:", "        a: What.", '    """'],
        ),
        # A small model goes astray in all of these ways.
        (
            (
                "\n    Return it.\n\n    Args:\n    self: This.\n    a (int): What.\n\n"
                "    Raises:\n    ValueError: Never.\n"
            ),
            ['    """Return it.', "", "    Args:", "        a (int): What.", '    """'],
        ),
        (
            "Return it.\n\n    Returns:\n        None: Nothing.\n",
            ['    """Return it."""'],
        ),
        ('Return it."""\n    import os\n', ['    """Return it."""']),
        ("Return\\x it.", ['    """Returnx it."""']),
    ],
)
def test_a_docstring(answer: str, expect: list[str]) -> None:
    got = documented(FUNCTION, answer)
    assert got == [FUNCTION[0], *expect, *FUNCTION[1:]]


def test_errors_that_are_raised_may_be_documented() -> None:
    lines = ("def f(a):", "    raise ValueError(a)")
    got = documented(lines, "Fail.\n\n    Raises:\n        ValueError: Always.\n")
    assert "        ValueError: Always." in got


def test_what_is_documented_is_refused() -> None:
    with pytest.raises(RefusalError, match="documented already"):
        opening(("def f():", '    """It."""', "    return 1"), "python")


@pytest.mark.parametrize(
    "lines",
    [("a = 1",), ("def f(): return 1",), ("def f():", "    return 1", "def g():", "    return 2")],
)
def test_what_is_not_one_function_is_rewritten_whole(lines: tuple[str, ...]) -> None:
    assert opening(lines, "python") is None


def test_other_languages() -> None:
    got = documented(("function f(a) {", "}"), "Do it.\n *  @param {x} a The a.\n ", "javascript")
    assert got == ["/**", " * Do it.", " * @param {x} a The a.", " */", "function f(a) {", "}"]
    got = documented(("func F(a int) {", "}"), "does it.\n// Twice.\nfunc F", "go")
    assert got == ["// F does it.", "// Twice.", "func F(a int) {", "}"]


@pytest.mark.parametrize(
    ("content", "style"),
    [
        ('def f():\n    """Do.\n\n    Args:\n        a: b\n    """\n', "google"),
        ('def f():\n    """Do.\n\n    Parameters\n    ----------\n    a\n    """\n', "numpy"),
        ('def f():\n    """Do.\n\n    :param a: b\n    """\n', "rest"),
        ('def f():\n    """Do."""\n', "plain"),
        ("def f():\n    pass\n", ""),
    ],
)
def test_the_style_is_that_of_the_file(content: str, style: str) -> None:
    assert style_of(Text(content), "python") == style


def test_a_file_without_tags_gets_none() -> None:
    content = "/** Does it. */\nfunction f() {}\n"
    assert "@param" not in task_of(Text(content), "javascript")
    assert "@param" in task_of(Text("function f() {}\n"), "javascript")


@pytest.mark.parametrize(
    "text",
    [
        "[a](https://evil.example)",
        "![a](https://evil.example/p.png)",
        "[a][1]\n\n[1]: https://evil.example",
        "<a href='https://evil.example'>a</a>",
        "<https://evil.example>",
        "<img src=x onerror=y>",
        "a [b [c](d)](command:evil.run) e",
        "www.evil.example and mailto:a@evil.example",
        "`code` and ```\nhttps://evil.example\n```",
        "a\x1b[31m\u202eb\u200b",
        "<scr<script>ipt>",
        "[a]\u200b(https://evil.example)",
    ],
)
def test_an_explanation_links_to_nothing(text: str) -> None:
    said = harmless(text)
    for sign in ("evil", "](", "][", "<", "\x1b", "\u202e", "\u200b", "://"):
        assert sign not in said


def test_an_explanation_is_kept_as_it_is_otherwise() -> None:
    text = "It **adds** `a[0](b)`:\n\n- one\n- two\n\n```python\nif a < b:\n    c[0](d)\n```"
    assert harmless(text) == text
    assert harmless("a " * 5_000).endswith("…")
    assert len(harmless("a. " * 5_000)) <= 3_000
    assert harmless("```\nx") == "```\nx\n```"


def test_an_explanation_as_a_message() -> None:
    assert plain("It **adds** `a`.\n\nTwice.", 80) == "It adds a. Twice."
    assert len(plain("word " * 100, 80)) <= 80


def test_a_heading_with_nothing_below_it_is_left_out() -> None:
    lines = ("func Max(a, b int) int {", "\treturn a", "}")
    begun = opening(lines, "go")
    assert begun is not None
    written = begun.joined(lines, "returns the larger one.\n// Parameters:\n// a: a number")
    assert written == ["// Max returns the larger one.", *lines]
