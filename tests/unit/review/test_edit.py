"""A rewriting becomes the smallest edit, or is refused."""

from typing import Any

import pytest

from sirdab.review import edit
from sirdab.review.edit import RefusalError
from sirdab.text.store import Text
from tests.support.review import SQL

SAFE = 'cursor.execute("SELECT * FROM users WHERE name = ?", (name,))'
FIXED = SQL.replace(SQL.split("\n")[2].strip(), SAFE)


def rewritten(
    content: str,
    answer: str,
    first: int = 0,
    last: int | None = None,
    language: str = "python",
    **options: Any,
) -> str:
    text = Text(content)
    end = text.line_count - 1 if last is None else last
    asked = edit.region(text, first, end, redact_secrets=True)
    found = edit.edits(text, language, asked, edit.extract(answer), **options)
    assert all(change.start.line >= first for change in found)
    return str(edit.apply(text, found))


@pytest.mark.parametrize(
    "answer",
    [
        FIXED,
        f"```python\n{FIXED}```",
        f"Sure! Here it is:\n\n```python\n{FIXED}```\nI hope this helps.",
        f"{FIXED}```",
        "\n".join(f"    {line}" for line in FIXED.split("\n")),
        FIXED.replace("\n", "\r\n"),
    ],
)
def test_code_is_taken_out_of_an_answer(answer: str) -> None:
    assert rewritten(SQL, answer) == FIXED


def test_only_the_changed_lines_are_touched() -> None:
    text = Text(SQL)
    asked = edit.region(text, 0, 3, redact_secrets=True)
    (change,) = edit.edits(text, "python", asked, edit.extract(FIXED))
    # The end of the text, and what is put into it; not the call around them.
    assert (change.start.line, change.stop.line) == (2, 2)
    assert text.slice(change.start, change.stop) == '\'" + name + "\'"'
    assert change.text == '?", (name,)'


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("indent", ["", "    ", "\t", "\t\t"])
@pytest.mark.parametrize("closed", [True, False])
def test_indentation_and_line_ends_are_kept(end: str, indent: str, closed: bool) -> None:
    inner = "\t" if "\t" in indent else "    "
    body = ["if a:", f"{inner}b = 1", f"{inner}c = 2"]
    around = ["x = 0", *([] if not indent else ["class A:" if indent == inner else "def f():"])]
    content = end.join([*around, *(indent + line for line in body)]) + (end if closed else "")
    answer = f"if a:\n{inner}b = 3\n\n{inner}c = 2\n{inner}d = 4\n"
    expect = ["if a:", f"{inner}b = 3", "", f"{inner}c = 2", f"{inner}d = 4"]
    wanted = end.join([*around, *(indent + line if line else "" for line in expect)])
    got = rewritten(content, answer, len(around), len(around) + 2, language="lua-like")
    assert got == wanted + (end if closed else "")


@pytest.mark.parametrize(
    ("content", "answer", "says"),
    [
        (SQL, SQL, "change nothing"),
        (SQL, "", "no code"),
        (SQL, "```python\n```", "no code"),
        (SQL, f"```python\n{FIXED}```\nor\n```python\n{FIXED}```", "several"),
        (SQL, FIXED.replace("return", "return )"), "not valid"),
        (SQL, "I cannot do that.", "an explanation"),
        (SQL, "Nothing to do", "not valid"),
        (SQL, FIXED.replace("name = ?", "name\u200b = ?\u202e"), "cannot be seen"),
        (SQL, SQL.replace("fetchone()\n", "fetchone()  # Only one.\n"), "nothing but comments"),
        (SQL, FIXED.replace("(name,))", "(…))"), "left code out"),
        (SQL, FIXED.replace("    return cursor.fetchone()\n", "    # ... rest of the code\n"),
         "left code out"),
        (SQL, FIXED.replace("    return cursor.fetchone()\n", "    ...\n"), "left code out"),
        (SQL, FIXED + "x = 1\n" * 90, "far more"),
        (SQL, FIXED.replace("    ", "\t"), "tabs and spaces"),
        ("def f():\n\treturn 1\n", "def f():\n    if x:\n       return 2\n", "tabs and spaces"),
    ],
)  # fmt: skip
def test_what_must_not_be_applied_is_refused(content: str, answer: str, says: str) -> None:
    with pytest.raises(RefusalError, match=says) as refused:
        rewritten(content, answer)
    assert refused.value.message.endswith(".")
    assert "\n" not in refused.value.message


