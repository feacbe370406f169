"""Mutations of a recorded session: every request id gets exactly one response.

The stream of a session is damaged at one place or several. Whatever the damage, the server
goes on, nothing is answered twice, and every request outside of the damage is answered.
"""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sirdab.server.app import create_server
from sirdab.server.framing import Body, FrameDecoder
from sirdab.server.language_server import Services, SirdabServer
from tests.protocol.engines import ScriptedEngine
from tests.support.lsp_client import INLINE, UTF16, range_of

URI = "file:///a.py"


def _session() -> list[dict[str, Any]]:
    """What an editor sends while three characters are typed, without ids of notifications."""
    place = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 3}}
    inline = {**place, "context": {"triggerKind": 1}}
    item = {"uri": URI, "languageId": "python", "version": 1, "text": "x = 𝒳\r\ny"}
    found: list[dict[str, Any]] = [
        {"method": "textDocument/didOpen", "params": {"textDocument": item}},
        {"id": 1, "method": "textDocument/inlineCompletion", "params": inline},
    ]
    for number in range(2, 5):
        change = {"range": range_of(0, 4, 0, 4), "text": "é\n"}
        document = {"uri": URI, "version": number}
        params = {"textDocument": document, "contentChanges": [change]}
        found += [
            {"method": "textDocument/didChange", "params": params},
            {"id": number, "method": "textDocument/inlineCompletion", "params": inline},
            {"method": "$/cancelRequest", "params": {"id": number - 1}},
        ]
    command = {"command": "sirdab.toggle", "arguments": []}
    return [
        *found,
        {"id": "s", "method": "sirdab/explain", "params": place},
        {"method": "sirdab/didMoveCursor", "params": place},
        {"id": 6, "method": "workspace/executeCommand", "params": command},
        {"id": 7, "method": "textDocument/completion", "params": place},
        {"id": 9, "method": "textDocument/diagnostic", "params": {**place, "identifier": "a"}},
        # The first is answered at once; the second is held open until a third comes, or the end.
        *(
            {"id": number, "method": "workspace/diagnostic", "params": {"previousResultIds": []}}
            for number in (10, 11, 12)
        ),
        {"method": "textDocument/didSave", "params": {**place, "text": "x"}},
        {"method": "textDocument/didClose", "params": place},
        {"id": 8, "method": "no/such"},
    ]


def frame(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


BODIES = [
    json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=False).encode() for message in _session()
]
IDS = {message["id"] for message in _session() if "id" in message}
LAST = frame(b'{"jsonrpc":"2.0","id":"last","method":"no/such"}')

# A header that lost its body waits for as many bytes as it announced, so some must follow.
FURTHER = frame(b'{"jsonrpc":"2.0","method":"$/typing"}') * 20


def initialize() -> bytes:
    params = {"capabilities": {**UTF16, **INLINE}, "processId": None, "rootUri": None}
    hello = {"jsonrpc": "2.0", "id": "first", "method": "initialize", "params": params}
    return frame(json.dumps(hello).encode()) + frame(b'{"jsonrpc":"2.0","method":"initialized"}')


async def play(stream: bytes, cuts: int) -> list[dict[str, Any]]:
    """Play a stream to a server and return its responses."""
    sent = FrameDecoder()
    responses: list[dict[str, Any]] = []

    class Writer:
        def write(self, data: bytes) -> None:
            for found in sent.feed(data):
                assert isinstance(found, Body)
                message = json.loads(found.data)
                if "method" not in message:
                    responses.append(message)

        def close(self) -> None:
            """Nothing is held open."""

    async def nothing() -> None:
        """There is nothing to look for or to close."""

    async def services(_: SirdabServer) -> Services:
        return Services(ScriptedEngine(), nothing, nothing)

    server = create_server(services)
    server.protocol.set_writer(Writer())  # pyright: ignore[reportArgumentType]
    decoder = FrameDecoder()
    whole = initialize() + stream + LAST + FURTHER
    for start in range(0, len(whole), cuts):
        for found in decoder.feed(whole[start : start + cuts]):
            server.protocol.receive(found)
        await asyncio.sleep(0)
    for _ in range(30):
        await asyncio.sleep(0)
    await server.close()
    return responses


def requested(stream: bytes) -> Iterator[Any]:
    """The ids that requests of a stream have; damage may have given one to a second request."""
    for id_ in re.findall(rb'"id": ([^,]{1,20}), "method"', stream):
        with suppress(ValueError):
            yield json.loads(id_)


def run(stream: bytes, cuts: int) -> Counter[Any]:
    responses = asyncio.run(play(stream, cuts))
    for response in responses:
        assert ("result" in response) != ("error" in response)
    counted = Counter(response["id"] for response in responses if response["id"] is not None)
    asked = Counter(requested(stream))
    twice = {id_ for id_, count in counted.items() if count > max(1, asked[id_])}
    assert not twice
    assert counted["first"] == 1
    return counted


def test_the_session_itself() -> None:
    for cuts in (1, 50, 100_000):
        assert set(run(b"".join(map(frame, BODIES)), cuts)) == {"first", "last", *IDS}


damage = st.sampled_from(["flip", "cut", "drop", "long", "short", "no header", "garbage"])


def damaged(body: bytes, kind: str, data: st.DataObject) -> bytes:
    at = data.draw(st.integers(0, len(body) - 1))
    match kind:
        case "flip":
            # A line end would make two headers of one; that is the business of "garbage".
            byte = data.draw(st.integers(0, 255).filter(lambda one: one not in (10, 13)))
            return frame(body[:at] + bytes([byte]) + body[at + 1 :])
        case "cut":
            return frame(body[:at])
        case "drop":
            return b"Content-Length: %d\r\n\r\n" % len(body) + body[:at]
        case "long":
            return b"Content-Length: %d\r\n\r\n" % (len(body) + 1 + at) + body
        case "short":
            return b"Content-Length: %d\r\n\r\n" % at + body
        case "no header":
            return body
        case _:
            return data.draw(st.binary(min_size=1, max_size=80)) + b"\r\n\r\n"


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sets(st.integers(0, len(BODIES) - 1), min_size=1, max_size=3), st.data())
def test_a_damaged_session(places: set[int], data: st.DataObject) -> None:
    pieces = [
        damaged(body, data.draw(damage), data) if number in places else frame(body)
        for number, body in enumerate(BODIES)
    ]
    counted = run(b"".join(pieces), data.draw(st.sampled_from([7, 100, 100_000])))
    whole = {
        message["id"]
        for number, message in enumerate(_session())
        if "id" in message and number not in places
    }
    missing = {"last", *whole} - set(counted)
    assert not missing
