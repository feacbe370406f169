"""The command line's manners: exit codes, one sentence, nothing on the wrong stream."""

from pathlib import Path

import pytest

from sirdab import __version__
from sirdab.cli.main import COMMANDS, main


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(list(arguments))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def one_sentence(text: str) -> bool:
    return text.startswith("sirdab: ") and text.count("\n") == 1 and "Traceback" not in text


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--version") == (0, f"sirdab {__version__}\n", "")


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--help")
    assert code == 0
    assert all(f"  {name} " in out for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, name, "--help")
    assert code == 0
    assert f"Example: sirdab {name}" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["complete"], "Missing argument"),
        (["complete", "x.py"], "is not FILE:LINE:COL"),
        (["complete", "x.py:a:b"], "is not FILE:LINE:COL"),
        (["complete", "missing.py:1:1"], "does not exist"),
        (["complete", "--frobnicate", "x:1:1"], "No such option"),
        (["doctor", "extra"], "unexpected extra argument"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_one_sentence(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert one_sentence(err), err


@pytest.mark.parametrize(
    ("content", "place", "said"),
    [
        (b"a = 1\n", "9:1", "has 2 lines, so there is no line 9"),
        (b"a = 1\n", "1:7", "columns 1 to 6, so there is no column 7"),
        (b"a = 1\n", "0:1", "there is no line 0"),
        (b"a = 1\n", "1:0", "there is no column 0"),
        (b"\x7fELF\0\0", "1:1", "is a binary file"),
        (b"\xff\xfeabc", "1:1", "is not UTF-8 text"),
    ],
)
def test_a_place_that_is_not_in_the_file(
    content: bytes, place: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(content)
    code, _, err = run(capsys, "complete", f"{path}:{place}")
    assert code == 2
    assert said in err
    assert one_sentence(err), err


def test_a_folder_is_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "complete", f"{tmp_path}:1:1")
    assert code == 2
    assert "is a folder" in err


def test_a_server_that_is_down_is_exit_code_1_and_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.py"
    path.write_text("value = \n", encoding="utf-8")
    code, out, err = run(capsys, "complete", f"{path}:1:9", "--url", "http://127.0.0.1:9")
    assert (code, out) == (1, "")
    assert one_sentence(err), err


def test_an_address_elsewhere_is_refused_before_anything_is_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.py"
    path.write_text("value = \n", encoding="utf-8")
    code, _, err = run(capsys, "complete", f"{path}:1:9", "--url", "http://198.51.100.1:80")
    assert code == 1
    assert one_sentence(err), err
