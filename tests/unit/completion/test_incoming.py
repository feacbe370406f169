"""Text from pieces that end anywhere."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirdab.completion.incoming import Incoming
from sirdab.completion.prompt import broken

TOKENS = ("<|fim_prefix|>", "<|fim_suffix|>", "<|endoftext|>", "<s>", "<EOT>")
MENDED = ("<|fim_suffix|>", "<s>")


def join(pieces: list[str]) -> str:
    incoming = Incoming(TOKENS, MENDED)
    return "".join([*map(incoming.feed, pieces), incoming.finish()])


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["a <|fim_pre", "fix|> b"], "a "),
        (["a <", "|endoftext|>"], "a "),
        (["a <", "b"], "a <b"),
        (["a <|fim_"], "a <|fim_"),
        (["a < |fim_suffix|> b"], "a <|fim_suffix|> b"),
        (["a <", " |fim_suf", "fix|> b"], "a <|fim_suffix|> b"),
        (["a < |fim_prefix|> b"], "a < |fim_prefix|> b"),
        (["< s>x</s><s>y"], "<s>x</s>"),
        (["a\r", "\nb"], "a\nb"),
        (["a\rb\r"], "a\nb\n"),
        (["\ud83d", "\ude00!"], "😀!"),
        (["\ud83d\ude00!"], "😀!"),
        (["a\ufffd", "b"], "a"),
        (["", "", ""], ""),
    ],
)
def test_joins(pieces: list[str], text: str) -> None:
    assert join(pieces) == text


ALPHABET = st.sampled_from(
    ["<", "|", ">", " ", "\r", "\n", "a", "\ud83d", "\ude00", "\ufffd", *TOKENS]
    + [broken(token) for token in TOKENS]
)


@given(st.lists(ALPHABET, max_size=30).map("".join), st.data())
def test_how_it_is_cut_makes_no_difference(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)))
    bounds = [0, *cuts, len(text)]
    pieces = [text[low:high] for low, high in pairwise(bounds)]
    assert join(pieces) == join([text]) == join(list(text))


@given(st.lists(ALPHABET, max_size=30).map("".join))
def test_no_control_token_comes_out_that_is_not_the_users_own(text: str) -> None:
    joined = join(list(text))
    assert not any(token in joined for token in TOKENS if token not in MENDED)


def test_what_is_held_back_is_shorter_than_a_token() -> None:
    incoming = Incoming(TOKENS)
    given_out = 0
    for count in range(1, 2_000):
        given_out += len(incoming.feed("<"))
        assert count - given_out < max(map(len, TOKENS))
