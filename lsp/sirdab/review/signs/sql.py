"""Signs of SQL into which values are put as text."""

import re
from collections.abc import Iterator

from sirdab.review.signs.assembled import open_parts
from sirdab.review.signs.registry import PYTHON, SCRIPT, sign
from sirdab.review.signs.scene import Scene
from sirdab.review.signs.texts import first_text, whole_text, words_of
from sirdab.review.tree import Node

_STATEMENT = re.compile(
    r"(?is)^\W*(select\b.{1,400}\bfrom\b|insert\s+(or\s+\w+\s+)?into\b|update\b.{1,200}\bset\b|"
    r"delete\s+from\b|drop\s+(table|index)|create\s+(table|index)|alter\s+table|"
    r"replace\s+into\b|with\s+\w+\s+as\b)"
)


@sign("sql-injection", *PYTHON, *SCRIPT)
def sql_injection(scene: Scene) -> Iterator[Node]:
    """Yield statements of SQL into which values are put as text."""
    for node in scene.all("string", "concatenated_string", "template_string"):
        whole = whole_text(node)
        if whole is node or node.start == first_text(whole).start:
            words = words_of(whole)
            if _STATEMENT.search(words) and open_parts(scene, whole):
                yield whole
    for node in scene.all("augmented_assignment", "augmented_assignment_expression"):
        # query += " AND name = '" + name + "'"
        left, right = node.child("left"), node.child("right")
        if left is None or right is None or not re.search(r"(?i)sql|query|stmt", left.text):
            continue
        words = words_of(right)
        if re.search(r"(?i)\b(where|and|or|set|values|order by|limit)\b.*[=(<>]", words) and (
            open_parts(scene, right)
        ):
            yield node
