"""`sirdab model` beyond the catalog: pins, versions, the journal, and the models of servers."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sirdab.cli.main import main
from sirdab.models import catalog, journal, pins, store
from sirdab.models.catalog import DEFAULT_MODEL
from tests.support.background import in_background
from tests.support.doubles.ollama import Installed, OllamaDouble
from tests.support.gguf import gguf
from tests.unit.models.test_versions import DIGESTS, FILES, download, publish

UNICODE = "größe-模型:7b"
OLLAMA_DIGEST = "ab" * 32


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with two versions of one model; the second is the published one."""
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    for name in ("OLLAMA_MODELS", "HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("SIRDAB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("SIRDAB_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("SIRDAB_CONFIG", str(tmp_path / "config.toml"))
    (tmp_path / "config.toml").write_text("# mine\n", encoding="utf-8")
    for number in (0, 1):
        publish(monkeypatch, number)
        download(number)
    return tmp_path


@pytest.fixture
def ollama(monkeypatch: pytest.MonkeyPatch) -> Iterator[OllamaDouble]:
    double = OllamaDouble()
    double.installed[UNICODE] = Installed(digest=OLLAMA_DIGEST, size=4_700_000_000)
    with in_background(double):
        monkeypatch.setenv("SIRDAB_DISCOVERY_PORTS", double.url.rpartition(":")[2])
        yield double


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["model", *arguments])
    shown = capsys.readouterr()
    if code:
        assert shown.err.count("\n") == 1, shown.err
    return code, shown.out, shown.err


def in_use() -> bytes:
    return store.find("auto").path.read_bytes()


def actions() -> list[tuple[str, str, str]]:
    return [(entry.action, entry.model, entry.digest) for entry in journal.read()]


def test_back_to_the_file_before_and_forward_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert in_use() == FILES[1]
    code, out, _ = run(capsys, "rollback")
    assert (code, in_use()) == (0, FILES[0])
    assert f"{DEFAULT_MODEL} is now {DIGESTS[0][:12]}" in out
    assert f"instead of {DIGESTS[1][:12]}" in out
    code, _, err = run(capsys, "rollback", DEFAULT_MODEL)
    assert (code, in_use()) == (1, FILES[0])
    assert "is kept from before" in err
    assert run(capsys, "pin", DEFAULT_MODEL, "--remove")[0] == 0
    assert in_use() == FILES[1]
    assert actions() == [
        ("rollback", DEFAULT_MODEL, DIGESTS[0]),
        ("unpin", DEFAULT_MODEL, ""),
    ]


def test_a_damaged_file_is_not_gone_back_to(capsys: pytest.CaptureFixture[str]) -> None:
    (version,) = store.earlier_versions(catalog.default_model())
    version.path.write_bytes(FILES[2])
    code, _, err = run(capsys, "rollback")
    assert (code, in_use()) == (1, FILES[1])
    assert "is damaged" in err


@pytest.mark.parametrize(
    ("written", "digest"),
    [
        ([], DIGESTS[1]),
        ([DEFAULT_MODEL], DIGESTS[1]),
        ([f"{DEFAULT_MODEL}@{DIGESTS[0][:8]}"], DIGESTS[0]),
        ([f"{DEFAULT_MODEL}@sha256:{DIGESTS[0].upper()}"], DIGESTS[0]),
    ],
)
def test_pinning(capsys: pytest.CaptureFixture[str], written: list[str], digest: str) -> None:
    code, out, _ = run(capsys, "pin", *written)
    assert code == 0
    assert f"is pinned to {digest}" in out
    pin = pins.pin_of(DEFAULT_MODEL)
    assert pin is not None
    assert pin.digest == digest
    assert in_use() == FILES[DIGESTS.index(digest)]
    assert actions() == [("pin", DEFAULT_MODEL, digest)]


def test_a_pin_holds_against_another_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(capsys, "pin")[0] == 0
    publish(monkeypatch, 2)
    code, _, err = run(capsys, "pull", "--yes")
    assert (code, in_use()) == (0, FILES[1]), err
    (store.store_directory() / catalog.default_model().file).write_bytes(FILES[3])
    code, _, err = run(capsys, "pull", "--yes")
    assert code == 1
    assert "is pinned to" in err
    (row,) = json.loads(run(capsys, "list", "--json")[1])
    assert "is pinned to" in row["problem"]
    assert row["pinned"] == DIGESTS[1]
    assert row["versions"] == [DIGESTS[0]]
    # The remedy that the sentence names.
    assert run(capsys, "pin", DEFAULT_MODEL)[0] == 0
    assert in_use() == FILES[3]


def test_the_file_of_a_path_is_pinned(capsys: pytest.CaptureFixture[str], machine: Path) -> None:
    path = machine / "my@model größe.gguf"
    path.write_bytes(gguf())
    code, out, _ = run(capsys, "pin", str(path))
    assert code == 0, out
    assert list(pins.read()) == [str(path)]
    assert run(capsys, "use", str(path))[0] == 0
    path.write_bytes(gguf(data=512))
    code, _, err = run(capsys, "use", str(path))
    assert code == 1
    assert "is pinned to" in err


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["pin", "nope"], 2, 'There is no model "nope"'),
        (["pin", f"{DEFAULT_MODEL}@xyz"], 2, '"xyz" is not a digest'),
        (["pin", f"{DEFAULT_MODEL}@{'9' * 12}"], 1, "begins with 999999999999; what is here: "),
        (["pin", DEFAULT_MODEL, "--remove"], 1, "is not pinned"),
        (["pin", "/none/x.gguf"], 1, "There is no model file"),
        (["rollback", "nope"], 2, 'There is no model "nope"'),
        (["remove", "nope"], 2, 'There is no model "nope"'),
        (["pull", "ollama:"], 2, "is no name of a model of Ollama"),
        (["pull", "ollama:qwen2.5-coder:7b", "--yes"], 1, "No server of Ollama answers"),
        (["remove", "ollama:x"], 1, "No server of Ollama that answers has a model x"),
        (["log", "extra"], 2, "unexpected extra argument"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, sentence: str
) -> None:
    found, out, err = run(capsys, *arguments)
    assert (found, out) == (code, "")
    assert sentence in err
    assert "Invalid value" not in err


