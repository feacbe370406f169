"""How a document takes changes, and when it doubts them."""

import pytest

from sirdab.text.document import Change, Document, Range
from sirdab.text.positions import Encoding

U8, U16, U32 = Encoding.UTF8, Encoding.UTF16, Encoding.UTF32


def opened(content: str, encoding: Encoding = U16) -> Document:
    return Document.open("file:///a.py", "python", 1, content, encoding)


def edit(start: tuple[int, int], end: tuple[int, int], text: str) -> Change:
    return Change(Range(*start, *end), text)


def check_changes(
    before: str, changes: list[Change], after: str, encoding: Encoding = U16
) -> Document:
    document = opened(before, encoding)
    document.apply(changes, 2)
    assert str(document.text) == after
    return document


def test_a_document_is_what_was_opened() -> None:
    snapshot = opened("a\nb").snapshot()
    assert (snapshot.uri, snapshot.language_id, snapshot.version) == ("file:///a.py", "python", 1)
    assert str(snapshot.text) == "a\nb"
    assert snapshot.suspect is None


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        # Each change is relative to the state after the one before it.
        ("ab", [edit((0, 1), (0, 1), "\n"), edit((1, 0), (1, 0), "X")], "a\nXb"),
        ("ab", [edit((0, 0), (0, 2), ""), edit((0, 0), (0, 0), "x")], "x"),
        ("ab", [Change(None, "new"), edit((0, 3), (0, 3), "!")], "new!"),
        ("ab", [edit((0, 0), (0, 0), "gone"), Change(None, "")], ""),
        ("ab", [], "ab"),
        # Swapped ends.
        ("abc", [edit((0, 2), (0, 1), "X")], "aXc"),
        # One line past the last one is a usual name for the end.
        ("a\nb", [edit((0, 0), (2, 0), "")], ""),
        ("a\nb", [edit((2, 0), (2, 0), "c")], "a\nbc"),
        # So is anything at all when it begins at the start.
        ("a\nb", [edit((0, 0), (2**31 - 1, 0), "c")], "c"),
        ("a\n", [edit((0, 2**31 - 1), (0, 2**31 - 1), "b")], "ab\n"),
    ],
)
def test_changes_apply_in_order(before: str, changes: list[Change], after: str) -> None:
    assert check_changes(before, changes, after).suspect is None


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        ("😀", [edit((0, 2), (0, 2), "x")], "😀x"),
        # One half of a pair is replaced by another: the grinning face becomes a beaming one.
        ("😀", [edit((0, 1), (0, 2), "\ude01")], "😁"),
        ("😀", [edit((0, 0), (0, 1), "\ud83e")], "🨀"),
        ("😀", [edit((0, 1), (0, 1), "x")], "\ud83dx\ude00"),
        ("a😀b", [edit((0, 2), (0, 3), "")], "a\ud83db"),
        ("😀😀", [edit((0, 1), (0, 3), "")], "😀"),
        # The halves come one by one.
        ("a\n", [edit((0, 1), (0, 1), "\ud83d"), edit((0, 2), (0, 2), "\ude00")], "a😀\n"),
        ("\ude00b", [edit((0, 0), (0, 0), "\ud83d")], "😀b"),
    ],
)
def test_utf16_clients_may_edit_half_a_pair(before: str, changes: list[Change], after: str) -> None:
    assert check_changes(before, changes, after).suspect is None


def test_half_a_character_in_utf8_is_a_sign_of_different_texts() -> None:
    assert check_changes("aé", [edit((0, 2), (0, 2), "x")], "axé", U8).suspect


@pytest.mark.parametrize("version", [3, 4, 900])
def test_versions_may_skip_numbers(version: int) -> None:
    document = opened("a")
    document.apply([edit((0, 1), (0, 1), "b")], 2)
    document.apply([edit((0, 2), (0, 2), "c")], version)
    assert (str(document.text), document.version, document.suspect) == ("abc", version, None)


@pytest.mark.parametrize("version", [-3, 0, 1])
def test_a_version_that_does_not_increase_is_doubted(version: int) -> None:
    document = opened("a")
    document.apply([edit((0, 1), (0, 1), "b")], version)
    assert document.suspect
    # What came is what counts: it is applied, and nothing is guessed.
    assert (str(document.text), document.version) == ("ab", version)


@pytest.mark.parametrize(
    "change",
    [edit((3, 0), (3, 0), "x"), edit((1, 0), (4, 0), "x"), edit((2**31 - 1, 0), (0, 0), "x")],
)
def test_a_range_far_outside_is_doubted(change: Change) -> None:
    document = opened("a\nb")
    document.apply([change], 2)
    # The last case is the whole text with its ends swapped.
    assert (document.suspect is None) == (change.range is not None and change.range[2:] == (0, 0))


def test_doubt_stays_until_the_full_text_comes() -> None:
    document = opened("a\nb")
    document.apply([edit((9, 0), (9, 0), "x")], 2)
    reason = document.suspect
    document.apply([edit((0, 0), (0, 0), "y")], 3)
    assert reason
    assert document.suspect == reason
    assert document.snapshot().suspect == reason
    document.apply([Change(None, "fresh")], 4)
    assert document.suspect is None


def test_the_full_text_clears_doubt_of_its_own_version() -> None:
    document = opened("a")
    document.apply([Change(None, "b")], 1)
    assert (str(document.text), document.suspect) == ("b", None)


def test_an_edit_after_the_full_text_is_judged_anew() -> None:
    document = opened("a")
    document.apply([Change(None, "b"), edit((7, 0), (7, 0), "x")], 2)
    assert document.suspect


def test_a_snapshot_outlives_later_changes() -> None:
    document = opened("a")
    snapshot = document.snapshot()
    document.apply([edit((0, 0), (0, 1), "b")], 2)
    assert (str(snapshot.text), snapshot.version) == ("a", 1)
