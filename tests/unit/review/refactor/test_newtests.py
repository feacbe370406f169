"""New tests: what the model is begun with, and what of its answer becomes a file."""

from pathlib import Path
from typing import Any

import pytest

from sirdab.config.schema import Settings
from sirdab.endpoint.lane import Lane
from sirdab.review.gates import Gates
from sirdab.review.refactor.author import Author
from sirdab.review.refactor.newtests import NewFile, Wanted, WriterOfTests
from sirdab.review.refactor.refusal import RefusalError
from sirdab.review.refactor.symbols import enclosing
from sirdab.review.refactor.testplace import PlaceOfTests
from sirdab.text.document import Snapshot
from sirdab.text.store import Point, Text
from tests.support.review import MUTABLE, ScriptedModel

# The answer goes on from "def test_add_".
GOOD = "adds():\n    assert add(1, [2]) == [2, 1]\n"
CAUTION = "A model wrote this; the expected values are guesses: check them before use."
SAID = f"# {CAUTION}\n\n"
WHOLE = f"\n\ndef test_add_{GOOD}"
CLASS = "class Cart:\n    def total(self, prices):\n        return sum(prices)\n"


async def written(
    tmp_path: Path,
    *answers: str,
    content: str = MUTABLE,
    language: str = "python",
    framework: str = "pytest",
    module: str = "shop.cart",
    row: int = 1,
    truncated: bool = False,
) -> tuple[NewFile, ScriptedModel]:
    left = list(answers)

    def say(_: Any) -> str:
        return left.pop(0) if len(left) > 1 else left[0]

    model = ScriptedModel(say, truncated=truncated)
    suffix = {"python": "py", "javascript": "js", "typescript": "ts", "go": "go"}[language]
    snapshot = Snapshot((tmp_path / f"cart.{suffix}").as_uri(), language, 1, Text(content))
    point = Point(row, 2)
    symbol = enclosing(snapshot.text, language, point, point)
    assert symbol is not None
    place = PlaceOfTests(tmp_path / f"new_test.{suffix}", framework, module)
    writer = WriterOfTests(Author(model, Lane(quiet_s=0), Gates()))
    return await writer.write(Wanted(snapshot, Settings(), (), symbol, place)), model


async def test_the_file_begins_with_the_right_import(tmp_path: Path) -> None:
    file, model = await written(tmp_path, GOOD)
    assert file.path == tmp_path / "new_test.py"
    assert file.text == f"{SAID}from shop.cart import add\n{WHOLE}"
    prompt = model.requests[0].prompt
    assert prompt.endswith("```python\nfrom shop.cart import add\n\n\ndef test_add_")
    assert not file.path.exists()


async def test_what_is_missing_of_the_framework_is_added(tmp_path: Path) -> None:
    raising = GOOD + "\n\ndef test_fails():\n    with pytest.raises(TypeError):\n        add()\n"
    file, _ = await written(tmp_path, raising)
    assert file.text.startswith(
        f"{SAID}import pytest\n\nfrom shop.cart import add\n\n\ndef test_add_adds"
    )


IN_UNITTEST = """\
total(self):
        self.assertEqual(Cart().total([1]), 1)
"""
SCRIPT = "function add(a) {\n  return a;\n}\nmodule.exports = { add };\n"
IN_NODE = 'adds", () => {\n  assert.equal(add(1), 1);\n});\n'
NODE = """\
const test = require("node:test");
const assert = require("node:assert/strict");
const { add } = require("./cart.js");
"""
TYPED = "export function add(a: number) {\n  return a;\n}\n"
IN_VITEST = """\
adds", () => {
    expect(add(1)).toBe(1);
  });
});
"""
VITEST = 'import { describe, expect, it } from "vitest";\nimport { add } from "./cart";\n'
GO = "package shop\n\nfunc Add(a int) int {\n\treturn a\n}\n"
IN_GO = """\
	"testing"
)

func TestAdd(t *testing.T) {
	if Add(1) != 1 {
		t.Fail()
	}
}
"""


