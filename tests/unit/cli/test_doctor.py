"""`sirdab doctor`: rows a person can act on, and a JSON report whose keys stay."""

import json
import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import UnionType
from typing import Any

import pytest

from sirdab.cli.checks import advice, editors, machine, model, privacy
from sirdab.cli.checks.editors import EDITORS
from sirdab.cli.checks.report import Verdict
from sirdab.cli.checks.round_trip import RoundTrip, Timing, check
from sirdab.cli.main import main
from sirdab.config.schema import EndpointSettings, PrivacySettings, Settings
from sirdab.endpoint.base import ModelInfo
from sirdab.models import pins
from sirdab.models.gpus import Gpu
from sirdab.models.hardware import Cpu, Hardware
from sirdab.models.pins import Pin
from tests.support.background import in_background
from tests.support.doubles.ollama import Installed, OllamaDouble
from tests.support.fake_llamacpp import FakeLlamaCpp

GIB = 1 << 30
CPU = Cpu("Some Processor", 4, 8, ("AVX2",))
CARD = Gpu("nvidia", "Some Card", 12 * GIB, 11 * GIB, "nvml")

# The documented keys of the report (`sirdab.cli.doctor`), with the types of their values.
TIMING = {
    "first_token_ms": float | None,
    "total_ms": float,
    "prompt_tokens": int,
    "evaluated_tokens": int,
    "generated_tokens": int,
    "read_per_second": float | None,
}
REPORT: dict[str, Any] = {
    "version": str,
    "ok": bool,
    "checks": [{"name": str, "verdict": str, "detail": str}],
    "python": {"version": str, "executable": str, "installation": str},
    "settings": {"path": str, "exists": bool, "problems": [str]},
    "editors": [
        {
            "name": str,
            "path": str,
            "version": str,
            "is_new_enough": bool | None,
            "has_extension": bool | None,
            "hint": str,
        }
    ],
    "hardware": {
        "cpu": {"name": str, "physical_cores": int, "logical_cores": int, "features": [str]},
        "ram_bytes": int,
        "ram_free_bytes": int,
        "gpus": [
            {
                "vendor": str,
                "name": str,
                "total_bytes": int,
                "free_bytes": int | None,
                "source": str,
                "is_shared": bool,
            }
        ],
    },
    "policy": {
        "allow_remote": bool | str,
        "remote_hosts": [str],
        "exclude": [str],
        "redact_secrets": bool,
        "audit": bool,
        "audit_path": str,
        "audit_records": int,
    },
    "servers": [
        {
            "url": str,
            "kind": str,
            "title": str,
            "is_configured": bool,
            "is_loading": bool,
            "problem": str,
            "models": [
                {
                    "name": str,
                    "size_bytes": int,
                    "parameters": int,
                    "quantisation": str,
                    "digest": str,
                    "is_loaded": bool | None,
                    "context_tokens": int,
                    "family": str,
                    "fills_in": bool,
                    "licence": str,
                }
            ],
            "on_gpu": dict,
        }
    ],
    "model": {
        "name": str,
        "url": str,
        "server": str,
        "is_embedded": bool,
        "was_warm": bool | None,
        "context_tokens": int,
        "family": str,
        "family_title": str,
        "fills_in": bool,
        "layouts": [str],
        "known_by": str,
        "problem": str,
        "abilities": [str],
    },
    "round_trip": {
        "gap": str,
        "expected": str,
        "wrote": str,
        "is_right": bool,
        "layout": str,
        "cold": TIMING,
        "warm": TIMING,
        "problem": str,
        "reason": str,
    },
    "gpu_unused": bool,
    "recommendation": {
        "name": str,
        "quantisation": str,
        "place": str,
        "reason": str,
        "how": str,
        "weights_bytes": int,
        "needed_bytes": int,
        "available_bytes": int,
        "context_tokens": int,
        "licence": str,
    },
    "memory": [
        {
            "name": str,
            "quantisation": str,
            "weights_bytes": int,
            "needed_bytes": dict,
            "fits": bool,
        }
    ],
}
# These are null where there is nothing to say.
MAY_BE_NULL = {"model", "round_trip", "recommendation", "cold", "warm"}


