"""`sirdab model`: exit codes, sentences and JSON, without a network."""

import json
from pathlib import Path

import pytest

from sirdab.cli.main import main
from sirdab.models import catalog, store

DEFAULT = catalog.default_model()
OTHER = catalog.downloadable_models()[1]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any model and without a package index."""
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    for name in ("OLLAMA_MODELS", "HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("SIRDAB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("SIRDAB_CONFIG", str(tmp_path / "config.toml"))
    (tmp_path / "config.toml").write_text("# mine\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    return tmp_path / "cache"


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["show", "nope"], 2, 'There is no model "nope"; known models:'),
        (["pull", "qwen2.5-coder-0.6b"], 2, "did you mean qwen2.5-coder-0.5b?"),
        (["pull"], 2, "There is no terminal to ask on; add --yes to download"),
        (["pull", "--yes"], 1, "could not be downloaded (Qwen on Hugging Face: it cannot be"),
        (["remove", DEFAULT.id], 1, "nothing to remove"),
        (["use", "nope"], 2, 'There is no model "nope"'),
        (["use", OTHER.id], 1, f"run: sirdab model pull {OTHER.id}"),
        (["use", "/none/x.gguf"], 1, "There is no model file"),
        (["frobnicate"], 2, "No such command"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_on_stderr(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, sentence: str
) -> None:
    assert main(["model", *arguments]) == code
    shown = capsys.readouterr()
    assert sentence in shown.err
    assert shown.err.count("\n") == 1


def test_lists_every_model_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model", "list", "--json"]) == 0
    rows = {row["id"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) == {model.id for model in catalog.downloadable_models()}
    assert rows[DEFAULT.id]["selected"] is True
    assert rows[DEFAULT.id]["path"] is None
    assert rows[OTHER.id]["selected"] is False


def test_list_and_show_name_a_damaged_file(capsys: pytest.CaptureFixture[str], cache: Path) -> None:
    path = store.store_directory() / DEFAULT.file
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half")
    for arguments in (["list"], ["show", DEFAULT.id]):
        assert main(["model", *arguments]) == 0
        assert "is incomplete (4 of 491,400,064 bytes)" in capsys.readouterr().out


def test_use_writes_the_users_configuration(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["model", "use", "auto"]) == 0
    assert 'endpoint.model is now "auto"' in capsys.readouterr().out
    assert (tmp_path / "config.toml").read_text() == '# mine\n\n[endpoint]\nmodel = "auto"\n'


def test_remove_takes_what_was_downloaded_and_nothing_else(cache: Path) -> None:
    folder = store.store_directory()
    folder.mkdir(parents=True)
    for name in (DEFAULT.file, f"{DEFAULT.file}.part", OTHER.file):
        (folder / name).write_bytes(b"x")
    assert main(["model", "remove", DEFAULT.id]) == 0
    assert [path.name for path in folder.iterdir()] == [OTHER.file]


@pytest.mark.parametrize("name", ["list", "show", "pull", "use", "remove"])
def test_every_command_has_an_example(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main(["model", name, "--help"]) == 0
    assert f"Example: sirdab model {name}" in capsys.readouterr().out


def test_the_real_model_is_found_and_shown(
    capsys: pytest.CaptureFixture[str], real_model_path: Path, cache: Path
) -> None:
    model = next(
        (
            m
            for m in catalog.downloadable_models()
            if m.size_bytes == real_model_path.stat().st_size
        ),
        None,
    )
    if model is None:
        pytest.skip("the model named by SIRDAB_TEST_MODEL is not in the catalog")
    folder = store.store_directory()
    folder.mkdir(parents=True)
    (folder / model.file).symlink_to(real_model_path)
    assert main(["model", "pull", model.id]) == 0
    assert "is on this machine" in capsys.readouterr().out
