"""The index that copies are found with: the same whether it was kept up to date or made anew."""

import asyncio
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirdab.completion.copying.block import Block, Gram, Lines, build, step
from sirdab.completion.copying.brackets import fit
from sirdab.completion.copying.canonical import LONGEST_LINE, TOKEN, canonical, column_behind
from sirdab.completion.copying.confidence import NEVER, calibration
from sirdab.completion.copying.corpus import Corpus, Indexed
from sirdab.completion.copying.predict import FEATURES, Prediction, predict
from sirdab.text import store
from sirdab.text.document import Snapshot
from sirdab.text.store import Point, Text

_WORDS = st.sampled_from(
    ["a", "self", "value", "(", ")", "[", "]", ".", ",", " = ", " ", "  ", "'x'", "größe", "漢"]
)
_LINE = st.lists(_WORDS, max_size=6).map("".join)
_INDENT = st.sampled_from(["", "", "    ", "\t"])
_END = st.sampled_from(["\n", "\n", "\r\n", "\r"])
_CODE = st.lists(st.builds("{}{}{}".format, _INDENT, _LINE, _END), max_size=30).map("".join)


def indexed(lines: Lines) -> Block:
    work = build(lines)
    while (block := step(work)) is None:
        pass
    return block


def grams_of(lines: Lines) -> Iterator[Gram]:
    """The pairs and triples that occur within a line."""
    for line in filter(None, map(canonical, lines)):
        tokens = TOKEN.findall(f"\n{line}\n")
        yield from map(Gram, pairwise(tokens))
        yield from map(Gram, zip(tokens, tokens[1:], tokens[2:], strict=False))


@pytest.mark.parametrize(
    ("line", "expect"),
    [
        ("    return  a.b( c , d )\n", "return a.b(c,d)"),
        ("x=1\r\n", "x=1"),
        ("\t if a and not b :", "if a and not b:"),
        ("a\u2003b", "a b"),
        ("  \n", ""),
        ("x" * (LONGEST_LINE + 1), ""),
    ],
)
def test_a_line_is_its_tokens(line: str, expect: str) -> None:
    assert canonical(line) == expect


@given(_INDENT, _LINE, st.integers(0, 60))
def test_a_beginning_of_a_line_is_found_again(indent: str, line: str, cut: int) -> None:
    whole = indent + line
    head = canonical(whole)[:cut]
    column = column_behind(whole, head)
    assert canonical(whole[:column]).rstrip() == head.rstrip()


@given(st.lists(_LINE, min_size=1, max_size=40), st.lists(_LINE, max_size=5), st.data())
def test_a_patched_index_is_the_one_made_anew(
    old: list[str], new: list[str], data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(old)))
    stop = data.draw(st.integers(start, min(len(old), start + 5)))
    before = tuple(f"{line}\n" for line in old)
    after = (*before[:start], *(f"{line}\n" for line in new), *before[stop:])
    patched = indexed(before).patch(before, after)
    fresh = indexed(after)
    assert patched is not None
    assert patched.text == fresh.text
    assert [patched.start_of(n) for n in range(len(after) + 1)] == [
        fresh.start_of(n) for n in range(len(after) + 1)
    ]
    # It may know more than there is, never less.
    assert all(map(patched.may_have, grams_of(after)))


@given(st.lists(_LINE, min_size=1, max_size=20))
def test_what_occurs_in_a_line_is_never_denied(lines: list[str]) -> None:
    written = tuple(f"{line}\n" for line in lines)
    assert all(map(indexed(written).may_have, grams_of(written)))


def test_what_does_not_occur_is_mostly_denied() -> None:
    block = indexed(tuple(f"value_{n} = call_{n}(item)\n" for n in range(256)))
    strangers = [Gram((f"strange{n}", f"pair{n}")) for n in range(1000)]
    assert sum(map(block.may_have, strangers)) < 250


_EDITS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 12), st.integers(0, 3), st.integers(0, 12), _CODE),
    max_size=12,
)


