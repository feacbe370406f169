"""The command line's manners: exit codes, one sentence, nothing on the wrong stream."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sirdab import __version__
from sirdab.cli.main import COMMANDS, main
from sirdab.config import installation
from tests.support.gguf import gguf


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
        (["doctor", "extra"], "unexpected extra argument (extra)."),
        (["model", "show", "nonsense"], "There is no model"),
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


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_not_waited_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.py"
    os.mkfifo(path)
    code, _, err = run(capsys, "complete", f"{path}:1:1")
    assert code == 2
    assert "is not a regular file" in err
    assert one_sentence(err), err


def test_a_device_is_not_read(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "complete", f"{os.devnull}:1:1")
    assert code == 2
    assert one_sentence(err), err


def test_a_relative_model_path_means_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.py").write_text("value = \n", encoding="utf-8")
    (tmp_path / "text.gguf").write_text("this is no model", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    code, _, err = run(capsys, "complete", "a.py:1:9", "--model", "text.gguf")
    assert code == 1
    assert "text.gguf is not a usable GGUF model file" in err


def sirdab(*arguments: str, **environment: str) -> "subprocess.Popen[bytes]":
    """Start the command in a process of its own, where streams are real ones."""
    return subprocess.Popen(
        [sys.executable, "-m", "sirdab", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("arguments", [["model", "list"], ["--help"], ["doctor", "--json"]])
def test_a_reader_that_has_seen_enough_is_no_failure(arguments: list[str], tmp_path: Path) -> None:
    process = sirdab(*arguments, SIRDAB_CACHE_DIR=str(tmp_path), HOME=str(tmp_path))
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), err) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_one_sentence() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "sirdab", "model", "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert one_sentence(done.stderr), done.stderr


def test_characters_the_output_lacks_are_escaped(tmp_path: Path) -> None:
    config = tmp_path / "größe" / "config.toml"
    plain = {"PYTHONIOENCODING": "ascii", "SIRDAB_CONFIG": str(config), "HOME": str(tmp_path)}
    plain["SIRDAB_CACHE_DIR"] = str(tmp_path)
    for arguments in (["doctor"], ["doctor", "--json"]):
        out, err = sirdab(*arguments, **plain).communicate()
        assert b"gr\\" in out
        assert b"Unicode" not in err
    assert any("größe" in check["detail"] for check in json.loads(out)["checks"])


def test_a_report_that_is_piped_has_one_line_a_check(tmp_path: Path) -> None:
    out, _ = sirdab("doctor", SIRDAB_CACHE_DIR=str(tmp_path), HOME=str(tmp_path)).communicate()
    *checks, verdict = out.decode().splitlines()
    assert all(line.split()[0] in ("ok", "warning", "failed") for line in checks)
    assert verdict == "Ghost text does not work here yet."
    assert b"\x1b" not in out


def test_a_remedy_with_brackets_reaches_the_user_whole(tmp_path: Path) -> None:
    hidden = tmp_path / "xllamacpp.py"
    hidden.write_text("raise ImportError\n", encoding="utf-8")
    model = tmp_path / "m.gguf"
    model.write_bytes(gguf())
    arguments = ["try", "--model", str(model)]
    _, err = sirdab(*arguments, PYTHONPATH=str(tmp_path)).communicate()
    assert installation.find().embedded_advice in err.decode()
    assert b"[embedded]" in err


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


def test_the_name_of_a_file_gives_no_orders_to_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a\x1b]0;x\x07\nb.pem"
    path.write_text("x\n")
    code, out, err = run(capsys, "review", str(path))
    assert (code, out) == (0, "")
    assert r"a\x1b]0;x\x07\nb.pem is not reviewed" in err
    assert "\x1b" not in err
