"""Bytes to frames, whatever the bytes are."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirdab.policy.limits import MAX_HEADER_BYTES, MAX_MESSAGE_BYTES
from sirdab.server.framing import Body, Frame, FrameDecoder


def message(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


def decode(stream: bytes, size: int = 7) -> list[Frame]:
    """Decode a stream that arrives in pieces of `size` bytes."""
    decoder = FrameDecoder()
    pieces = [stream[i : i + size] for i in range(0, len(stream), size)]
    return [frame for piece in pieces for frame in decoder.feed(piece)]


def bodies(frames: list[Frame]) -> list[bytes]:
    return [frame.data for frame in frames if isinstance(frame, Body)]


NEXT = message(b'{"next":1}')


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Length: 2\r\n\r\n",
        b"content-length: 2\r\n\r\n",
        b"CONTENT-LENGTH:2\r\n\r\n",
        b"Content-Length:   2  \r\n\r\n",
        b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: 2\r\n\r\n",
        b"Content-Length: 2\r\nContent-Type: x\r\n\r\n",
        b"Content-Length: 2\n\n",
        b"\r\n\r\nContent-Length: 2\r\n\r\n",
        b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n",
    ],
)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_headers_that_are_understood(header: bytes, size: int) -> None:
    assert decode(header + b"{}" + NEXT, size) == [Body(b"{}"), Body(b'{"next":1}')]


@pytest.mark.parametrize(
    "garbage",
    [
        b"hello\r\n\r\n",
        b"Content-Length: -5\r\n\r\n{}",
        b"Content-Length: five\r\n\r\n{}",
        b"Content-Length: \r\n\r\n{}",
        b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"Content-Length: 99999999999999999999999999\r\n\r\n{}",
        b"X: " + b"x" * MAX_HEADER_BYTES * 3 + b"\r\n\r\n",
        b"\x00\xff" * 5000,
        b"Content-Type: x\r\n\r\n{}",
    ],
)
@pytest.mark.parametrize("size", [1, 64, 100_000])
def test_garbage_is_refused_once_and_the_next_message_is_found(garbage: bytes, size: int) -> None:
    frames = decode(garbage + NEXT, size)
    assert bodies(frames) == [b'{"next":1}']
    assert len(frames) >= 2


@pytest.mark.parametrize("length", [MAX_MESSAGE_BYTES + 1, 99_999_999_999])
def test_a_huge_length_allocates_nothing_and_the_next_message_is_found(length: int) -> None:
    decoder = FrameDecoder()
    tracemalloc.start()
    try:
        frames = list(decoder.feed(b"Content-Length: %d\r\n\r\n" % length))
        for _ in range(200):
            frames += decoder.feed(b"x" * 65536)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    frames += decoder.feed(NEXT)
    assert peak < 2_000_000
    assert [type(frame).__name__ for frame in frames] == ["Refused", "Body"]
    assert bodies(frames) == [b'{"next":1}']


def test_the_beginning_of_a_message_that_is_too_large_is_kept() -> None:
    body = b'{"jsonrpc":"2.0","id":7,"method":"x","params":"' + b"x" * 10_000
    frames = decode(b"Content-Length: 99999999999\r\n\r\n" + body, 100)
    assert len(frames) == 1
    assert not isinstance(frames[0], Body)
    assert frames[0].too_large
    assert frames[0].head.startswith(b'{"jsonrpc":"2.0","id":7')


def test_a_length_that_says_too_much_does_not_swallow_the_next_message() -> None:
    frames = decode(b"Content-Length: 25\r\n\r\n{}" + NEXT + NEXT)
    assert bodies(frames) == [b'{"next":1}'] * 2
    assert len(frames) == 3


def test_a_length_that_says_too_little_does_not_lose_the_next_message() -> None:
    frames = decode(b'Content-Length: 3\r\n\r\n{"a":1}' + NEXT)
    assert bodies(frames) == [b'{"a', b'{"next":1}']


def test_a_body_may_be_pretty_printed() -> None:
    body = b'{\r\n\r\n"a": 1}'
    assert decode(message(body) + NEXT) == [Body(body), Body(b'{"next":1}')]


@given(st.lists(st.binary(max_size=60), max_size=8), st.integers(1, 40))
def test_frames_do_not_depend_on_how_the_stream_is_cut(contents: list[bytes], size: int) -> None:
    # A body that could be taken for a header is not one that JSON allows.
    contents = [content.replace(b"\r\n\r\n", b"") for content in contents]
    stream = b"".join(map(message, contents))
    assert bodies(decode(stream, size)) == contents


@given(st.binary(max_size=300), st.integers(1, 40))
def test_whatever_comes_the_decoder_goes_on(garbage: bytes, size: int) -> None:
    decoded = bodies(decode(garbage + b"\r\n\r\n" + NEXT + NEXT, size))
    assert decoded[-1:] == [b'{"next":1}']
