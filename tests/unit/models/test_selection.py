"""Editing endpoint.model in the user's configuration leaves everything else alone."""

import tomllib
from pathlib import Path

import pytest

from sirdab.models.errors import ModelError
from sirdab.models.selection import select_model, set_endpoint_model


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[endpoint]\nmodel = "new"\n'),
        ('trace = "off"', 'trace = "off"\n\n[endpoint]\nmodel = "new"\n'),
        (
            "# mine\n[completion]\nenabled = true\n",
            '# mine\n[completion]\nenabled = true\n\n[endpoint]\nmodel = "new"\n',
        ),
        (
            '[endpoint] # where\nurl = "auto"\n\n[privacy]\naudit = true\n',
            '[endpoint] # where\nmodel = "new"\nurl = "auto"\n\n[privacy]\naudit = true\n',
        ),
        (
            '[endpoint]\nurl = "auto"\n  model  =  "old"\n[x]\nmodel = "kept"\n',
            '[endpoint]\nurl = "auto"\n  model  =  "new"\n[x]\nmodel = "kept"\n',
        ),
        ('[x]\nmodel = "kept"\n', '[x]\nmodel = "kept"\n\n[endpoint]\nmodel = "new"\n'),
        ('endpoint.model = "old"\n', 'endpoint.model = "new"\n'),
        ('[endpoint]\r\nmodel = "old"\r\n', '[endpoint]\r\nmodel = "new"\r\n'),
        ("[endpoint]", '[endpoint]\nmodel = "new"\n'),
    ],
)
def test_sets_the_one_key(before: str, after: str) -> None:
    assert set_endpoint_model(before, "new") == after


@pytest.mark.parametrize(
    "before",
    [
        "not toml",
        "endpoint = 3\n",
        'endpoint = { model = "old" }\n',
        '[endpoint]\nmodel = """\nold"""\n',
        "text = '''\n[endpoint]\n'''\n[endpoint.more]\nx = 1\n",
    ],
)
def test_refuses_what_it_cannot_edit_safely(tmp_path: Path, before: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(before)
    with pytest.raises(ModelError, match=r'set model = "new" under \[endpoint\]'):
        select_model(path, "new")
    assert path.read_text() == before


def test_makes_the_file_and_its_directory(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.toml"
    select_model(path, 'C:\\models\\a "b".gguf')
    assert tomllib.loads(path.read_text())["endpoint"]["model"] == 'C:\\models\\a "b".gguf'
    assert [entry.name for entry in path.parent.iterdir()] == ["config.toml"]


def test_a_linked_file_stays_a_link(tmp_path: Path) -> None:
    target = tmp_path / "dotfiles" / "config.toml"
    target.parent.mkdir()
    target.write_text("# mine\n")
    link = tmp_path / "config.toml"
    link.symlink_to(target)
    select_model(link, "new")
    assert link.is_symlink()
    assert target.read_text().startswith("# mine\n")
