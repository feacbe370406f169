"""Directories that hold keys and logs are closed to other users."""

import os
import stat
from pathlib import Path

import pytest

from sirdab.policy.private import make_private_directory

pytestmark = pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def _no_umask():  # pyright: ignore[reportUnusedFunction] - pytest calls it
    before = os.umask(0)
    yield
    os.umask(before)


def test_every_directory_that_is_made_is_private(tmp_path: Path) -> None:
    make_private_directory(tmp_path / "state" / "sirdab" / "log")
    for made in ("state", "state/sirdab", "state/sirdab/log"):
        assert mode(tmp_path / made) == 0o700


def test_one_that_was_open_is_closed_and_those_above_are_left(tmp_path: Path) -> None:
    above = tmp_path / "state"
    above.mkdir(mode=0o755)
    (above / "log").mkdir(mode=0o777)
    make_private_directory(above / "log")
    assert mode(above / "log") == 0o700
    assert mode(above) == 0o755


def test_one_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(PermissionError, match="belongs to another user"):
        make_private_directory(tmp_path)


def test_a_file_in_its_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    with pytest.raises(OSError, match="log"):
        make_private_directory(tmp_path / "log")


def test_a_link_of_the_user_is_followed(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir(mode=0o755)
    (tmp_path / "state").symlink_to("disk")
    make_private_directory(tmp_path / "state")
    assert mode(tmp_path / "disk") == 0o700


@pytest.mark.skipif(os.name == "posix" and os.getuid() != 0, reason="only root gives links away")
@pytest.mark.parametrize("below", ["", "sirdab"])
def test_a_planted_link_does_not_get_another_directory_closed(tmp_path: Path, below: str) -> None:
    other = tmp_path / "public_html"
    (other / below).mkdir(mode=0o755, parents=True)
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o777)
    (shared / "state").symlink_to(other)
    os.lchown(shared / "state", 12_345, 12_345)
    with pytest.raises(PermissionError, match="belongs to another user"):
        make_private_directory(shared / "state" / below)
    assert mode(other / below) == 0o755
