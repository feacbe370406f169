"""An answer is read while it is written, and says the same in the end."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirdab.review.incremental import (
    MAX_ANSWER_CHARACTERS,
    MAX_FINDINGS,
    AnswerReader,
    RawFinding,
    raw_of,
    read,
)
from tests.support.review import answer, raw


def fed(pieces: list[str]) -> tuple[AnswerReader, list[RawFinding]]:
    """Read pieces, and return the reader and what it told on the way."""
    reader = AnswerReader()
    told = [finding for piece in pieces for finding in reader.feed(piece)]
    return reader, [*told, *reader.finish()]


def split(text: str, cuts: list[int]) -> list[str]:
    places = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    return [text[a:b] for a, b in itertools.pairwise(places)]


TEXT = st.text(st.characters(exclude_categories=()), max_size=12) | st.sampled_from(
    ['"', "\\", "}]}", '{"', "```", "\n```\n", "<think>", '{"findings": [', "\ud800"]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
FINDINGS = st.fixed_dictionaries(
    {"line": st.integers(-3, 99), "code": TEXT, "rule": TEXT},
    optional={"severity": TEXT, "message": TEXT, "replacement": TEXT, "more": VALUES},
)
ANSWERS = st.builds(
    lambda entries, ascii_only, indent: json.dumps(
        {"findings": entries}, ensure_ascii=ascii_only, indent=indent
    ),
    st.lists(FINDINGS | VALUES, max_size=5),
    st.booleans(),
    st.none() | st.integers(0, 2),
)
CUTS = st.lists(st.integers(0, 10_000), max_size=12)


@given(ANSWERS, CUTS)
def test_any_split_of_an_answer_says_the_same(text: str, cuts: list[int]) -> None:
    reader, told = fed(split(text, cuts))
    entries = json.loads(text)["findings"]
    shaped = [found for entry in entries if (found := raw_of(entry)) is not None]
    assert not reader.broken
    assert told == list(reader.findings) == shaped[:MAX_FINDINGS] == read(text)
    assert reader.misshapen == len(entries) - len(shaped)


@given(ANSWERS, st.integers(0, 10_000), TEXT, CUTS)
def test_garbage_never_raises_and_says_nothing_else(
    text: str, place: int, inserted: str, cuts: list[int]
) -> None:
    place %= len(text) + 1
    damaged = text[:place] + inserted + text[place + 1 :]
    reader, told = fed(split(damaged, cuts))
    assert told == list(reader.findings)
    if not reader.broken:
        assert told == read(damaged)
    # Each of them stands in what was written.
    decoder = json.JSONDecoder()
    starts = [number for number, char in enumerate(damaged) if char == "{"]
    written: list[Any] = []
    for start in starts:
        try:
            written.append(raw_of(decoder.raw_decode(damaged, start)[0]))
        except (ValueError, RecursionError):
            continue
    assert all(found in written for found in told)


@given(st.lists(st.text(max_size=20), max_size=20))
def test_any_text_never_raises(pieces: list[str]) -> None:
    reader, told = fed(pieces)
    assert reader.broken == (read("".join(pieces)) is None)
    assert told == list(reader.findings)


@pytest.mark.parametrize(
    "around", ["{}", "```json\n{}\n```", "<think>Two [of] {{them}}.</think>\n{}"]
)
def test_the_first_finding_is_there_before_the_second(around: str) -> None:
    first, second = raw(), raw(line=4)
    head, tail = around.format(answer(first, second)).split(json.dumps(second))
    reader = AnswerReader()
    assert [found.line for found in reader.feed(head)] == [3]
    assert [found.line for found in reader.feed(json.dumps(second))] == [4]
    assert reader.feed(tail) == ()
    assert reader.finish() == ()
    assert not reader.broken


def test_a_complete_finding_stays_when_the_answer_breaks_off() -> None:
    text = answer(raw(), raw(line=4))
    reader, told = fed([text[:-20]])
    assert reader.broken
    assert [found.line for found in told] == [3]


def test_an_answer_that_is_only_blanks_from_some_point_on_is_broken() -> None:
    head = answer(raw(), raw(line=4))[:-40]
    reader, told = fed([head.rstrip('"') + '"', *[" " * 7] * 40])
    assert reader.broken
    assert [found.line for found in told] == [3]
    spaced = answer(raw(message="x" + " " * 500 + "y"))
    assert not fed([spaced])[0].broken


def test_a_beginning_that_the_end_belies_is_broken() -> None:
    # Who reads the whole object finds the last of two equal keys, which is not what was told.
    text = answer(raw())[:-1] + ', "findings": []}'
    assert fed([text])[0].broken


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"findings": ' + "[" * 5_000,
        '{"findings": [' + '{"a":' * 3_000,
        '{"findings": [NaN]}',
        '{"findings": [' + "9" * 5_000 + "]}",
        answer(raw(message="x" * MAX_ANSWER_CHARACTERS)),
        "<think>" * 1_000,
    ],
)
def test_what_is_too_deep_or_too_long_is_broken(text: str) -> None:
    for pieces in ([text], list(text[: MAX_ANSWER_CHARACTERS + 10])):
        reader, told = fed(pieces)
        assert reader.broken
        assert told == []
    assert read(text) is None


@pytest.mark.parametrize(
    "entry",
    [
        {**raw(), "line": True},
        {**raw(), "line": "3"},
        {**raw(), "line": 10**9},
        {**raw(), "rule": 5},
        {**raw(), "rule": "x" * 100},
        {**raw(), "code": None},
        {**raw(), "code": "x" * 3_000},
        {**raw(), "message": ["x"]},
        {"rule": "sql-injection"},
        [],
        "text",
    ],
)
def test_what_is_no_finding_is_counted(entry: Any) -> None:
    reader, told = fed([json.dumps({"findings": [entry, raw()]})])
    assert len(told) == 1
    assert reader.misshapen == 1
    assert not reader.broken
