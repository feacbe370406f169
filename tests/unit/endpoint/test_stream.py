"""Server-sent events from bytes in any pieces."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirdab.endpoint.base import EndpointError, ProblemKind
from sirdab.endpoint.stream import Event, EventStreamParser


def parse(*pieces: bytes) -> list[str]:
    parser = EventStreamParser()
    return [event.data for piece in pieces for event in parser.feed(piece)]


@pytest.mark.parametrize(
    ("stream", "expect"),
    [
        (b"data: a\n\ndata: b\n\n", ["a", "b"]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", ["a", "b"]),
        (b"data: a\r\rdata: b\r\r", ["a", "b"]),
        (b"data:a\n\n", ["a"]),
        (b"data:  a\n\n", [" a"]),
        (b"data: a\ndata: b\n\n", ["a\nb"]),
        (b"data: a\r\ndata: b\r\n\r\n", ["a\nb"]),
        (b"data: a\rdata: b\r\r", ["a\nb"]),
        (b"data\n\n", [""]),
        (b"data:\n\n", [""]),
        (b": comment\n\ndata: a\n\n", ["a"]),
        (b":\n:\n\n\n\ndata: a\n\n", ["a"]),
        (b"event: x\nid: 7\nretry: 10\ndata: a\n\n", ["a"]),
        (b"event: x\n\n", []),
        (b"\xef\xbb\xbfdata: a\n\n", ["a"]),
        (b"data: a\n", []),
        (b"data: a", []),
        (b"", []),
        ("data: \u2028\x85\x0b\x0c\x1c\n\n".encode(), ["\u2028\x85\x0b\x0c\x1c"]),
        ("data: سرداب 😀\n\n".encode(), ["سرداب 😀"]),
    ],
)
def test_events(stream: bytes, expect: list[str]):
    assert parse(stream) == expect
    assert parse(*(bytes([byte]) for byte in stream)) == expect


@given(
    texts=st.lists(st.text().map(lambda t: t.replace("\r", "").replace("\n", "")), max_size=6),
    end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    cuts=st.lists(st.integers(0, 400), max_size=12),
)
def test_pieces_never_matter(texts: list[str], end: bytes, cuts: list[int]):
    stream = b"".join(b"data: " + text.encode("utf-8") + end + end for text in texts)
    edges = sorted({0, len(stream), *(min(cut, len(stream)) for cut in cuts)})
    pieces = [stream[a:b] for a, b in pairwise(edges)]
    assert parse(*pieces) == texts


def test_an_error_field_is_told_apart():
    events = EventStreamParser().feed(b'error: {"code": 500}\n\ndata: a\n\n')
    assert events == [Event('{"code": 500}', is_error=True), Event("a")]


@pytest.mark.parametrize(
    "garbage",
    [
        b"<!DOCTYPE html>\n",
        b'{"content": "a"}\n',
        b"\x00\x01\x02\n",
        b"data: \xff\n",
        b"data: \xc3\n",
        b"DATA: a\n",
        b" data: a\n",
    ],
)
def test_garbage_is_refused(garbage: bytes):
    with pytest.raises(EndpointError) as caught:
        parse(garbage)
    assert caught.value.kind is ProblemKind.PROTOCOL


def test_a_line_may_not_grow_without_end():
    parser = EventStreamParser(largest_line=100)
    parser.feed(b"data: " + b"a" * 94)
    with pytest.raises(EndpointError, match="longer than 100 bytes"):
        parser.feed(b"a")


def test_a_stream_may_not_grow_without_end():
    parser = EventStreamParser(largest_stream=100)
    parser.feed(b": keep-alive\n" * 7)
    with pytest.raises(EndpointError, match="longer than 100 bytes"):
        parser.feed(b": keep-alive\n")
