"""What is to be rewritten, and how: frozen values, and how they are made."""

from dataclasses import dataclass, replace

from sirdab.config.schema import Settings
from sirdab.review import units
from sirdab.review.edit import Discipline
from sirdab.review.finding import Finding
from sirdab.review.refactor import docstyle, recipes
from sirdab.review.refactor.kinds import KINDS, Name
from sirdab.review.rules import Rule, rule_named
from sirdab.text.document import Snapshot

MAX_INSTRUCTION_CHARACTERS = 1_000
"""Longest instruction of a user, or message of a diagnostic, that is given to the model."""

# A fix leaves at least this share of the lines as they are, or it is no fix.
_KEPT_BY_A_FIX = 0.3


@dataclass(frozen=True, slots=True)
class Rewriting:
    """What is to be rewritten, and how.

    Attributes:
        kind: For the audit trail: "fix", "rewrite", or the name of a refactoring.
        snapshot: The document.
        settings: The settings in force.
        folders: Absolute paths that ignore files are looked up in.
        lines: First and last line, 0-based and inclusive.
        instruction: What is to be done.
        defect: Number of the line, 0-based, in which the instruction names a problem; None where
            it does not.
        keep: Share of the lines with code that has to stay.
        only_comments: Whether no code may change.
        rule: Id of the rule whose signs have to go; "" for none.
        keeps_texts: Whether the texts in the code have to stay.
        part: First and last line, 0-based, that are moved into a function; None where none are.
        stretch: First and last line, 0-based, of the finding of `rule`; None where it is about
            none.
    """

    kind: str
    snapshot: Snapshot
    settings: Settings
    folders: tuple[str, ...]
    lines: tuple[int, int]
    instruction: str
    defect: int | None = None
    keep: float = 0.0
    only_comments: bool = False
    rule: str = ""
    keeps_texts: bool = False
    part: tuple[int, int] | None = None
    stretch: tuple[int, int] | None = None

    @property
    def discipline(self) -> Discipline:
        """What the rewriting may do."""
        asked = self.kind == "rewrite"
        return Discipline(
            keep=self.keep,
            only_comments=self.only_comments,
            only_types=self.kind == "types",
            keeps_callers=not asked and not self.only_comments,
            near=self.defect,
            keeps_texts=self.keeps_texts,
            same=self.kind in ("simplify", "faster", "extract"),
            wanted=self.instruction if asked else "",
        )


def fix(
    snapshot: Snapshot,
    settings: Settings,
    folders: tuple[str, ...],
    lines: tuple[int, int],
    message: str,
) -> Rewriting:
    """Return the rewriting that removes a defect.

    Args:
        snapshot: The document.
        settings: The settings in force.
        folders: The workspace's folders.
        lines: Where the defect is, 0-based and inclusive.
        message: What is said of it.
    """
    around = _around(snapshot, lines)
    # On one line: what another server says may look like a task and code of its own.
    instruction = " ".join(message[:MAX_INSTRUCTION_CHARACTERS].split())
    return Rewriting(
        "fix", snapshot, settings, folders, around, instruction, lines[0], _KEPT_BY_A_FIX
    )


def fix_finding(
    snapshot: Snapshot, settings: Settings, folders: tuple[str, ...], finding: Finding
) -> Rewriting:
    """Return the rewriting that removes the defect of a finding, by the cure of its rule."""
    lines = finding.start.line, finding.stop.line
    rule = rule_named(finding.rule)
    if rule is None:
        return fix(snapshot, settings, folders, lines, finding.message)
    return fix_rule(snapshot, settings, folders, lines, rule)


def fix_rule(
    snapshot: Snapshot,
    settings: Settings,
    folders: tuple[str, ...],
    lines: tuple[int, int],
    rule: Rule,
) -> Rewriting:
    """Return the rewriting that removes a defect of a rule in some lines, by the rule's cure."""
    said = f"{rule.title}. {rule.cure}"
    shown = recipes.recipe(rule.id, snapshot.language_id)
    if shown:
        said = f"{said} For example:\n{shown}\n" if "\n" in shown else f"{said} Like this: {shown}"
    wanted = fix(snapshot, settings, folders, lines, said)
    # A query, a path or a key has to become another text; what a loop puts together must not.
    keeps_texts = rule.category != "security" and rule.id != "query-in-loop"
    return replace(wanted, rule=rule.id, keeps_texts=keeps_texts, stretch=lines)


def refactor(
    name: Name,
    snapshot: Snapshot,
    settings: Settings,
    folders: tuple[str, ...],
    lines: tuple[int, int],
    part: tuple[int, int] | None = None,
) -> Rewriting:
    """Return the rewriting that carries out a refactoring.

    Args:
        name: Its name; see `kinds.KINDS`.
        snapshot: The document.
        settings: The settings in force.
        folders: The workspace's folders.
        lines: First and last line that may change, 0-based and inclusive.
        part: First and last line of what is extracted.
    """
    kind = KINDS[name]
    task = kind.task
    if name == "document":
        task = f"{task} {docstyle.task_of(snapshot.text, snapshot.language_id)}".strip()
    return Rewriting(
        name,
        snapshot,
        settings,
        folders,
        lines,
        task,
        only_comments=name == "document",
        part=part if kind.extracts else None,
    )


def document(
    snapshot: Snapshot, settings: Settings, folders: tuple[str, ...], lines: tuple[int, int]
) -> Rewriting:
    """Return the rewriting that adds documentation and touches no code."""
    return refactor("document", snapshot, settings, folders, lines)


def simplify(
    snapshot: Snapshot, settings: Settings, folders: tuple[str, ...], lines: tuple[int, int]
) -> Rewriting:
    """Return the rewriting that makes code simpler."""
    return refactor("simplify", snapshot, settings, folders, lines)


def instructed(
    snapshot: Snapshot,
    settings: Settings,
    folders: tuple[str, ...],
    lines: tuple[int, int],
    instruction: str,
) -> Rewriting:
    """Return the rewriting that does what the user says."""
    said = instruction.strip()[:MAX_INSTRUCTION_CHARACTERS]
    return Rewriting("rewrite", snapshot, settings, folders, lines, said)


def _around(snapshot: Snapshot, lines: tuple[int, int]) -> tuple[int, int]:
    """Return the lines of the unit that some lines lie in, or those lines."""
    first, last = lines
    for unit in units.split(snapshot.text, snapshot.language_id):
        if unit.first <= first and last <= unit.last:
            return unit.first, unit.last
    return first, last