@settings(max_examples=200, deadline=None)
@given(_CODE, _CODE, _EDITS, st.integers(0, 40), st.integers(0, 40))
def test_a_prediction_does_not_depend_on_how_the_text_came_to_be(
    code: str,
    other: str,
    edits: list[tuple[int, int, int, int, str]],
    line: int,
    column: int,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        # Short chunks, so that what is looked for often lies across their borders.
        patch.setattr(store, "_CHUNK", 4)
        patch.setattr(store, "_CHUNK_MAX", 8)
        patch.setattr(store, "_CHUNK_MIN", 1)
        kept, text = Corpus(), Text(code)
        beside = Snapshot("untitled:2", "python", 1, Text(other))
        for number, (first, start, lines, stop, new) in enumerate(edits):
            kept.show([Snapshot("untitled:1", "python", number, text), beside])
            kept.work(None if number % 2 else 0.0)
            text = text.replace(Point(first, start), Point(first + lines, stop), new[:20])
        point = text.clamp(Point(line, column))
        kept.show([Snapshot("untitled:1", "python", 99, text), beside])
        kept.work(None)
    anew = Corpus()
    snapshot = Snapshot("untitled:1", "python", 99, Text(str(text)))
    anew.show([snapshot, Snapshot("untitled:2", "python", 1, Text(other))])
    anew.work(None)
    assert predict(text, point, list(kept)) == predict(snapshot.text, point, list(anew))


def test_a_key_indexes_its_own_lines_only(monkeypatch: pytest.MonkeyPatch) -> None:
    text = Text("".join(f"value_{n} = {n}\n" for n in range(2000)))
    document = Indexed(Snapshot("untitled:1", "python", 1, text))
    corpus = Corpus()
    corpus.show([document.snapshot])
    corpus.work(None)
    (document,) = corpus
    before = list(document.blocks)
    changed = text.replace(Point(1000, 5), Point(1000, 5), "x")
    corpus.show([Snapshot("untitled:1", "python", 2, changed)])
    assert document.complete
    same = [old is new for old, new in zip(before, document.blocks, strict=True)]
    assert same.count(False) == 1


async def test_the_rest_is_indexed_in_the_background() -> None:
    text = Text("".join(f"value_{n} = {n}\n" for n in range(3000)))
    corpus = Corpus()
    corpus.show([Snapshot("untitled:1", "python", 1, text)])
    assert corpus.work(0.0)
    (document,) = corpus
    assert not document.complete
    corpus.work_later()
    async with asyncio.timeout(20):
        while not all(document.blocks):  # noqa: ASYNC110 - it is the work that is watched
            await asyncio.sleep(0.01)
    corpus.clear()
    assert list(corpus) == []


async def test_what_is_edited_while_it_is_indexed_is_indexed_as_it_is_then() -> None:
    text = Text("".join(f"value_{n} = {n}\n" for n in range(200)))
    corpus = Corpus()
    corpus.show([Snapshot("untitled:1", "python", 1, text)])
    assert corpus.work(0.0)
    changed = text.replace(Point(100, 0), Point(100, 9), "renamed")
    corpus.show([Snapshot("untitled:1", "python", 2, changed)])
    corpus.work(None)
    (document,) = corpus
    (block,) = document.blocks
    assert block is not None
    assert "\nrenamed=100\n" in block.text
    assert "value_100=" not in block.text


@pytest.mark.parametrize(
    ("rest", "there", "here", "expect"),
    [
        ("x))", "a = f(g(", "b = g(", "x)"),
        ("x)", "g(", "f(g(", "x)"),
        ("x)", "g(", "g(", "x)"),
        # It was opened on a line above there, and is taken to be so here.
        ("x)", "", "a, ", "x)"),
        ("[0]) + ')'", "a(b", "b", "[0]"),
        ("')')", "f(", "", "')'"),
        ("x]", "a[", "f(", "x]"),
    ],
)
def test_brackets(rest: str, there: str, here: str, expect: str) -> None:
    assert fit(rest, there, here) == expect


# --- confidence -------------------------------------------------------------------------------


def prediction(**changed: float) -> Prediction:
    features = {**dict.fromkeys(FEATURES, 0.0), "tokens": 3.0, "share": 1.0, **changed}
    values = tuple(features[name] for name in FEATURES)
    return Prediction("rest", (), 7, 1, 0, 0, 0, values)


@pytest.mark.parametrize(
    ("surer", "doubtful"),
    [
        (prediction(tokens=5.0), prediction(tokens=1.0)),
        (prediction(votes=2.0), prediction(votes=1.0)),
        (prediction(share=1.0), prediction(share=0.2)),
        (prediction(length=1.0), prediction(length=4.0)),
        (prediction(), prediction(**{"new words": 2.0})),
        (prediction(), prediction(**{"brackets differ": 1.0})),
    ],
)
def test_what_was_measured_makes_sense(surer: Prediction, doubtful: Prediction) -> None:
    found = calibration()
    assert 1 > found.confidence(surer) > found.confidence(doubtful) > 0


def test_a_model_that_was_not_measured_gives_way_to_more_certainty_only() -> None:
    found = calibration()
    small, other = found.bars("qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"), found.bars("codestral")
    assert found.bars("") == other
    assert all(other.instant[kind] >= bar for kind, bar in small.instant.items())


def test_nothing_is_offered_that_is_more_often_wrong_than_right() -> None:
    found = calibration()
    for bars in (found.other, *(bars for _, bars in found.measured)):
        assert all(bar >= 0.5 for bar in (*bars.instant.values(), *bars.stand_in.values()))
        # Beside a model that answers it has to be better than where there is nothing else.
        assert all(bars.instant[kind] >= bars.stand_in[kind] for kind in bars.instant)
    assert NEVER > 1
