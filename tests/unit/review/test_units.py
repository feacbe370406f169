"""A document is split into units that are stable, small and free of comments."""

import itertools

import pytest

from sirdab.review import units
from sirdab.text.store import Text

PYTHON = '''\
"""A module."""

import os  # for the path


class Point:
    """A point."""

    x = 0

    def __init__(self, x):
        """Make one."""
        self.x = x  # keep it

    @property
    def double(self):
        # twice
        return self.x * 2


def outer():
    def inner():
        return 1

    return inner
'''

JAVASCRIPT = """\
import a from 'a';
export class B {
  c(d) {
    return d;
  }
}
const e = (f) => {
  return f;
};
"""


def spans(content: str, language: str) -> list[tuple[str, int, int]]:
    return [(unit.name, unit.first, unit.last) for unit in units.split(Text(content), language)]


@pytest.mark.parametrize(
    ("language", "content", "expect"),
    [
        (
            "python",
            PYTHON,
            [
                ("", 2, 8),
                ("Point.__init__", 10, 12),
                ("Point.double", 14, 17),
                ("outer", 20, 24),
            ],
        ),
        (
            "javascript",
            JAVASCRIPT,
            [("", 0, 1), ("B.c", 2, 4), ("", 5, 5), ("", 6, 8)],
        ),
        ("go", "package a\n\nfunc (s *T) B() int {\n\treturn 1\n}\n", [("", 0, 0), ("B", 2, 4)]),
        ("c", "int a(int b)\n{\n  return b;\n}\n", [("a", 0, 3)]),
        ("rust", "impl A {\n    fn b() -> u8 {\n        1\n    }\n}\n",
         [("", 0, 0), ("A.b", 1, 3), ("", 4, 4)]),
        ("lua", "local M = {}\nfunction M.a(b)\n  return b\nend\n", [("", 0, 0), ("M.a", 1, 3)]),
        ("ruby", "# a comment\ndef a(b)\n  b\nend\n", [("", 1, 3)]),
        ("python", "", []),
        ("python", "# only a comment\n\n", []),
    ],
)  # fmt: skip
def test_split(language: str, content: str, expect: list[tuple[str, int, int]]) -> None:
    assert spans(content, language) == expect


def test_comments_and_docstrings_are_not_shown() -> None:
    shown = "\n".join(line for unit in units.split(Text(PYTHON), "python") for line in unit.lines)
    for hidden in ("module", "for the path", "A point", "Make one", "keep it", "twice"):
        assert hidden not in shown
    assert "self.x = x" in shown


def test_columns_stay_where_they_are() -> None:
    (unit,) = units.split(Text("x = f(1 /* 漢字 */, 2);\n"), "javascript")
    assert unit.lines == (f"x = f(1 {' ' * len('/* 漢字 */')}, 2);",)


def test_the_digest_is_of_the_content_and_not_of_the_place() -> None:
    code = "def a(b):\n    return b\n"
    (one,) = units.split(Text(code), "python")
    two = units.split(Text(f"# new\n\n\n{code}"), "python")[-1]
    three = units.split(Text(code.replace("return b", "return -b")), "python")[-1]
    assert (one.digest, one.first) == (two.digest, two.first - 3)
    assert three.digest != one.digest


@pytest.mark.parametrize("language", ["python", "ruby"])
@pytest.mark.parametrize("content", ["    x = 1\n" * 500, f"    x = '{'b' * 90}'\n" * 200])
def test_what_is_long_is_cut(language: str, content: str) -> None:
    content = f"def a():\n{content}"
    found = units.split(Text(content), language)
    assert all(len(unit.lines) <= units.MAX_LINES for unit in found)
    assert all(sum(map(len, unit.lines)) <= units.MAX_CHARACTERS for unit in found)
    covered = [line for unit in found for line in unit.lines if line.strip()]
    assert covered == [line for line in content.split("\n") if line.strip()]
    assert all(above.last < below.first for above, below in itertools.pairwise(found))


def test_minified_code_is_left_out() -> None:
    assert units.split(Text("x=1;" * 2_000), "javascript") == []


def test_a_secret_is_taken_out_and_a_comment_takes_no_code_along() -> None:
    text = Text(
        'def a():  # password = "Qx7!vP2m#Lk9wZr4"\n'
        '    password = "Qx7!vP2m#Lk9wZr4"  # a key\n'
        '    eval(b)  # password = "Qx7!vP2m#Lk9wZr4"\n'
    )
    (unit,) = units.split(text, "python", redact_secrets=True)
    assert unit.lines == ("def a():", '    password = "REDACTED"', "    eval(b)")


def test_a_key_of_many_lines_is_taken_out() -> None:
    body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
    lines = ["k = (", '    "-----BEGIN PRIVATE KEY-----"', *[f'    "{body}"'] * 3]
    content = "\n".join([*lines, '    "-----END PRIVATE KEY-----"', ")", "eval(x)"])
    (unit,) = units.split(Text(content), "python", redact_secrets=True)
    assert body not in "\n".join(unit.lines)
    assert unit.lines[-1] == "eval(x)"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end: str) -> None:
    content = "def a(b):\n    return b\n".replace("\n", end)
    assert spans(content, "python") == [("a", 0, 1)]
