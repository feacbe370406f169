"""How Sirdab was installed, and advice that fits it."""

import json
import sys
from importlib.metadata import Distribution, PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

from sirdab.config import installation
from sirdab.config.installation import Installation, Kind


class _Recorded(Distribution):
    """What an installer left: the text of direct_url.json (PEP 610), or nothing."""

    def __init__(self, direct_url: str | None) -> None:
        self._direct_url = direct_url

    def read_text(self, filename: str) -> str | None:
        return self._direct_url if filename == "direct_url.json" else None

    def locate_file(self, path: Any) -> Path:
        return Path(str(path))


def find(prefix: Path, direct_url: str | None = None) -> Installation:
    return installation.find(prefix, lambda: _Recorded(direct_url))


@pytest.mark.parametrize(
    ("marker", "content", "kind", "advice"),
    [
        (None, "", Kind.PIP, '-m pip install "sirdab[embedded]"'),
        ("pipx_metadata.json", "{}", Kind.PIPX, 'pipx install --force "sirdab[embedded]"'),
        ("uv-receipt.toml", "", Kind.UV_TOOL, 'uv tool install --force "sirdab[embedded]"'),
        (
            "installed.json",
            '{"wheel": "sirdab-0.1.0-py3-none-any.whl"}',
            Kind.EXTENSION,
            'run "Sirdab: Install the Server" in VS Code',
        ),
        # Somebody else's file of that name.
        ("installed.json", "[]", Kind.PIP, "pip install"),
        ("installed.json", "?", Kind.PIP, "pip install"),
    ],
)
def test_each_installer_gets_its_own_advice(
    tmp_path: Path, marker: str | None, content: str, kind: Kind, advice: str
) -> None:
    if marker is not None:
        (tmp_path / marker).write_text(content, encoding="utf-8")
    found = find(tmp_path)
    assert found.kind is kind
    assert advice in found.embedded_advice
    if kind is Kind.EXTENSION:
        assert "pip" not in found.embedded_advice


@pytest.mark.parametrize(
    ("record", "source"),
    [
        ({"url": "file:///home/me/sirdab", "dir_info": {"editable": True}}, "/home/me/sirdab"),
        (
            {"url": "file:///home/me/my%20code/%C3%A4", "dir_info": {"editable": True}},
            "/home/me/my code/ä",
        ),
        ({"url": "file:///C:/code/sirdab", "dir_info": {"editable": True}}, "C:/code/sirdab"),
        ({"url": "file:///home/me/sirdab", "dir_info": {}}, None),
        ({"url": "file:///home/me/sirdab.whl", "archive_info": {}}, None),
        ({}, None),
        ([], None),
    ],
)
def test_a_checkout_is_installed_again_from_its_folder(
    tmp_path: Path, record: Any, source: str | None
) -> None:
    found = find(tmp_path, json.dumps(record))
    assert found.source == (Path(source) if source else None)
    assert found.kind is (Kind.EDITABLE if source else Kind.PIP)
    if source:
        advice = found.embedded_advice
        assert installation.quoted(f"{Path(source)}[embedded]") in advice
        assert " -e " in advice


def test_what_is_not_installed_at_all_is_advised_like_pip(tmp_path: Path) -> None:
    def missing() -> Distribution:
        raise PackageNotFoundError("sirdab")

    assert installation.find(tmp_path, missing).kind is Kind.PIP


def test_a_python_without_pip_is_given_uv(tmp_path: Path) -> None:
    found = Installation(Kind.PIP, Path("/some where/python"), has_pip=False)
    assert found.embedded_advice.startswith("run: uv pip install --python ")
    assert installation.quoted(str(Path("/some where/python"))) in found.embedded_advice


def test_this_one_is_found() -> None:
    found = installation.find()
    assert found.python == Path(sys.executable)
    assert found.title