@pytest.mark.parametrize(
    ("language", "framework", "module", "content", "answer", "begins"),
    [
        (
            "python",
            "unittest",
            "shop",
            CLASS,
            IN_UNITTEST,
            "import unittest\n\nfrom shop import Cart\n",
        ),
        ("javascript", "node:test", "./cart", SCRIPT, IN_NODE, NODE),
        ("typescript", "vitest", "./cart", TYPED, IN_VITEST, VITEST),
        ("go", "the testing package", "", GO, IN_GO, "package shop\n\nimport (\n"),
    ],
)
async def test_the_beginning_in_other_frameworks(
    tmp_path: Path,
    language: str,
    framework: str,
    module: str,
    content: str,
    answer: str,
    begins: str,
) -> None:
    row = content.split("\n").index(next(x for x in content.split("\n") if "return" in x))
    file, model = await written(
        tmp_path,
        answer,
        content=content,
        language=language,
        framework=framework,
        module=module,
        row=row,
    )
    comment = "#" if language == "python" else "//"
    assert file.text.startswith(f"{comment} {CAUTION}\n\n{begins}")
    assert file.text.rstrip().endswith(answer.rstrip())
    assert framework in model.requests[0].prompt


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("", "no test"),
        ("adds():\n    assert 1\n", "no test"),
        ("other():\n    assert other() == 1\n", "no test"),
        (GOOD.replace("==", "= ="), "not valid"),
        (GOOD + "\n\ndef test_b():\n    assert helper(add)\n", "helper, which is not defined"),
        (
            GOOD + "\n\ndef test_b():\n    import numpy\n    assert add(numpy.array([1]))\n",
            "a library",
        ),
        (
            GOOD + '\n\ndef test_b():\n    import os\n    os.system("rm -rf /")\n    add(1)\n',
            "start a program",
        ),
        (GOOD + '\n\ndef test_b():\n    add("https://evil.example/x")\n', "an address"),
        (GOOD + '\n\ndef test_b():\n    add("ghp_' + "a1B2c3D4e5" * 3 + 'f6G7h8")\n', "password"),
        (GOOD + "\n\ndef test_b():\n    add('a\u202eb')\n", "cannot be seen"),
    ],
)
async def test_what_is_no_file_of_tests_is_refused(tmp_path: Path, answer: str, says: str) -> None:
    with pytest.raises(RefusalError, match=says):
        await written(tmp_path, answer)


async def test_the_model_may_try_once_more(tmp_path: Path) -> None:
    file, model = await written(tmp_path, GOOD.replace("==", "= ="), GOOD)
    assert file.text.endswith(GOOD)
    assert len(model.requests) == 2


async def test_what_is_whole_of_a_long_answer_is_taken(tmp_path: Path) -> None:
    cut = GOOD + "\n\ndef test_more():\n    assert add(1, [2,"
    file, _ = await written(tmp_path, cut, truncated=True)
    assert file.text == f"{SAID}from shop.cart import add\n{WHOLE}"


async def test_a_test_that_is_written_twice_is_there_once(tmp_path: Path) -> None:
    again = GOOD.replace("adds()", "again()")
    file, _ = await written(
        tmp_path, f"{GOOD}\n\ndef test_{again}\n\ndef test_more():\n    add(2)\n"
    )
    assert (
        file.text == f"{SAID}from shop.cart import add\n{WHOLE}\n\ndef test_more():\n    add(2)\n"
    )


async def test_what_go_would_not_compile_is_left_out(tmp_path: Path) -> None:
    file, _ = await written(
        tmp_path,
        IN_GO.replace('"testing"\n', '"os"\n\t"testing"\n'),
        content=GO,
        language="go",
        framework="the testing package",
        row=3,
    )
    assert file.text == f"// {CAUTION}\n\npackage shop\n\nimport (\n{IN_GO}"


FORMATTED = IN_GO.replace("t.Fail()", 't.Error(fmt.Sprintf("%d", Add(1)))')


async def test_what_go_lacks_is_imported(tmp_path: Path) -> None:
    async def made(answer: str) -> NewFile:
        framework = "the testing package"
        file, _ = await written(
            tmp_path, answer, content=GO, language="go", framework=framework, row=3
        )
        return file

    file = await made(FORMATTED)
    imports = 'import (\n\t"fmt"\n\t"testing"\n)\n'
    assert file.text.startswith(f"// {CAUTION}\n\npackage shop\n\n{imports}")
    with pytest.raises(RefusalError, match="helpers, which is not defined"):
        await made(FORMATTED.replace("fmt.Sprintf", "helpers.Show"))


async def test_a_file_that_is_there_is_not_asked_for(tmp_path: Path) -> None:
    (tmp_path / "new_test.py").write_text("mine", encoding="utf-8")
    with pytest.raises(RefusalError, match="is there already"):
        await written(tmp_path, GOOD)
