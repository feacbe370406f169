"""What may be said to `sirdab review`, and the settings that come of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

if TYPE_CHECKING:
    from sirdab.config.schema import ReviewSettings, Settings
    from sirdab.review.finding import Severity

STDIN = Path("-")

_CATEGORIES = ("correctness", "security", "performance")
_SEVERITIES = ("hint", "low", "information", "medium", "warning", "high", "error")
_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one run.

    Attributes:
        revision: What `--changed` compares with: "" for HEAD, None for no comparison.
        staged: Whether only what is staged is reviewed.
        fail_on: The severity from which on the command fails; None for never.
        min_severity: The least severity that is shown; None for that of the settings.
        categories: What is looked for; empty for what the settings say.
        rules: The rules whose findings are shown; empty for all.
        votes: How often each finding is put to the vote; None for what the settings say.
        explain: Whether it is said what is not shown, and why.
        include_dismissed: Whether what was dismissed or ignored is shown as well.
        style: The form of the report.
        output: The file it is written into; None for standard output.
        stdin_filename: What the document is called that comes from standard input.
    """

    revision: str | None
    staged: bool
    fail_on: "Severity | None"
    min_severity: "Severity | None"
    categories: tuple[str, ...]
    rules: tuple[str, ...]
    votes: 'Literal["auto"] | int | None'
    explain: bool
    include_dismissed: bool
    style: Literal["text", "concise", "json", "sarif"]
    output: Path | None
    stdin_filename: Path | None

    @property
    def is_text(self) -> bool:
        """Whether findings are printed as they are found."""
        return self.style in ("text", "concise")

    @property
    def nothing(self) -> str:
        """What is said where there is no file to review."""
        if self.staged:
            return "There is nothing to review: no source code is staged here."
        if self.revision is not None:
            return "There is nothing to review: no source code has changed here."
        return "There is nothing to review: no source code is there that is not excluded."

    def check(self, paths: tuple[Path, ...]) -> tuple[Path, ...]:
        """Return the paths that are meant.

        Raises:
            click.UsageError: Something is missing, or does not go together.
        """
        only_changes = self.revision is not None or self.staged
        is_stdin = STDIN in paths
        if self.revision is not None and self.staged:
            raise click.UsageError("--changed and --staged exclude each other; leave one out.")
        if is_stdin and (len(paths) > 1 or only_changes):
            raise click.UsageError("- stands alone: it is the document on standard input.")
        if is_stdin != (self.stdin_filename is not None):
            raise click.UsageError("- and --stdin-filename belong together; give both.")
        if not paths and not only_changes:
            raise click.UsageError("Missing argument 'PATH…'.")
        for path in paths:
            # A file that is staged may be gone by now.
            if not is_stdin and not self.staged and not _exists(path):
                raise click.UsageError(f"{path} does not exist; check the path.")
        return paths or (Path(),)

    def applied(self, settings: "Settings") -> "Settings":
        """Return the settings with what the command line says."""
        # Whoever runs this command wants a review, whatever the editor's setting says.
        review: ReviewSettings = replace(settings.review, enabled=True)
        categories = self.categories or self._categories_of_rules()
        if categories:
            review = replace(review, categories=categories)
        if self.min_severity is not None:
            review = replace(review, minimum_severity=self.min_severity)
        if self.votes is not None:
            review = replace(review, votes=self.votes)
        return replace(settings, review=review)

    def _categories_of_rules(self) -> tuple[str, ...]:
        if not self.rules:
            return ()
        from sirdab.review.rules import all_rules

        wanted = {rule.category for rule in all_rules() if rule.id in self.rules}
        return tuple(category for category in _CATEGORIES if category in wanted)


class ReviewCommand(click.Command):
    """Takes `--changed` without a value: click would take the path behind it for one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command line."""
        end = args.index("--") if "--" in args else len(args)
        args[:end] = ["--changed=" if word == "--changed" else word for word in args[:end]]
        return super().parse_args(ctx, args)


class PathToReview(click.Path):
    """A path that is not empty: an empty variable of a script must not name the whole folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return it as a `Path`."""
        if value == "":
            self.fail("A path is empty; name a file or a folder.", param, ctx)
        return super().convert(value, param, ctx)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        # Its name is too long, or a folder on the way may not be entered.
        return False


def _severity(ctx: click.Context, param: click.Parameter, value: str | None) -> "Severity | None":
    del ctx, param
    from sirdab.review.report.record import WORDS

    return None if value is None else WORDS[value]


def _votes(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> 'Literal["auto"] | int | None':
    if value is None or value == "auto":
        return value
    if value in tuple("0123456789"):
        return int(value)
    raise click.BadParameter(f'{value} is neither a number from 0 to 9 nor "auto".', ctx, param)


def _rules(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    if value:
        from difflib import get_close_matches

        from sirdab.review.rules import all_rules

        known = [rule.id for rule in all_rules()]
        for name in value:
            if name not in known:
                near = get_close_matches(name, known, n=1) or known[:1]
                raise click.BadParameter(f"There is no rule {name}; try {near[0]}.", ctx, param)
    return value


_OPTIONS = (
    click.option(
        "--changed",
        "revision",
        metavar="[=REVISION]",
        help="Review only functions that differ from HEAD, or from where HEAD left REVISION.",
    ),
    click.option(
        "--staged", is_flag=True, help="Review only functions that are staged, as staged."
    ),
    click.option(
        "--fail-on",
        type=click.Choice(_SEVERITIES),
        callback=_severity,
        help="Exit with 1 when a finding is as grave as this, or graver.",
    ),
    click.option(
        "--min-severity",
        type=click.Choice(_SEVERITIES),
        callback=_severity,
        help="Show nothing that is less grave.",
    ),
    click.option(
        "--category",
        "categories",
        multiple=True,
        type=click.Choice(_CATEGORIES),
        help="Look for this only; may be given more than once.",
    ),
    click.option(
        "--rule",
        "rules",
        multiple=True,
        callback=_rules,
        metavar="NAME",
        help="Show findings of this rule only; may be given more than once.",
    ),
    click.option(
        "--votes",
        callback=_votes,
        metavar="NUMBER",
        help='How often each finding is put to the vote, from 0 to 9, or "auto".',
    ),
    click.option(
        "--explain", is_flag=True, help="Say what the model named and why it is not shown."
    ),
    click.option(
        "--include-dismissed",
        is_flag=True,
        help="Show what was dismissed or ignored as well.",
    ),
    click.option(
        "--format",
        "style",
        type=click.Choice(["text", "concise", "json", "sarif"]),
        default="text",
        show_default=True,
        help="How to print the findings; concise is one line each.",
    ),
    click.option(
        "--output",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Write the findings into this file.",
    ),
    click.option(
        "--stdin-filename",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="What the document is called that is read where PATH is -.",
    ),
)


def review_options(function: _Function) -> _Function:
    """Give a command the options of a review."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function