def assert_shape(value: Any, shape: Any, where: str = "") -> None:
    """Fail where a report lacks a documented key, or has a value of another type under it."""
    if isinstance(shape, dict):
        if value is None and where.rpartition(".")[2] in MAY_BE_NULL:
            return
        assert isinstance(value, dict), where
        for key, inner in shape.items():
            assert key in value, f"{where}.{key}"
            assert_shape(value[key], inner, f"{where}.{key}")
    elif isinstance(shape, list):
        assert isinstance(value, list), where
        for one in value:
            assert_shape(one, shape[0], f"{where}[]")
    else:
        assert isinstance(shape, type | UnionType)
        assert isinstance(value, shape), f"{where}: {value!r}"


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without models, settings or a past."""
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    for name in ("OLLAMA_MODELS", "HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("SIRDAB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("SIRDAB_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("SIRDAB_CONFIG", str(tmp_path / "config.toml"))
    (tmp_path / "config.toml").write_text("")
    return tmp_path


def report(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = main(["doctor", "--json", *arguments])
    out = capsys.readouterr().out
    found = json.loads(out)
    assert_shape(found, REPORT)
    assert code == (0 if found["ok"] else 1)
    assert found["ok"] == all(row["verdict"] != "failed" for row in found["checks"])
    return code, found


def row(found: dict[str, Any], name: str) -> dict[str, str]:
    return next(one for one in found["checks"] if one["name"] == name)


def test_without_any_model_the_main_job_does_not_work(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = report(capsys)
    assert code == 1
    assert (found["model"], found["round_trip"]) == (None, None)
    assert "sirdab model pull" in row(found, "Endpoint")["detail"]
    assert found["recommendation"]["how"].startswith("sirdab model pull ")


@pytest.fixture
def llamacpp() -> Iterator[FakeLlamaCpp]:
    # As a model does, it begins with what the request says that the answer begins with.
    with in_background(FakeLlamaCpp(answer=[" a", " +", " b"])) as fake:
        yield fake


def test_a_server_that_was_only_found_is_never_sent_the_key(
    capsys: pytest.CaptureFixture[str],
    llamacpp: FakeLlamaCpp,
    monkeypatch: pytest.MonkeyPatch,
    empty: Path,
) -> None:
    monkeypatch.setenv("SIRDAB_DISCOVERY_PORTS", str(llamacpp.port))
    monkeypatch.setenv("HOUSE_KEY", "only for the server that is named")
    (empty / "config.toml").write_text('[endpoint]\napiKeyEnv = "HOUSE_KEY"\n')
    found = report(capsys)[1]
    assert [server["kind"] for server in found["servers"]] == ["llamacpp"]
    sent = {name.lower() for one in llamacpp.requests for name in one.headers}
    assert sent
    assert "authorization" not in sent


def test_a_server_that_fills_the_gap(
    capsys: pytest.CaptureFixture[str], llamacpp: FakeLlamaCpp
) -> None:
    code, found = report(capsys, "--url", llamacpp.url)
    assert code == 0
    trip = found["round_trip"]
    assert (trip["expected"], trip["is_right"]) == ("a + b", True)
    assert trip["cold"]["total_ms"] > 0
    assert trip["warm"] is not None
    assert found["model"]["url"] == llamacpp.url
    assert found["model"]["fills_in"]
    (server,) = found["servers"]
    assert (server["kind"], server["is_configured"]) == ("llamacpp", True)
    prompts = [str(one.body["prompt"]) for one in llamacpp.asked("/completion")]
    # The gap is a new one for the server, and warm is the very same again.
    assert prompts[-1] == prompts[-2]
    assert main(["doctor", "--url", llamacpp.url]) == 0
    again = [str(one.body["prompt"]) for one in llamacpp.asked("/completion")]
    assert again[-1] != prompts[-1]


def test_what_the_model_writes_instead_is_shown(
    capsys: pytest.CaptureFixture[str], llamacpp: FakeLlamaCpp
) -> None:
    llamacpp.answer = [" result", "_of", "_sum"]
    code, found = report(capsys, "--url", llamacpp.url)
    assert code == 0, "it works, only not well"
    assert not found["round_trip"]["is_right"]
    completion = row(found, "Completion")
    assert completion["verdict"] == "warning"
    assert '"a + b" stood there' in completion["detail"]


def test_a_server_that_is_loading_is_a_warning(
    capsys: pytest.CaptureFixture[str], llamacpp: FakeLlamaCpp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sirdab.cli.doctor.LIMIT_S", 1.5)
    llamacpp.loading = True
    code, found = report(capsys, "--url", llamacpp.url)
    assert found["servers"][0]["is_loading"]
    endpoint = row(found, "Endpoint")
    assert (code, endpoint["verdict"]) == (0, "warning")
    assert "loading" in endpoint["detail"]


@pytest.fixture
def mute() -> Iterator[int]:
    """A port that accepts connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_an_endpoint_that_hangs_is_a_row(
    capsys: pytest.CaptureFixture[str], mute: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sirdab.cli.servers.PATIENCE_S", 0.3)
    monkeypatch.setattr("sirdab.cli.servers.find_servers.__defaults__", (0.3,))
    monkeypatch.setattr("sirdab.cli.doctor.LIMIT_S", 2.0)
    monkeypatch.setenv("SIRDAB_DISCOVERY_PORTS", str(mute))
    began = time.monotonic()
    _, found = report(capsys)
    assert "accepts connections and did not answer" in row(found, "Server")["detail"]
    code, found = report(capsys, "--url", f"http://127.0.0.1:{mute}")
    assert code == 1
    assert found["servers"][0]["is_configured"]
    assert any(one["verdict"] == "failed" for one in found["checks"])
    # Not a measurement: it would be minutes if anything waited for the endpoint.
    assert time.monotonic() - began < 60


def test_a_server_that_hangs_is_not_waited_for_where_there_is_another(
    capsys: pytest.CaptureFixture[str],
    mute: int,
    llamacpp: FakeLlamaCpp,
    empty: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sirdab.cli.servers.find_servers.__defaults__", (0.5,))
    monkeypatch.setenv("SIRDAB_DISCOVERY_PORTS", "")
    urls = [f"http://127.0.0.1:{mute}", llamacpp.url]
    (empty / "config.toml").write_text(f"[endpoint]\nurl = {urls}\n")
    code, found = report(capsys)
    assert (code, found["model"]["url"]) == (0, llamacpp.url)
    assert "did not answer" in row(found, "Server")["detail"]


def test_a_refused_address_is_a_warning_where_another_one_works(
    capsys: pytest.CaptureFixture[str], llamacpp: FakeLlamaCpp, empty: Path
) -> None:
    urls = ["http://198.51.100.1", llamacpp.url]
    (empty / "config.toml").write_text(f"[endpoint]\nurl = {urls}\n")
    code, found = report(capsys)
    locality = row(found, "Locality")
    assert (code, locality["verdict"]) == (0, "warning")
    assert "endpoint.allowRemote" in locality["detail"]


def test_names_of_others_do_not_reach_the_terminal_as_commands(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    double = OllamaDouble()
    double.installed = {"odd\x1b]0;x\x07\nok       Locality:7b": Installed()}
    with in_background(double):
        monkeypatch.setenv("SIRDAB_DISCOVERY_PORTS", double.url.rpartition(":")[2])
        main(["doctor"])
    out = capsys.readouterr().out
    assert r"odd\x1b]0;x\x07\n" in out
    assert "\x1b" not in out


def test_what_is_no_model_server_is_nobodys_concern(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its own name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        monkeypatch.setenv("SIRDAB_DISCOVERY_PORTS", str(site.server_port))
        _, found = report(capsys)
        site.shutdown()
    assert found["servers"] == []


def test_ollama_is_found_with_all_it_has(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with in_background(OllamaDouble(pieces=[" a", " +", " b"])) as double:
        double.loaded = {double.model: 8192}
        monkeypatch.setenv("SIRDAB_DISCOVERY_PORTS", double.url.rpartition(":")[2])
        _, found = report(capsys)
    (server,) = found["servers"]
    assert (server["kind"], server["title"], server["on_gpu"]) == (
        "ollama",
        "Ollama",
        {double.model: 0.0},
    )
    assert server["models"][0]["licence"]
    assert found["model"]["server"] == "ollama"
    assert found["model"]["was_warm"] is True


def test_a_servers_model_that_is_not_the_pinned_one_is_a_warning(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with in_background(OllamaDouble(pieces=[" a", " +", " b"])) as double:
        monkeypatch.setenv("SIRDAB_DISCOVERY_PORTS", double.url.rpartition(":")[2])
        pins.set_pin(Pin(f"ollama:{double.model}", double.installed[double.model].digest))
        assert row(report(capsys)[1], "Pin")["verdict"] == "ok"
        double.installed[double.model].digest = "cd" * 32
        pin = row(report(capsys)[1], "Pin")
    assert pin["verdict"] == "warning"
    assert "what is here is cdcdcdcdcdcd, so it is not used" in pin["detail"]


INFO = ModelInfo("qwen2.5-coder-7b", "", 8192, "http://127.0.0.1:8080")


def _trip(read_per_second: float | None, evaluated: int = 60) -> RoundTrip:
    timing = Timing(10.0, 100.0, 60, evaluated, 4, read_per_second)
    return RoundTrip("a + b", True, "psm", timing, timing)


@pytest.mark.parametrize(
    ("gpu", "changes", "said"),
    [
        (None, {"is_embedded": True}, None),
        (CARD, {"is_embedded": True}, "the embedded engine computes on the processor"),
        (CARD, {"on_gpu": 0.0}, "Ollama runs qwen2.5-coder-7b on the processor"),
        (CARD, {"on_gpu": 0.6}, "only 60% of qwen2.5-coder-7b is on Some Card"),
        (CARD, {"on_gpu": 1.0, "trip": _trip(10)}, None),
        # A 7B model on two cores, and on a card.
        (CARD, {"trip": _trip(20)}, "reads only 20 tokens/s, as a processor does"),
        (CARD, {"trip": _trip(2_000)}, None),
        (CARD, {"trip": _trip(20, evaluated=3)}, None),
        (CARD, {"trip": _trip(None)}, None),
        (CARD, {"trip": _trip(20), "parameters": 0}, None),
        # What another machine has is not seen from here.
        (CARD, {"trip": _trip(20), "url": "https://gpu.example:8080"}, None),
        (Gpu("amd", "iGPU", GIB, None, "sysfs"), {"is_embedded": True}, None),
    ],
)
def test_a_gpu_that_is_idle_is_called_out(
    gpu: Gpu | None, changes: dict[str, Any], said: str | None
) -> None:
    hardware = Hardware(CPU, 16 * GIB, 8 * GIB, (gpu,) if gpu else ())
    facts: dict[str, Any] = {
        "parameters": 7.6e9,
        "is_embedded": False,
        "on_gpu": None,
        "trip": _trip(5_000),
        **changes,
    }
    url = facts.pop("url", INFO.url)
    info = ModelInfo(INFO.name, "", 8192, url)
    found = model.processor_note(hardware, info, **facts)
    if said is None:
        assert found is None
    else:
        assert found is not None
        assert found.verdict is Verdict.WARNING
        assert said in found.detail


def test_no_answer_is_a_failure() -> None:
    for reason in ("endpoint", "internal", "no-answer"):
        trip = RoundTrip("", False, "", None, None, "It went wrong.", reason)
        assert check(trip).verdict is Verdict.FAILED
        assert "It went wrong." in check(trip).detail


@pytest.mark.parametrize(
    ("name", "printed", "version", "is_new_enough", "said"),
    [
        ("VS Code", "1.105.1\nabcdef\nx64\n", "1.105.1", True, "extension is not installed"),
        ("VS Code", "1.90.2\nabcdef\nx64\n", "1.90.2", False, "needs 1.91 or newer"),
        ("VSCodium", "1.105.17075\n", "1.105.17075", True, "extension"),
        ("code-server", "4.104.2 0f4a1f7 with Code 1.104.2\n", "4.104.2", True, "extension"),
        ("Neovim", "NVIM v0.12.0-dev-1+g\nBuild type: Release\n", "0.12.0", True, "its own"),
        ("Neovim", "NVIM v0.10.4\n", "0.10.4", True, "the plugin in clients/neovim draws"),
        ("Neovim", "NVIM v0.9.5\n", "0.9.5", False, "needs 0.10 or newer"),
        ("Emacs", "GNU Emacs 30.1\nCopyright (C) 2025\n", "30.1", True, "completion menu"),
        ("Helix", "helix 25.07.1 (a05c151b)\n", "25.07.1", True, "completion menu"),
        ("Vim", "VIM - Vi IMproved 9.1 (2024 Jan 02)\n", "9.1", True, ""),
        ("Zed", "Zed 0.210.4 – /usr/libexec/zed-editor\n", "0.210.4", True, ""),
        ("Sublime Text", "Sublime Text Build 4200\n", "4200", True, ""),
        ("Neovim", None, "", None, "did not tell its version in time"),
        ("Vim", "something else\n", "", None, "did not tell its version in time"),
    ],
)
@pytest.mark.skipif(os.name != "posix", reason="programs are found by their permissions here")
def test_editors_and_their_versions(
    name: str,
    printed: str | None,
    version: str,
    is_new_enough: bool | None,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    editor = next(one for one in EDITORS if one.name == name)
    program = tmp_path / "bin" / editor.programs[0]
    program.parent.mkdir()
    program.write_text("")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    asked: list[Sequence[str]] = []

    def run(command: Sequence[str]) -> str | None:
        asked.append(command)
        return printed

    found = editors.look(run, (editor,))
    assert asked == [(str(program), "--version")]
    (one,) = found.facts["editors"]
    assert (one["version"], one["is_new_enough"], one["path"]) == (
        version,
        is_new_enough,
        str(program),
    )
    assert said in found.checks[0].detail
    assert (found.checks[0].verdict is Verdict.WARNING) == (is_new_enough is False)


def test_sirdabs_extension_is_seen(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (empty / "home" / ".vscode" / "extensions" / "sirdab.sirdab-0.1.0").mkdir(parents=True)
    program = empty / "bin" / "code"
    program.parent.mkdir()
    program.write_text("")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    code = next(one for one in EDITORS if one.name == "VS Code")
    found = editors.look(lambda _: "1.105.1\n", (code,))
    assert found.facts["editors"][0]["has_extension"] is True
    assert "with Sirdab's extension" in found.checks[0].detail


def test_without_an_editor_the_documents_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    found = editors.look(lambda _: None, (next(one for one in EDITORS if not one.places),))
    assert found.checks[0].verdict is Verdict.WARNING
    assert "docs/editors" in found.checks[0].detail


@pytest.mark.parametrize(
    ("endpoint", "verdict", "said"),
    [
        (EndpointSettings(), Verdict.OK, "on this machine only"),
        (EndpointSettings(url="http://127.0.0.1:8012"), Verdict.OK, "on this machine only"),
        (EndpointSettings(url="http://198.51.100.1"), Verdict.FAILED, "endpoint.allowRemote"),
        (
            EndpointSettings(url=("http://198.51.100.1", "http://198.51.100.2")),
            Verdict.FAILED,
            "198.51.100.2",
        ),
        (
            EndpointSettings(url=("http://198.51.100.1", "https://gpu.example"), allow_remote=True),
            Verdict.WARNING,
            "also sent over the network to gpu.example",
        ),
        (
            EndpointSettings(url=("auto", "https://gpu.example"), allow_remote=True),
            Verdict.WARNING,
            "sent over the network to gpu.example, over an encrypted connection",
        ),
        (
            EndpointSettings(url="http://gpu.example", allow_remote="without-tls"),
            Verdict.WARNING,
            "not encrypted on its way to gpu.example",
        ),
        (EndpointSettings(allow_remote=True), Verdict.WARNING, "set it to false"),
    ],
)
def test_where_code_may_go(endpoint: EndpointSettings, verdict: Verdict, said: str) -> None:
    found = privacy.look(Settings(endpoint=endpoint))
    assert found.checks[0].verdict is verdict
    assert said in found.checks[0].detail


def test_what_is_kept_and_what_is_kept_out(empty: Path) -> None:
    trail = empty / "state" / "audit.jsonl"
    trail.parent.mkdir()
    trail.write_text("{}\n{}\n")
    (empty / "state" / "audit.jsonl.1").write_text("{}\n")
    found = privacy.look(Settings(privacy=PrivacySettings(exclude=("*.sql",))))
    assert found.facts["policy"]["audit_records"] == 3
    assert "1 pattern(s) of yours" in found.checks[1].detail
    assert "config.json" in found.checks[1].detail
    bare = privacy.look(Settings(privacy=PrivacySettings(redact_secrets=False, audit=False)))
    assert bare.checks[1].verdict is Verdict.WARNING
    assert "off (privacy.audit is false)" in bare.checks[2].detail


@pytest.mark.parametrize(
    ("gpus", "features", "said"),
    [
        ((), ("AVX2",), "none that models run on"),
        ((CARD,), ("AVX2",), "11.0 GiB free of 12.0 GiB (nvml)"),
        ((), ("AVX",), "without AVX2 a model is several times slower"),
        ((Gpu("amd", "iGPU", GIB // 2, None, "sysfs"),), (), "too little for a model"),
        ((Gpu("apple", "Apple M1 GPU", 10 * GIB, None, "", True),), (), "up to 10.0 GiB"),
        ((Gpu("nvidia", "Odd", 0, None, "nvml"),), (), "memory not known"),
    ],
)
def test_the_machine_in_words(gpus: tuple[Gpu, ...], features: tuple[str, ...], said: str) -> None:
    hardware = Hardware(Cpu("P", 1, 2, features), 16 * GIB, 8 * GIB, gpus)
    details = " ".join(one.detail for one in machine.describe(hardware).checks)
    assert said in details
    assert "8.0 GiB free of 16.0 GiB" in details


def test_advice_for_a_gpu_names_who_can_use_it() -> None:
    found = advice.look(Hardware(CPU, 16 * GIB, 8 * GIB, (CARD,)), None)
    recommended = found.facts["recommendation"]
    assert recommended["place"] == "gpu"
    assert recommended["how"].startswith("sirdab model pull ollama:qwen2.5-coder:")
    assert "start Ollama and run: " in found.checks[0].detail
    fits = [one["fits"] for one in found.facts["memory"]]
    assert fits == sorted(fits, reverse=True), "the smallest come first"


def test_advice_is_content_with_what_it_would_recommend() -> None:
    hardware = Hardware(CPU, 16 * GIB, 8 * GIB, ())
    in_use = {"name": "Qwen2.5-Coder-0.5B-Instruct-Q8_0", "family": "qwen2.5-coder"}
    assert "suits this machine" in advice.look(hardware, in_use).checks[0].detail
    # "0.5b" stands within this one too.
    other = {"name": "qwen2.5-coder-10.5b", "family": "qwen2.5-coder"}
    assert "suits this machine" not in advice.look(hardware, other).checks[0].detail
    larger = {"name": "qwen2.5-coder-1.5b", "family": "qwen2.5-coder"}
    assert "suits this machine" not in advice.look(hardware, larger).checks[0].detail
