"""The program that stands between an editor and a server changes nothing and times every answer."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from bench.timing_proxy import Message, MessageReader, Times

PROXY = Path(__file__).parents[3] / "bench" / "timing_proxy.py"

# Answers every request with its own parameters, after a question of its own to the editor, and
# ends with the code 3. Whatever is no request it repeats byte by byte.
SERVER = """
import json, sys
stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
def send(message):
    body = json.dumps(message).encode()
    stdout.write(b"Content-Length: %d\\r\\n\\r\\n%s" % (len(body), body))
    stdout.flush()
while header := stdin.readline():
    stdin.readline()
    message = json.loads(stdin.read(int(header.split(b":")[1])))
    if message.get("method") == "ask":
        send({"id": message["id"], "method": "window/question"})
        send({"id": message["id"], "result": message["params"]})
    elif message.get("method") == "exit":
        sys.exit(3)
"""


def framed(message: dict[str, Any]) -> bytes:
    body = json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def read(stream: IO[bytes]) -> dict[str, Any]:
    length = int(stream.readline().split(b":")[1])
    assert stream.readline() == b"\r\n"
    return json.loads(stream.read(length))


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-P", str(PROXY), "--", sys.executable, "-c", SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "SIRDAB_TIMING_FILE": str(tmp_path / "times")},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    yield process
    if process.poll() is None:
        process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_every_answer_is_passed_on_and_timed(
    proxy: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    assert proxy.stdin is not None
    assert proxy.stdout is not None
    before = time.monotonic_ns()
    big = {"text": "é" * 300_000}
    data = b"".join(
        framed({"id": ident, "method": "ask", "params": params})
        for ident, params in [(1, {"a": 1}), ("two", big), (3, [])]
    )
    proxy.stdin.write(data)
    proxy.stdin.flush()
    got = [read(proxy.stdout) for _ in range(6)]
    assert [message["result"] for message in got if "result" in message] == [{"a": 1}, big, []]
    proxy.stdin.write(framed({"id": 3, "result": None}) + framed({"method": "exit"}))
    proxy.stdin.flush()
    assert proxy.wait(20) == 3
    after = time.monotonic_ns()
    lines = [json.loads(line) for line in (tmp_path / "times").read_text().splitlines()]
    assert [(line["id"], line["method"]) for line in lines] == [
        (1, "ask"),
        ("two", "ask"),
        (3, "ask"),
    ]
    for line in lines:
        assert before < line["in_ns"] <= line["out_ns"] < after


def test_the_server_ends_with_the_editor_and_with_the_proxy(
    proxy: subprocess.Popen[bytes],
) -> None:
    assert proxy.stdin is not None
    assert proxy.stdout is not None
    proxy.stdin.write(framed({"id": 1, "method": "ask", "params": {}}))
    proxy.stdin.flush()
    read(proxy.stdout)
    proxy.send_signal(signal.SIGTERM)
    assert proxy.wait(20) == 128 + signal.SIGTERM


def test_a_closed_stdin_ends_it(proxy: subprocess.Popen[bytes]) -> None:
    assert proxy.stdin is not None
    proxy.stdin.close()
    assert proxy.wait(20) == 0


def test_without_a_file_it_says_what_to_set() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.timing_proxy", "--", "true"],
        cwd=PROXY.parents[1],
        env={k: v for k, v in os.environ.items() if k != "SIRDAB_TIMING_FILE"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "SIRDAB_TIMING_FILE" in done.stderr


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_messages_are_found_however_they_are_cut(size: int) -> None:
    messages: list[dict[str, Any]] = [{"id": n, "text": "é" * n} for n in range(5)]
    data = b"".join(framed(message) for message in messages)
    data += b"content-length: 3\r\nX: y\r\n\r\n[1]"
    reader = MessageReader()
    found = [
        message
        for start in range(0, len(data), size)
        for message in reader.feed(data[start : start + size], start)
    ]
    assert [message.fields for message in found] == [*messages, {}]
    starts = [message.first_ns for message in found]
    assert starts == sorted(starts)
    assert all(message.first_ns <= message.last_ns for message in found)


def test_a_response_may_be_noted_before_its_request(tmp_path: Path) -> None:
    times = Times(tmp_path / "times")
    times.from_server(Message({"id": 1, "result": None}, 20, 21))
    times.from_server(Message({"id": 1, "method": "window/question"}, 22, 23))
    times.from_editor(Message({"id": 1, "method": "ask"}, 10, 11))
    times.from_editor(Message({"method": "told"}, 30, 31))
    times.close()
    (line,) = (tmp_path / "times").read_text().splitlines()
    assert json.loads(line) == {"id": 1, "method": "ask", "in_ns": 11, "out_ns": 20}
