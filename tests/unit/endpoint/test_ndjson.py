"""JSON lines from bytes in any pieces."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirdab.endpoint.base import EndpointError, ProblemKind
from sirdab.endpoint.ndjson import NdjsonParser
from sirdab.endpoint.stream import Event


def parse(*pieces: bytes) -> list[str]:
    parser = NdjsonParser()
    return [event.data for piece in pieces for event in parser.feed(piece)]


@pytest.mark.parametrize(
    ("stream", "expect"),
    [
        (b'{"a":1}\n{"b":2}\n', ['{"a":1}', '{"b":2}']),
        (b'{"a":1}\r\n{"b":2}\r\n', ['{"a":1}', '{"b":2}']),
        (b'\n\n{"a":1}\n \n\r\n', ['{"a":1}']),
        (b'  {"a":1} \n', ['{"a":1}']),
        (b'{"a":1}', []),
        (b"", []),
        (
            '{"a":"\u2028\x85\x0b\x0c\x1c سرداب 😀"}\n'.encode(),
            ['{"a":"\u2028\x85\x0b\x0c\x1c سرداب 😀"}'],
        ),
        (b"{not json}\n", ["{not json}"]),
    ],
)
def test_lines(stream: bytes, expect: list[str]):
    assert parse(stream) == expect
    assert parse(*(bytes([byte]) for byte in stream)) == expect


@given(
    values=st.lists(st.dictionaries(st.text(max_size=5), st.text(), max_size=3), max_size=6),
    end=st.sampled_from([b"\n", b"\r\n", b"\n\n"]),
    cuts=st.lists(st.integers(0, 400), max_size=12),
)
def test_pieces_never_matter(values: list[dict[str, str]], end: bytes, cuts: list[int]):
    lines = [json.dumps(value, ensure_ascii=False) for value in values]
    stream = b"".join(line.encode("utf-8", "surrogatepass") + end for line in lines)
    edges = sorted({0, len(stream), *(min(cut, len(stream)) for cut in cuts)})
    pieces = [stream[a:b] for a, b in pairwise(edges)]
    assert parse(*pieces) == lines


@given(
    stream=st.binary(max_size=300) | st.text("{}\n\r ab", max_size=300).map(str.encode),
    cuts=st.lists(st.integers(0, 300), max_size=12),
    limit=st.integers(1, 60),
)
def test_pieces_do_not_change_what_is_refused(stream: bytes, cuts: list[int], limit: int):
    def outcome(pieces: list[bytes]) -> list[Event] | ProblemKind:
        parser = NdjsonParser(largest_line=limit, largest_stream=200)
        found: list[Event] = []
        try:
            for piece in pieces:
                found += parser.feed(piece)
        except EndpointError as error:
            return error.kind
        return found

    edges = sorted({0, len(stream), *(min(cut, len(stream)) for cut in cuts)})
    assert outcome([stream[a:b] for a, b in pairwise(edges)]) == outcome([stream])


@pytest.mark.parametrize(
    "garbage",
    [b"<!DOCTYPE html>\n", b"data: {}\n", b"[1]\n", b'"a"\n', b"\x00\n", b'{"a":"\xff"}\n'],
)
def test_garbage_is_refused(garbage: bytes):
    with pytest.raises(EndpointError) as caught:
        parse(garbage)
    assert caught.value.kind is ProblemKind.PROTOCOL


def test_a_line_may_not_grow_without_end():
    parser = NdjsonParser(largest_line=100)
    parser.feed(b"{" + b"a" * 99)
    with pytest.raises(EndpointError, match="longer than 100 bytes"):
        parser.feed(b"a")


def test_a_stream_may_not_grow_without_end():
    parser = NdjsonParser(largest_stream=100)
    parser.feed(b'{"a":123}\n' * 10)
    with pytest.raises(EndpointError, match="longer than 100 bytes"):
        parser.feed(b"\n")
