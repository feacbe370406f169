"""What the real model makes of plain defects and of code that is right."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sirdab.endpoint.lane import Lane
from sirdab.endpoint.llamacpp import LlamaCppEndpoint
from sirdab.policy.loopback import check_endpoint_url
from sirdab.review.request import Review, ReviewRequest
from sirdab.review.reviewer import Reviewer
from sirdab.review.store import ReviewStore
from tests.support.real_llamacpp import KEY, engine
from tests.support.review import SQL, regrade, settings, snapshot

pytestmark = [pytest.mark.real_model, pytest.mark.timeout(300)]

PARAMETERS = SQL.replace("""name = '" + name + "'")""", 'name = ?", (name,))')
ONE_TOO_MANY = """\
def show(items):
    for index in range(len(items) + 1):
        print(index, items[index])
"""
ALL_BUT_ONE = ONE_TOO_MANY.replace(" + 1", "")
INVERTED = """\
def close(self):
    if self._handle is None:
        self._handle.close()
        self._handle = None
"""
UPRIGHT = INVERTED.replace("is None", "is not None")


class Source:
    """The endpoint that there is, and how often it is asked."""

    def __init__(self, endpoint: LlamaCppEndpoint) -> None:
        self._endpoint = endpoint
        self.asked = 0

    async def acquire(self) -> LlamaCppEndpoint:
        self.asked += 1
        return self._endpoint


@pytest.fixture(scope="module")
def engine_url(real_model_path: Path) -> Iterator[str]:
    with engine(real_model_path, 1) as url:
        yield url


@pytest.fixture
async def source(engine_url: str) -> AsyncIterator[Source]:
    address = check_endpoint_url(engine_url, allow_remote=False)
    endpoint = LlamaCppEndpoint(address, api_key=KEY, timeout_ms=60_000)
    yield Source(endpoint)
    await endpoint.aclose()


async def reviewed(source: Source, content: str, language: str = "python") -> Review:
    request = ReviewRequest(snapshot(content, language), settings())
    found = await Reviewer(source, Lane(quiet_s=0)).review(request)
    assert found.problem == ""
    return found


@pytest.mark.parametrize(
    ("wrong", "right", "rule"),
    [
        (SQL, PARAMETERS, "sql-injection"),
        (ONE_TOO_MANY, ALL_BUT_ONE, "off-by-one"),
        (INVERTED, UPRIGHT, "inverted-condition"),
    ],
)
async def test_a_plain_defect_is_found_and_its_cure_is_not(
    source: Source, wrong: str, right: str, rule: str
) -> None:
    assert rule in [finding.rule for finding in (await reviewed(source, wrong)).findings]
    assert rule not in [finding.rule for finding in (await reviewed(source, right)).findings]


async def test_what_upholds_a_finding_is_its_cure(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whatever the rule is worth by itself, here the model decides.
    regrade(monkeypatch, inverted_condition=("sign", "rewrite"))
    found = await reviewed(source, INVERTED)
    (finding,) = (one for one in found.findings if one.rule == "inverted-condition")
    assert finding.replacement is not None
    assert finding.confidence > 0.5
    cured = INVERTED.replace(finding.code, finding.replacement)
    assert "inverted-condition" not in [
        one.rule for one in (await reviewed(source, cured)).findings
    ]


async def test_the_next_session_asks_nothing(source: Source, tmp_path: Path) -> None:
    content = f"{SQL}\n\n{INVERTED}"
    request = ReviewRequest(snapshot(content), settings())
    store = ReviewStore(tmp_path / "cache" / "reviews.sqlite3")
    reviewer = Reviewer(source, Lane(quiet_s=0), store=store)
    first = await reviewer.review(request)
    reviewer.close()
    asked = source.asked
    assert Reviewer(source, Lane(quiet_s=0), store=store).recall(request) == first.units
    assert source.asked == asked
    store.close()
