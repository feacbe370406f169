"""The fingerprint of a line is the one that GitHub's own action works out.

The values are the public ones of that action's tests (github/codeql-action, src/fingerprints).
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirdab.review.report.line_hash import line_hashes

ENDS = [
    "e9496ae3ebfced30:1",
    "fb7c023a8b9ccb3f:1",
    "ce8ba1a563dcdaca:1",
    "e20e36e16fcb0cc8:1",
    "b3edc88f2938467e:1",
    "c8e28b0b4002a3a0:1",
    "c129715d7a2bc9a3:1",
]


@pytest.mark.parametrize(
    ("content", "hashes"),
    [
        ("", ["c129715d7a2bc9a3:1"]),
        (
            " a\nb\n  \t\tc\n d",
            ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"],
        ),
        (" hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End\n", ENDS),
        (" hello; \t\nworld!!!\r\r\r  \t\tGreetings\r End\r", ENDS),
        (" hello; \t\r\nworld!!!\r\n\r\n\r\n  \t\tGreetings\r\n End\r\n", ENDS),
    ],
)
def test_published_values(content: str, hashes: list[str]) -> None:
    assert line_hashes(content) == hashes


def direct(content: str) -> list[int]:
    """The polynomial as it is defined, without rolling it along."""
    plain = content.replace("\r\n", "\n").replace("\r", "\n").replace(" ", "").replace("\t", "")
    lines = plain.split("\n")
    starts = [sum(len(line) + 1 for line in lines[:n]) for n in range(len(lines))]
    units = [*map(ord, plain), 0xFFFF, *[0] * 100]
    return [
        sum(unit * 37 ** (99 - n) for n, unit in enumerate(units[start : start + 100])) % 2**64
        for start in starts
    ]


@given(st.text(alphabet="ab \t\n\r(é漢)", max_size=400))
def test_it_is_the_polynomial(content: str) -> None:
    hashes = [int(one.partition(":")[0], 16) for one in line_hashes(content)]
    assert hashes == direct(content)


def test_equal_lines_are_numbered() -> None:
    repeated = line_hashes("x\n" * 150)
    assert len({one.partition(":")[0] for one in repeated[:50]}) == 1
    assert [one.partition(":")[2] for one in repeated[:3]] == ["1", "2", "3"]
