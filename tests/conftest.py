"""Fixtures that every kind of test may use."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sirdab.config.directories import REVIEWS_ENV, STATE_ENV
from sirdab.endpoint.discovery import PORTS_ENV
from sirdab.endpoint.managed.server import running, stop
from sirdab.models.errors import ModelError
from sirdab.models.store import find


@pytest.fixture(autouse=True)
def _no_user_settings(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keep the settings of whoever runs the tests out of them."""
    empty = tmp_path_factory.mktemp("config") / "config.toml"
    empty.write_text("", encoding="utf-8")
    monkeypatch.setenv("SIRDAB_CONFIG", str(empty))


@pytest.fixture(autouse=True)
def _own_reviews(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what other tests and the user have had reviewed out of each test."""
    monkeypatch.setenv(REVIEWS_ENV, str(tmp_path_factory.mktemp("reviews")))


@pytest.fixture(scope="session", autouse=True)
def _no_stray_servers() -> Iterator[None]:
    """Keep model servers that run on this machine anyway out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PORTS_ENV, "")
        yield


@pytest.fixture(scope="session", autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Share one embedded server among the tests, not with the user, and end it with them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(STATE_ENV, str(tmp_path_factory.mktemp("state")))
        yield
        for server in running():
            stop(server)


@pytest.fixture(scope="session")
def real_model_path() -> Path:
    """The weights of the default model, or a skip that says how to get them."""
    named = os.environ.get("SIRDAB_TEST_MODEL")
    try:
        return find(named or "auto").path
    except ModelError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def sirdab_command() -> list[str]:
    """The command that starts the language server, as an editor would call it."""
    return [sys.executable, "-m", "sirdab", "--stdio"]
