"""`sirdab bench replay` with the real server, the real engine and the real model."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 300


def replay(folder: Path, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sirdab", "bench", "replay", str(folder), *more],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env={**os.environ, **environment},
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one of our own files, which is long enough."""
    source = ROOT / "lsp" / "sirdab" / "text" / "document.py"
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "document.py").write_bytes(source.read_bytes())
    return tmp_path / "code"


def test_code_is_typed_again_and_ghost_text_is_measured(
    folder: Path, real_model_path: Path
) -> None:
    before = (folder / "document.py").read_bytes()
    done = replay(folder, "--keys", "45", "--json", "--model", str(real_model_path))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert 20 <= found["keystrokes"] <= 45
    assert found["model"]
    assert 0 < found["shown"] <= 1, found
    assert found["key_to_ghost_ms"]["count"] == round(found["shown"] * found["keystrokes"])
    assert set(found["latency_by_source"]) & {"model", "cache", "in-flight", "copy"}
    assert (folder / "document.py").read_bytes() == before


def test_a_folder_without_code_is_one_sentence(tmp_path: Path) -> None:
    done = replay(tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "no file" in done.stderr


def test_no_model_server_is_one_sentence(folder: Path) -> None:
    done = replay(folder, "--keys", "10", "--url", "http://127.0.0.1:9")
    assert done.returncode == 1
    assert "Nothing answers at http://127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr
