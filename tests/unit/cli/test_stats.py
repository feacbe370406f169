"""`sirdab stats`: what it prints, and that it forgets."""

import io
import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from sirdab.cli import runtime
from sirdab.cli.main import main
from sirdab.cli.sparkline import sparkline
from sirdab.metrics.record import Answer, Shown
from sirdab.metrics.store import Store, day_of, default_path

NOW = time.time()
ONE = Shown(1, "python", "model", 120.0, 20, 1, told=True)


@pytest.fixture(autouse=True)
def own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SIRDAB_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def some() -> None:
    store = Store(default_path())
    full = replace(ONE, part="full", part_told=True, characters_accepted=40)
    store.write(
        1,
        [(NOW, Answer("python", "model", 140.0, 80, 9)), (NOW, Answer("go", "cache", 0.6))],
        [
            (NOW, full),
            (NOW - 86_400, replace(ONE, number=2, ending="dismissed", told=False)),
            (NOW, replace(ONE, number=3, language="go", ending="typed")),
            (NOW, replace(ONE, number=4, language="go", part="word", characters_accepted=4)),
        ],
        [(1, 30, 1.0), (1, 300, 0.5)],
    )
    store.close()


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["stats", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_without_data_it_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys)
    assert (code, err, out.count("\n"), out.count(". ")) == (0, "", 1, 0)
    assert "There are no figures" in out
    assert not default_path().exists()


@pytest.mark.usefixtures("some")
def test_what_is_printed_into_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys)
    assert (code, err) == (0, "")
    assert "\x1b" not in out
    lines = {line.split("  ")[0].strip(): " ".join(line.split()) for line in out.splitlines()}
    assert lines["Shown"].startswith("Shown 4 1 concluded")
    assert lines["Accepted"] == "Accepted 2 50.0 %; 1 full, 1 word; 1 seen from the text alone"
    assert lines["Dismissed"].startswith("Dismissed 1 ")
    assert lines["Kept for 30 s"].startswith("Kept for 30 s 100.0 %")
    assert lines["Kept for 5 min"].startswith("Kept for 5 min 50.0 %")
    assert lines["Characters"].startswith("Characters 44 ")
    # 80 tokens for 44 characters.
    assert lines["Tokens read"].startswith("Tokens read 1.8 ")
    assert lines["asked of the model"].startswith("asked of the model 1 1")
    assert lines["from memory"].startswith("from memory 1 0.6 ms")
    assert lines["python"] == "python 2 1 50.0 % 1 40"
    assert lines["go"] == "go 2 1 50.0 % 0 4"
    assert lines[day_of(NOW)] == f"{day_of(NOW)} 3 2 66.7 % 0 44"
    assert lines[day_of(NOW - 86_400)] == f"{day_of(NOW - 86_400)} 1 0 0.0 % 1 0"
    assert "never leave this machine" in out


@pytest.mark.usefixtures("some")
@pytest.mark.parametrize("width", [10, 40, 100])
def test_a_terminal_gets_a_chart(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    printed = io.StringIO()

    def console(*, stderr: bool = False) -> Console:
        del stderr
        return Console(
            file=printed, force_terminal=True, width=width, highlight=False, soft_wrap=True
        )

    monkeypatch.setattr(runtime, "console", console)
    assert run(capsys)[0] == 0
    out = printed.getvalue()
    assert "▃█" in out
    assert "…" not in out, "no figure is lost where there is little room"
    assert "never leave this machine" in out


@pytest.mark.usefixtures("some")
def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["shown"], found["accepted"]["all"]) == (4, 2)
    assert found["retained"] == {"30s": 1.0, "90s": None, "300s": 0.5}
    assert set(found["latency"]) == {"model", "cache"}
    assert set(found["languages"]) == {"python", "go"}
    assert list(found["days"]) == [day_of(NOW - 86_400), day_of(NOW)]


def test_json_without_data_has_the_same_shape(
    capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    empty = json.loads(run(capsys, "--json")[1])
    request.getfixturevalue("some")
    full = json.loads(run(capsys, "--json")[1])
    assert empty.keys() == full.keys()
    assert empty["acceptanceRate"] is None


@pytest.mark.usefixtures("some")
def test_days(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(run(capsys, "--json", "--days", "1")[1])["shown"] == 3


@pytest.mark.parametrize("days", ["0", "91", "x"])
def test_days_that_there_are_not(capsys: pytest.CaptureFixture[str], days: str) -> None:
    code, out, err = run(capsys, "--days", days)
    assert (code, out) == (2, "")
    assert err.startswith("sirdab: ")


@pytest.mark.usefixtures("some")
def test_reset_asks(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    code, out, _ = run(capsys, "--reset")
    assert code == 1
    assert "Nothing was forgotten." in out
    assert json.loads(run(capsys, "--json")[1])["shown"] == 4
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert run(capsys, "--reset")[0] == 0
    assert json.loads(run(capsys, "--json")[1])["shown"] == 0


@pytest.mark.usefixtures("some")
def test_reset_without_asking(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--reset", "--yes") == (0, "All figures are forgotten.\n", "")
    assert "There are no figures" in run(capsys)[1]


@pytest.mark.usefixtures("some")
def test_an_answer_without_a_question(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "--yes")
    assert (code, out) == (2, "")
    assert "--reset" in err


def test_reset_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--reset") == (0, "There are no figures to forget.\n", "")


def test_a_file_that_cannot_be_opened_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    default_path().mkdir(parents=True)
    code, out, err = run(capsys)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert str(default_path()) in err


@pytest.mark.parametrize(
    ("values", "width", "expect"),
    [
        ([], 10, ""),
        ([0, 0], 10, "··"),
        ([1, 2, 3, 4, 5, 6, 7, 8], 10, "▂▃▄▅▆▇██"),
        ([0.001, 100], 10, "▁█"),
        ([1, 1, 2, 2, 4, 4], 3, "▃▅█"),
        ([9, 1, 1, 2, 2], 3, "█▂▄"),
        ([5], 0, ""),
    ],
)
def test_sparkline(values: list[float], width: int, expect: str) -> None:
    assert sparkline(values, width) == expect
