"""Bodies to messages, whatever the bodies are."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirdab.server.framing import Body, Refused
from sirdab.server.jsonrpc import (
    Code,
    Id,
    Invalid,
    Message,
    Notification,
    Request,
    Response,
    parse,
    recover_id,
)


def check(body: str | bytes, *expect: Message) -> None:
    data = body if isinstance(body, bytes) else body.encode()
    assert parse(Body(data)) == list(expect)


def refused(body: str | bytes) -> list[tuple[Code, Id | None]]:
    data = body if isinstance(body, bytes) else body.encode()
    found = parse(Body(data))
    return [(one.code, one.id) for one in found if isinstance(one, Invalid)]


def test_the_three_kinds_of_messages() -> None:
    check('{"jsonrpc":"2.0","id":1,"method":"m","params":[1]}', Request(1, "m", [1]))
    check('{"jsonrpc":"2.0","id":"a","method":"m"}', Request("a", "m", None))
    check('{"jsonrpc":"2.0","method":"m"}', Notification("m", None))
    check('{"jsonrpc":"2.0","id":1,"result":null}', Response(1, None, None))
    check('{"jsonrpc":"2.0","id":1,"error":{"code":1}}', Response(1, None, {"code": 1}))


@pytest.mark.parametrize(
    ("body", "code", "id_"),
    [
        ("", Code.PARSE_ERROR, None),
        ("{", Code.PARSE_ERROR, None),
        ('{"jsonrpc":"2.0","id":4,"method":"m","params":{', Code.PARSE_ERROR, 4),
        ('{"method":"m","id":"x","params":{"id":9},,}', Code.PARSE_ERROR, "x"),
        # What stands behind the damage may belong to something else.
        ('{"jsonrpc":"2.0","method":"$/cancelRequest","params":"id":1}}', Code.PARSE_ERROR, None),
        ('{"params":{"id":9},"id":"x","method":"m",,}', Code.PARSE_ERROR, None),
        ('{"jsonrpc":"2.0","id":4,"method":"m","params":NaN}', Code.PARSE_ERROR, 4),
        (b'{"jsonrpc":"2.0","id":4,"method":"m","params":"\xff"}', Code.PARSE_ERROR, 4),
        ('{"jsonrpc":"2.0","id":4,"method":"m","params":' + "[" * 200_000, Code.PARSE_ERROR, 4),
        # An id of one of our own requests, or of another message, must not be answered.
        ('{"jsonrpc":"2.0","id":4,"result":{', Code.PARSE_ERROR, None),
        ('{"method":"$/cancelRequest","params":{"id":4}', Code.PARSE_ERROR, None),
        ("3", Code.INVALID_REQUEST, None),
        ("null", Code.INVALID_REQUEST, None),
        ('"x"', Code.INVALID_REQUEST, None),
        ("[]", Code.INVALID_REQUEST, None),
        ("{}", Code.INVALID_REQUEST, None),
        ('{"jsonrpc":"1.0","id":1,"method":"m"}', Code.INVALID_REQUEST, 1),
        ('{"id":1,"method":"m"}', Code.INVALID_REQUEST, 1),
        ('{"jsonrpc":"2.0","id":1}', Code.INVALID_REQUEST, 1),
        ('{"jsonrpc":"2.0","id":1,"method":3}', Code.INVALID_REQUEST, 1),
        ('{"jsonrpc":"2.0","id":null,"method":"m"}', Code.INVALID_REQUEST, None),
        ('{"jsonrpc":"2.0","id":true,"method":"m"}', Code.INVALID_REQUEST, None),
        ('{"jsonrpc":"2.0","id":{},"method":"m"}', Code.INVALID_REQUEST, None),
        ('{"jsonrpc":"2.0","id":1.5,"method":"m"}', Code.INVALID_REQUEST, None),
    ],
)
def test_what_is_refused_and_for_which_request(body: str, code: Code, id_: Id | None) -> None:
    assert refused(body) == [(code, id_)]


def test_each_request_of_a_batch_is_refused() -> None:
    batch = [
        {"jsonrpc": "2.0", "id": 1, "method": "m"},
        {"jsonrpc": "2.0", "method": "n"},
        {"jsonrpc": "2.0", "id": "b", "method": "m"},
        {"jsonrpc": "2.0", "id": 1, "method": "m"},
    ]
    assert refused(json.dumps(batch)) == [(Code.INVALID_REQUEST, 1), (Code.INVALID_REQUEST, "b")]


def test_a_refused_frame_names_its_request() -> None:
    head = b'{"jsonrpc":"2.0","id":12,"method":"m","params":"xxxx'
    found = parse(Refused("too large", too_large=True, head=head))
    assert found == [Invalid(Code.INVALID_REQUEST, "too large", 12)]


json_values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(st.integers() | st.text(max_size=4), json_values, st.data())
def test_the_id_that_is_recovered_is_never_another_messages(
    id_: Id, params: Any, data: st.DataObject
) -> None:
    message = {"jsonrpc": "2.0", "id": id_, "method": "m", "params": params}
    keys = data.draw(st.permutations(list(message)))
    body = json.dumps({key: message[key] for key in keys})
    cut = data.draw(st.integers(0, len(body)))
    assert recover_id(body[:cut]) in (None, id_)
    assert recover_id(json.dumps(message)[:-1]) == id_


@given(st.binary(max_size=200))
def test_any_bytes_are_answered_somehow(data: bytes) -> None:
    assert len(parse(Body(data))) >= 1
