"""The pages about editors: their configurations are well formed, and the index knows them all."""

import json
import re
import tomllib
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "docs" / "editors"
NAMES = sorted(page.name for page in PAGES.glob("*.md"))


def blocks(page: str) -> list[tuple[str, str]]:
    """Return the code blocks of a page, each with its language."""
    text = (PAGES / page).read_text(encoding="utf-8")
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", NAMES)
def test_configurations_are_well_formed(page: str) -> None:
    found = blocks(page)
    assert found or page == "README.md"
    for language, code in found:
        if language == "json":
            # A part of an object ends with the comma that joins it to the rest.
            whole = code if code.startswith("{") else "{" + code.rstrip().removesuffix(",") + "}"
            json.loads(whole)
        elif language == "toml":
            tomllib.loads(code)
        elif language == "elisp":
            assert balanced(code), code


def balanced(code: str) -> bool:
    """Whether the brackets of a piece of Lisp match, comments and strings aside."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"|;.*', "", code)
    depth = 0
    for char in bare:
        depth += {"(": 1, ")": -1}.get(char, 0)
        if depth < 0:
            return False
    return depth == 0


@pytest.mark.parametrize("page", [name for name in NAMES if name != "README.md"])
def test_the_index_names_every_page(page: str) -> None:
    assert f"]({page})" in (PAGES / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", NAMES)
def test_links_within_the_repository_lead_somewhere(page: str) -> None:
    text = (PAGES / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (PAGES / target).exists(), target
