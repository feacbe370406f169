"""A file with one defect, and a model that finds it and repairs it."""

import json
from typing import Any

from tests.support.editors.session import ModelServer

# Characters outside of the first plane stand before the defect and on its line.
SOURCE = '''\
"""😀 漢字"""


def add(item, basket=[], mark="😀"):
    basket.append(item)
    return basket


print(add("😀"))
'''

TITLE = "Mutable default argument"
"""What the finding is called."""

FIXED = '''\
"""😀 漢字"""


def add(item, basket=None, mark="😀"):
    if basket is None:
        basket = []
    basket.append(item)
    return basket


print(add("😀"))
'''

_FINDING = {
    "rule": "mutable-default",
    "line": 1,
    "code": "def add(item, basket=[], mark=",
    "severity": "warning",
    "message": "All calls share one basket.",
}
_REWRITTEN = "\n".join(FIXED.splitlines()[3:8])


def review_with(model: ModelServer) -> None:
    """Make a model server find the defect and repair it."""

    def answer(body: dict[str, Any]) -> tuple[str, ...]:
        if "json_schema" in body:
            return (json.dumps({"findings": [_FINDING]}),)
        return (f"```python\n{_REWRITTEN}\n```\n",)

    model.fake.answer = answer
