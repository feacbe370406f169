"""State files, locks and leases: who is alive, and whom to believe."""

import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from sirdab.endpoint.managed import state as states
from sirdab.endpoint.managed.state import EngineState, Instance, process_is

posix_only = pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setenv("SIRDAB_STATE_DIR", str(tmp_path / "state"))
    return Instance.of(tmp_path / "model.gguf")


def own_state() -> EngineState:
    return EngineState(
        pid=os.getpid(),
        created=psutil.Process().create_time(),
        url="http://127.0.0.1:1",
        api_key="the-key",
        model_path="/m.gguf",
        name="m",
    )


def test_what_is_written_is_read(instance: Instance) -> None:
    instance.write(own_state())
    assert instance.read() == own_state()
    assert [found.key for found in states.instances()] == [instance.key]
    instance.forget(pid=os.getpid() + 1)
    assert instance.read() is not None, "another one's state is not removed"
    instance.forget(pid=os.getpid())
    assert instance.read() is None
    assert states.instances() == []


def test_the_key_is_not_shown() -> None:
    assert "the-key" not in repr(own_state())


@posix_only
def test_only_the_user_can_read_the_files(instance: Instance) -> None:
    instance.write(own_state())
    instance.take_lease()
    with instance.lock(0):
        for path in instance.directory.rglob("*"):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert stat.S_IMODE(instance.directory.stat().st_mode) == 0o700


@posix_only
def test_a_state_file_that_others_could_write_is_not_believed(instance: Instance) -> None:
    instance.write(own_state())
    instance.state_path.chmod(0o666)
    assert instance.read() is None


@posix_only
def test_the_file_that_is_read_is_the_one_that_was_checked(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance.write(own_state())
    planted = instance.state_path.with_name("planted")
    planted.write_text(instance.state_path.read_text("utf-8").replace(":1", ":666"), "utf-8")
    planted.chmod(0o666)
    getuid = os.getuid

    def swap_and_getuid() -> int:
        # The moment between looking at the file and reading it.
        if planted.exists():
            planted.replace(instance.state_path)
        return getuid()

    monkeypatch.setattr(os, "getuid", swap_and_getuid)
    assert instance.read() == own_state()
    assert instance.read() is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"\xff\xff",
        b'{"pid": "1", "created": 1, "url": "", "api_key": "", "model_path": "", "name": ""}',
        b'{"pid": 1, "created": 1, "url": 7, "api_key": "", "model_path": "", "name": ""}',
    ],
)
def test_a_broken_state_file_counts_as_none(instance: Instance, content: bytes) -> None:
    instance.state_path.write_bytes(content)
    instance.state_path.chmod(0o600)
    assert instance.read() is None


def test_different_models_have_different_instances(
    instance: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Instance.of(tmp_path / "model.gguf") == instance
    assert Instance.of(tmp_path / "x" / ".." / "model.gguf") == instance
    assert Instance.of(tmp_path / "other.gguf") != instance
    monkeypatch.setattr(states.platform, "node", lambda: "another-machine")
    assert Instance.of(tmp_path / "model.gguf") != instance


def test_a_process_is_known_by_its_number_its_birth_and_its_command() -> None:
    created = psutil.Process().create_time()
    assert process_is(os.getpid(), created)
    assert not process_is(os.getpid(), created - 1000), "the number was used again"
    assert not process_is(os.getpid(), created, command_part="sirdab.endpoint.managed.engine")
    assert not process_is(2**22 + 1, created)
    assert not process_is(-1, created)
    assert not process_is(2**70, created)
    assert not own_state().is_alive(), "this process is no engine"


def test_a_finished_child_nobody_waited_for_is_not_alive() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as child:
        created = psutil.Process(child.pid).create_time()
        assert process_is(child.pid, created)
        child.kill()
        psutil.wait_procs([psutil.Process(child.pid)], timeout=0)
        while process_is(child.pid, created):
            pass
        assert not process_is(child.pid, created)


def test_leases_of_processes_that_ended_are_removed(instance: Instance) -> None:
    instance.take_lease()
    ended = instance.leases / "999999999-1000"
    ended.touch()
    reused = instance.leases / f"{os.getpid()}-1000"
    reused.touch()
    nonsense = instance.leases / "nonsense"
    nonsense.touch()
    assert set(instance.living_leases()) == {os.getpid()}
    assert not ended.exists()
    assert not reused.exists()
    assert not nonsense.exists()
    instance.drop_lease()
    assert instance.living_leases() == {}


def test_a_lease_taken_again_is_a_sign_of_life(instance: Instance) -> None:
    instance.take_lease()
    (lease,) = instance.leases.iterdir()
    os.utime(lease, (1, 1))
    assert instance.living_leases() == {os.getpid(): 1.0}
    instance.take_lease()
    assert instance.living_leases()[os.getpid()] > 1.0


def test_a_url_that_is_not_loopback_is_never_asked(instance: Instance) -> None:
    from sirdab.endpoint.managed import server

    for url in ("http://example.invalid:80", "http://127.0.0.1", "https://[::1]:5", "nonsense"):
        assert not server._answers(replace(own_state(), url=url))
