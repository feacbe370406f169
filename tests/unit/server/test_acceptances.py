"""The count of today's accepted suggestions."""

import json
import threading
from pathlib import Path

import pytest

from sirdab.config.directories import state_directory
from sirdab.server import acceptances


@pytest.fixture(autouse=True)
def own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SIRDAB_STATE_DIR", str(tmp_path / "state"))


def stored() -> Path:
    return state_directory() / "accepted.json"


def test_threads_of_several_editors_do_not_lose_a_count() -> None:
    threads = [threading.Thread(target=acceptances.count_one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert acceptances.today() == 8


def test_yesterday_does_not_count() -> None:
    acceptances.count_one()
    stored().write_text(json.dumps({"day": "2020-01-01", "accepted": 7}))
    assert acceptances.today() == 0
    acceptances.count_one()
    assert acceptances.today() == 1


@pytest.mark.parametrize("content", ["", "{", "[]", '{"day": 5}', '{"accepted": true}'])
def test_a_broken_file_is_no_count_and_is_mended(content: str) -> None:
    acceptances.count_one()
    stored().write_text(content)
    assert acceptances.today() == 0
    acceptances.count_one()
    assert acceptances.today() == 1


def test_what_cannot_be_written_is_not_counted_and_not_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SIRDAB_STATE_DIR", str(tmp_path / "file" / "state"))
    acceptances.count_one()
    assert acceptances.today() == 0
