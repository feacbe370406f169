"""The file that the parts of the bench share."""

import json
import sys
from typing import Any

from bench.copying.places import ROOT

RESULTS = ROOT / "bench" / "results"


def load() -> dict[str, Any]:
    """Return what has been measured so far."""
    path = RESULTS / "copying.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def save(raw: dict[str, Any]) -> None:
    """Write what has been measured so far."""
    path = RESULTS / "copying.json"
    path.write_text(json.dumps(raw, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def tell(line: str) -> None:
    """Report progress."""
    sys.stderr.write(line + "\n")