def test_removing_keeps_the_files_before_unless_all_are_meant(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, _ = run(capsys, "remove", DEFAULT_MODEL)
    assert code == 0
    assert "1 earlier file(s)" in out
    assert len(store.earlier_versions(catalog.default_model())) == 1
    assert run(capsys, "rollback")[0] == 1, "nothing is in use that one could go back from"
    pins.set_pin(pins.Pin(DEFAULT_MODEL, DIGESTS[0], len(FILES[0])))
    assert run(capsys, "remove", DEFAULT_MODEL, "--all-versions")[0] == 0
    assert store.earlier_versions(catalog.default_model()) == []
    assert pins.read() == {}
    assert [action for action, _, _ in actions()] == ["remove", "remove"]


def test_the_log_is_printed_for_people_and_programs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "No change of a model was recorded" in run(capsys, "log")[1]
    journal.record("pull", UNICODE, digest=OLLAMA_DIGEST, size_bytes=2_000_000, source="Ollama")
    line = run(capsys, "log")[1]
    assert f"pull      {UNICODE}  {OLLAMA_DIGEST[:12]}  2 MB  (Ollama)" in line
    (entry,) = json.loads(run(capsys, "log", "--json")[1])
    assert set(entry) == {"time", "action", "model", "digest", "size_bytes", "source"}
    assert (entry["model"], entry["digest"]) == (UNICODE, OLLAMA_DIGEST)


def test_models_of_a_server_are_listed(
    capsys: pytest.CaptureFixture[str], ollama: OllamaDouble
) -> None:
    rows = {row["id"]: row for row in json.loads(run(capsys, "list", "--json")[1])}
    row = rows[f"ollama:{UNICODE}"]
    assert (row["server"], row["sha256"], row["digest"]) == (
        ollama.url,
        OLLAMA_DIGEST,
        OLLAMA_DIGEST[:12],
    )
    assert (row["use"], row["path"], row["loaded"]) == (UNICODE, None, False)
    assert row["licence"]
    out = run(capsys, "list")[1]
    assert f"ollama:{UNICODE}" in out
    assert run(capsys, "show", f"ollama:{UNICODE}")[0] == 0


def test_names_of_others_do_not_reach_the_terminal_as_commands(
    capsys: pytest.CaptureFixture[str], ollama: OllamaDouble
) -> None:
    name = "odd\x1b]0;x\x07\n* mine:7b"
    ollama.installed = {name: Installed(quantization="Q4\x1b[31m", licence="\x1b[2JMine")}
    out = run(capsys, "list")[1] + run(capsys, "show", f"ollama:{name}")[1]
    assert "\x1b" not in out
    assert "\n* mine" not in out
    assert r"odd\x1b]0;x\x07\n* mine:7b" in out


def test_a_model_that_is_used_by_its_path_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    path = store.find("auto").path
    assert run(capsys, "use", str(path))[0] == 0
    rows = {row["id"]: row for row in json.loads(run(capsys, "list", "--json")[1])}
    assert rows[DEFAULT_MODEL]["path"] == str(path)
    assert rows[DEFAULT_MODEL]["selected"]


def test_a_pull_says_that_a_pin_keeps_another_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert "pinned" not in run(capsys, "pull")[1]
    assert run(capsys, "rollback")[0] == 0
    code, out, _ = run(capsys, "pull")
    assert code == 0
    assert "not the published file" in out
    assert f"sirdab model pin {DEFAULT_MODEL} --remove" in out


@pytest.mark.parametrize("command", ["use", "show", "pin"])
def test_a_name_that_no_file_can_have_is_one_sentence(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    code, _, err = run(capsys, command, f"/{'a' * 5_000}.gguf")
    assert code in (1, 2)
    assert "fault of Sirdab" not in err


def test_a_servers_model_is_used_and_pinned(
    capsys: pytest.CaptureFixture[str], ollama: OllamaDouble, machine: Path
) -> None:
    assert run(capsys, "use", f"ollama:{UNICODE}")[0] == 0
    config = (machine / "config.toml").read_text(encoding="utf-8")
    assert config == f'# mine\n\n[endpoint]\nmodel = "{UNICODE}"\n'
    assert run(capsys, "pin")[0] == 0
    ollama.installed[UNICODE].digest = "cd" * 32
    code, _, err = run(capsys, "use", UNICODE)
    assert code == 1
    assert "is pinned to abababababab, and what is here is cdcdcdcdcdcd" in err
    rows = {row["id"]: row for row in json.loads(run(capsys, "list", "--json")[1])}
    assert "is pinned to" in rows[f"ollama:{UNICODE}"]["problem"]
    code, _, err = run(capsys, "rollback", UNICODE)
    assert code == 1
    assert "is not in Sirdab's own store" in err


def test_ollama_pulls_after_asking(
    capsys: pytest.CaptureFixture[str], ollama: OllamaDouble
) -> None:
    code, out, err = run(capsys, "pull", "ollama:qwen2.5-coder:7b")
    assert code == 2
    assert "add --yes to download qwen2.5-coder:7b" in err
    assert not [one for one in ollama.requests if one.path == "/api/pull"]
    code, out, _ = run(capsys, "pull", "ollama:qwen2.5-coder:7b", "--yes")
    assert code == 0
    assert f"Ollama at {ollama.url} downloads qwen2.5-coder:7b from its own registry" in out
    (request,) = [one for one in ollama.requests if one.path == "/api/pull"]
    assert request.body["model"] == "qwen2.5-coder:7b"
    assert actions() == [("pull", "ollama:qwen2.5-coder:7b", "")]


def test_a_name_goes_to_the_ollama_of_the_settings_alone(
    capsys: pytest.CaptureFixture[str], ollama: OllamaDouble, machine: Path
) -> None:
    code, _, err = run(capsys, "pull", "codellama:7b", "--yes")
    assert code == 2
    assert 'There is no model "codellama:7b"' in err
    (machine / "config.toml").write_text(f'[endpoint]\nurl = "{ollama.url}"\n')
    assert run(capsys, "pull", "codellama:7b", "--yes")[0] == 0


def test_what_ollama_cannot_pull_is_one_sentence(
    capsys: pytest.CaptureFixture[str], ollama: OllamaDouble
) -> None:
    ollama.pulling = ('{"error":"pull model manifest: file does not exist"}',)
    code, _, err = run(capsys, "pull", "ollama:nope", "--yes")
    assert code == 1
    assert "Ollama's library has no model nope" in err
    assert actions() == []


def test_ollama_deletes_after_asking(
    capsys: pytest.CaptureFixture[str], ollama: OllamaDouble
) -> None:
    code, _, err = run(capsys, "remove", f"ollama:{UNICODE}")
    assert code == 2
    assert "add --yes" in err
    assert run(capsys, "remove", f"ollama:{UNICODE}", "--yes")[0] == 0
    assert any(one.method == "DELETE" for one in ollama.requests)
    assert actions() == [("remove", f"ollama:{UNICODE}", OLLAMA_DIGEST)]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_store_that_cannot_be_written_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(monkeypatch, 2)
    store.store_directory().chmod(0o500)
    code, _, err = run(capsys, "pull", "--yes")
    assert code == 1
    assert "SIRDAB_CACHE_DIR" in err


def test_files_of_the_users_own_are_listed(
    capsys: pytest.CaptureFixture[str], machine: Path
) -> None:
    own = store.store_directory() / "starcoder2-3b-Q5_K_M.gguf"
    own.write_bytes(gguf())
    theirs = machine / "home" / ".lmstudio" / "models" / "a" / "b" / "mellum-4b-base.Q8_0.gguf"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(gguf())
    rows = {row["id"]: row for row in json.loads(run(capsys, "list", "--json")[1])}
    assert (rows[str(own)]["quantisation"], rows[str(own)]["origin"]) == ("Q5_K_M", "sirdab")
    assert (rows[str(theirs)]["quantisation"], rows[str(theirs)]["origin"]) == ("Q8_0", "lm-studio")
    assert rows[str(own)]["fills_in"]


@pytest.mark.skipif(os.name != "posix", reason="a Ctrl-C is sent as a signal here")
def test_ctrl_c_says_what_is_kept(machine: Path) -> None:
    # The real command in a process of its own, fed by a source that never ends.
    program = (
        "import signal, sys, time\n"
        # Who runs the tests in the background of a shell has interrupts ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from sirdab.endpoint.managed import pull\n"
        "class Slow:\n"
        "    title, scratch_bytes = 'a slow source', 0\n"
        "    def fetch(self, sink):\n"
        "        sink.write(b'x' * 3_000_000)\n"
        "        sink.flush()\n"
        "        print('fetching', flush=True)\n"
        "        time.sleep(60)\n"
        "pull.sources_of = lambda model: [Slow()]\n"
        "from sirdab.cli.main import main\n"
        "sys.exit(main(['model', 'pull', '--yes']))\n"
    )
    environment = {**os.environ, "SIRDAB_CACHE_DIR": str(machine / "other")}
    environment["HOME"] = str(machine / "home")
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if line == "fetching\n":
                break
        time.sleep(0.1)
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=30)
    assert child.returncode == 130
    assert "Stopped; 3 MB of 491 MB are kept in " in err
    assert "Traceback" not in err
    (part,) = (machine / "other" / "models").glob("*.part")
    assert part.stat().st_size == 3_000_000


@pytest.mark.parametrize("name", ["pin", "rollback", "log"])
def test_every_command_has_an_example(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert f"Example: sirdab model {name}" in run(capsys, name, "--help")[1]