def test_a_fix_leaves_most_lines_as_they_are() -> None:
    assert rewritten(SQL, FIXED, keep=0.4) == FIXED
    with pytest.raises(RefusalError, match="far more"):
        rewritten(SQL, "def other():\n    pass\n", keep=0.4)


def test_moving_lines_in_or_out_counts_as_leaving_them() -> None:
    before = "def f(path):\n    file = open(path)\n    a = file.read()\n    return a\n"
    after = (
        "def f(path):\n    with open(path) as file:\n        a = file.read()\n        return a\n"
    )
    assert rewritten(before, after, keep=0.6) == after


def test_documenting_changes_no_code() -> None:
    documented = SQL.replace(":\n", ':\n    """Find a user by name."""\n', 1)
    assert rewritten(SQL, documented, only_comments=True) == documented
    # What else the model changed in passing is left out.
    both = documented.replace("fetchone", "fetchall")
    assert rewritten(SQL, both, only_comments=True) == documented
    with pytest.raises(RefusalError, match="change the code"):
        rewritten(SQL, SQL + "    print(1)\n", only_comments=True)
    with pytest.raises(RefusalError, match="change nothing"):
        rewritten(SQL, SQL.replace("fetchone", "fetchall"), only_comments=True)


def test_nothing_outside_of_the_lines_is_touched() -> None:
    content = f"a = 1\n\n\n{SQL}\n\nb = 2\n"
    assert rewritten(content, FIXED, 3, 6) == content.replace(SQL, FIXED)
    # What is written below the lines would stand within them.
    got = rewritten(content, f"{FIXED}\n\nprint(1)\n", 3, 6)
    assert got.startswith("a = 1\n\n\n")
    assert got.endswith("\n\nb = 2\n")
    with pytest.raises(RefusalError, match=r"evil, which is not defined|a library"):
        rewritten(content, f"import evil\n\n{FIXED}\n\nevil.run()\n", 3, 6)


def test_a_secret_is_not_written_over() -> None:
    key = "ghp_" + "a1B2c3D4e5" * 3 + "f6G7h8"
    content = f'def f():\n    token = "{key}"\n    a = 1\n    return token, a\n'
    text = Text(content)
    asked = edit.region(text, 0, 3, redact_secrets=True)
    assert key not in "".join(asked.lines)
    shown = "\n".join(asked.lines)
    assert rewritten(content, shown.replace("a = 1", "a = 2")) == content.replace("a = 1", "a = 2")
    with pytest.raises(RefusalError, match="secret"):
        rewritten(content, shown.replace("token =", "key ="))


def test_code_that_is_broken_already_may_be_fixed() -> None:
    assert rewritten("x = (1\n", "x = (1)\n") == "x = (1)\n"


@pytest.mark.parametrize(("first", "last"), [(4, 4), (4, 5)])
def test_lines_without_code_are_refused(first: int, last: int) -> None:
    with pytest.raises(RefusalError, match="no code"):
        edit.region(Text(SQL + "\n\n"), first, last, redact_secrets=True)


def test_spaces_become_the_tabs_of_the_document() -> None:
    text = Text("def f(x):\n\tif x:\n\t\treturn 1\n\treturn 3\n")
    asked = edit.region(text, 0, 3, redact_secrets=True)
    written = ["def f(x):", "    if x:", "        return 2", "    return 3"]
    changed = edit.apply(text, edit.edits(text, "python", asked, written))
    assert str(changed) == "def f(x):\n\tif x:\n\t\treturn 2\n\treturn 3\n"
