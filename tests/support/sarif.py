"""Judges SARIF logs: by the schema, and by what the schema cannot say.

The schema is that of the standard (OASIS, "SARIF Version 2.1.0 JSON Schema", in its SchemaStore
edition), which the npm package @microsoft/jest-sarif carries; `make setup` installs it.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest

_SCHEMA = (
    Path(__file__).parents[2]
    / "node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"
)
# RFC 3986, section 4.2: a relative reference whose first segment has no colon.
_RELATIVE = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=@/-]|%[0-9A-F]{2})+", re.ASCII)


@cache
def _validator() -> Any:
    jsonschema = pytest.importorskip("jsonschema", reason="`make setup` installs jsonschema")
    if not _SCHEMA.is_file():
        pytest.skip("the schema of SARIF is in an npm package; run: npm ci")
    schema = json.loads(_SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft4Validator.check_schema(schema)
    return jsonschema.Draft4Validator(schema)


def check_schema(log: dict[str, Any]) -> None:
    """Fail where a log is not as the schema says."""
    problems = [f"{list(e.absolute_path)}: {e.message}" for e in _validator().iter_errors(log)]
    assert problems == []


def check_meaning(log: dict[str, Any], sources: dict[str, str]) -> None:
    """Fail where a log says something that is not so.

    Args:
        log: The log.
        sources: The files by their names in the project.
    """
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    taxa = run["taxonomies"][0]["taxa"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for rule in rules:
        for relationship in rule.get("relationships", []):
            target = relationship["target"]
            assert taxa[target["index"]]["id"] == target["id"]
    for artifact in run["artifacts"]:
        assert _RELATIVE.fullmatch(artifact["location"]["uri"])
        assert artifact["location"]["uriBaseId"] in run["originalUriBaseIds"]
    marked = ["suppressions" in result for result in run["results"]]
    # Section 3.27.23.
    assert all(marked) or not any(marked)
    for result in run["results"]:
        if "ruleIndex" in result:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        _check_place(result["locations"][0]["physicalLocation"], run, sources)


def _check_place(place: dict[str, Any], run: dict[str, Any], sources: dict[str, str]) -> None:
    location = place["artifactLocation"]
    artifact = run["artifacts"][location["index"]]["location"]
    assert {key: location[key] for key in artifact} == artifact
    name = unquote_to_bytes(location["uri"]).decode("utf-8", "surrogateescape")
    lines = re.split(r"\r\n|\n|\r", sources[name])
    for region in filter(None, (place["region"], place.get("contextRegion"))):
        first, last = region["startLine"], region["endLine"]
        assert 1 <= first <= last <= len(lines)
        if "snippet" not in region:
            continue
        rows = [line.encode("utf-16-le", "surrogatepass") for line in lines[first - 1 : last]]
        # Columns are counted in units of UTF-16 from 1; the last one is behind the region.
        rows[-1] = rows[-1][: (region["endColumn"] - 1) * 2]
        rows[0] = rows[0][(region["startColumn"] - 1) * 2 :]
        text = "\n".join(row.decode("utf-16-le", "surrogatepass") for row in rows)
        assert region["snippet"]["text"] == text
