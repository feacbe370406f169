"""A linter is a witness: the real ruff, and programs that are not one."""

import os
import shutil
import sys
import sysconfig
from pathlib import Path

import pytest

from sirdab.review import evidence, rules, units
from sirdab.review.evidence import Linter, find_linter
from tests.support.review import MUTABLE, snapshot

REAL = Path(sysconfig.get_path("scripts")) / ("ruff.exe" if os.name == "nt" else "ruff")
needs_ruff = pytest.mark.skipif(not REAL.is_file(), reason="ruff is not installed beside Python")
needs_posix = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are scripts")

CODE = """\
import requests


def add(item, items=[]):  # noqa: B006
    if item is "x":
        items.append(requests.get(item))
    try:
        return items
    except Exception:
        pass
"""


def codes(linter: Linter, content: str, language: str = "python") -> list[tuple[int, str]]:
    return [(one.line, one.code) for one in linter.findings(snapshot(content, language))]


def script(folder: Path, body: str, name: str = "ruff") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text(f"#!{sys.executable}\nimport sys, time\n{body}\n", "utf-8")
    program.chmod(0o700)
    return program


@needs_ruff
def test_the_real_linter() -> None:
    found = codes(Linter(), CODE)
    assert (3, "B006") in found
    assert (4, "F632") in found
    assert (5, "S113") in found
    assert (8, "S110") in found
    assert {code for _, code in found} <= evidence.wanted()


@needs_ruff
def test_what_it_says_is_one_plain_line() -> None:
    said = Linter().findings(snapshot(CODE))
    assert all(one.message and one.message.isprintable() for one in said)
    assert all(len(one.message) <= evidence.MAX_MESSAGE_CHARACTERS for one in said)


@needs_ruff
def test_configuration_of_the_workspace_means_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ruff.toml").write_text('lint.ignore = ["B006"]\n', "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUFF_CONFIG", str(tmp_path / "ruff.toml"))
    monkeypatch.setenv("RUFF_OUTPUT_FORMAT", "concise")
    assert (0, "B006") in codes(Linter(), MUTABLE)
    assert not (tmp_path / ".ruff_cache").exists()


@needs_ruff
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_those_of_the_document(end: str) -> None:
    assert (3, "B006") in codes(Linter(), CODE.replace("\n", end))


@needs_ruff
@pytest.mark.parametrize(
    "content", ["", "def f(:\n", "\0", "\ud800 = 1\n", "x = '" + "a" * 100_000 + "'\n"]
)
def test_code_that_is_none(content: str) -> None:
    assert isinstance(codes(Linter(), content), list)


@pytest.mark.parametrize("language", ["javascript", "markdown", "plaintext"])
def test_only_python_is_asked_about(language: str, tmp_path: Path) -> None:
    linter = Linter(program=tmp_path / "none")
    assert codes(linter, CODE, language) == []


@needs_posix
@pytest.mark.parametrize(
    "body",
    [
        "sys.exit(2)",
        "print('no json')",
        "print('[1, 2]')",
        "print('{\"code\": 1}')",
        'print(\'{"code": null, "message": "x", "location": {"row": 1}}\')',
        "sys.stdin.close(); print('{' * 100_000)",
        "raise SystemExit",
    ],
)
def test_a_program_that_is_no_linter(body: str, tmp_path: Path) -> None:
    assert codes(Linter(program=script(tmp_path, body)), CODE) == []


@needs_posix
def test_one_that_never_ends_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "TIMEOUT_S", 0.5)
    note = tmp_path / "pid"
    body = f"import os; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    assert codes(Linter(program=script(tmp_path, body)), CODE) == []
    if note.exists():
        with pytest.raises(ProcessLookupError):
            os.kill(int(note.read_text()), 0)


@needs_posix
def test_output_without_end_is_cut(tmp_path: Path) -> None:
    line = '{"code": "B006", "message": "x", "location": {"row": 1}}'
    body = f"sys.stdin.read()\nwhile True: print({line!r}, flush=True)"
    found = codes(Linter(program=script(tmp_path, body)), CODE)
    assert found == [(0, "B006")] * evidence.MAX_FINDINGS


@needs_posix
def test_controls_are_taken_out_of_messages(tmp_path: Path) -> None:
    line = r'{"code": "B006", "message": "a\u202e\u001b[31m\nb", "location": {"row": 2}}'
    program = script(tmp_path, f"sys.stdin.read(); print({line!r})")
    (found,) = Linter(program=program).findings(snapshot(CODE))
    assert (found.line, found.code) == (1, "B006")
    assert found.message.isprintable()


@needs_posix
def test_answers_are_remembered_until_they_are_cleared(tmp_path: Path) -> None:
    log = tmp_path / "log"
    body = f"sys.stdin.read(); open({str(log)!r}, 'a').write('x')"
    linter = Linter(program=script(tmp_path, body))
    for content in (CODE, CODE, MUTABLE, CODE):
        assert codes(linter, content) == []
    assert log.read_text() == "xx"
    linter.clear()
    codes(linter, CODE)
    assert log.read_text() == "xxx"


@needs_posix
def test_the_linter_on_path_but_never_from_a_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path / "none"))
    inside, outside = tmp_path / "project", tmp_path / "tools"
    script(inside / "bin", "sys.exit(9)")
    good = script(outside, "sys.stdin.read()")
    path = os.pathsep.join((".", "bin", "", str(inside / "bin"), str(outside)))
    monkeypatch.setenv("PATH", path)
    monkeypatch.chdir(inside)
    assert find_linter([str(inside)]) == good
    assert find_linter([str(tmp_path)]) is None
    # A link from outside into the workspace is the workspace's program all the same.
    link = tmp_path / "links"
    link.mkdir()
    (link / "ruff").symlink_to(inside / "bin" / "ruff")
    monkeypatch.setenv("PATH", os.pathsep.join((str(link), str(outside))))
    assert find_linter([str(inside)]) == good


@needs_posix
def test_no_linter_means_no_witness(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("ruff") is None
    assert codes(Linter(), CODE) == []


@needs_ruff
def test_a_witness_is_a_sign_where_the_model_decides() -> None:
    code = "import pickle\n\n\ndef f(data):\n    return pickle.Unpickler(\n        data)\n"
    said = Linter().findings(snapshot(code))
    (unit,) = [one for one in units.split(snapshot(code).text, "python") if one.name == "f"]
    with_it = rules.candidates(unit, "python", ("security",), said)
    assert {rule.id for rule in with_it} == {"unsafe-deserialization"}
    # What is published on the strength of our sign alone is never nominated by a linter.
    (add,) = units.split(snapshot("def f(a=[]):\n    return len(a)\n").text, "python")
    other = Linter().findings(snapshot("def f(a=[]):\n    return len(a)\n"))
    assert any(one.code == "B006" for one in other)
    assert rules.candidates(add, "python", ("correctness",), other) == {}
