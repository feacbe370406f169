"""What the engine sends of a document that holds secrets, and of one that is excluded."""

import pytest

from sirdab.completion.request import Reason
from tests.support.completion import complete

BODY = [
    "Zq3vT9xK1mWc7LpR4sYb8NdH2gJf6QaE5uXk0VtM3hPz9CwS7rLy1BnD8eGo4I" + "xU",
    "xU4oGe8DnB1yLr7SwC9zPh3MtV0kXu5EaQ6fJg2HdN8bYs4RpL7cWm1Kx9Tv3q" + "Z1",
    "Zq3vT9xK1mWc7LpR4sYb8NdH2gJf6Q" + "==",
]
KEY = ["-----BEGIN PRIVATE " + "KEY-----", *BODY, "-----END PRIVATE " + "KEY-----"]
LINES = ["import ssl", "", 'key = """', *KEY, '"""', "", "def load(path):", "    return ", ""]


def holds_part(text: str) -> bool:
    return any(part[n : n + 16] in text for part in BODY for n in range(len(part) - 16))


@pytest.mark.parametrize("line", range(len(LINES)))
@pytest.mark.parametrize("where", ["start", "middle", "end"])
async def test_no_part_of_a_private_key_is_sent_from_anywhere(line: int, where: str) -> None:
    column = {"start": 0, "middle": len(LINES[line]) // 2, "end": len(LINES[line])}[where]
    marked = [*LINES]
    marked[line] = f"{LINES[line][:column]}$0{LINES[line][column:]}"
    outcome, endpoint = await complete("\n".join(marked), "never")
    assert not any(map(holds_part, map(str, endpoint.requests)))
    if LINES[line] in BODY:
        assert outcome.reason is Reason.SECRET
        assert endpoint.requests == []


@pytest.mark.parametrize("line", range(4, 8))
async def test_a_new_line_within_a_private_key_gets_no_suggestion(line: int) -> None:
    marked = [*LINES[:line], "$0", *LINES[line:]]
    outcome, endpoint = await complete("\n".join(marked), "never")
    assert not any(map(holds_part, map(str, endpoint.requests)))
    if line > 4:
        assert outcome.reason is Reason.SECRET


@pytest.mark.parametrize(
    "uri",
    [
        "file://server/share/.env",
        "file://wsl.localhost/Ubuntu/home/me/.aws/credentials",
        "vscode-remote://ssh-remote%2Bbox/home/me/.env",
        "git:/work/.env?%7B%7D",
        "untitled:.env",
        "file:///work/server.pem#part",
    ],
)
async def test_a_secret_file_is_not_completed_wherever_it_lies(uri: str) -> None:
    outcome, endpoint = await complete("NAME=$0", "never", uri=uri)
    assert outcome.reason is Reason.EXCLUDED
    assert endpoint.requests == []
