"""`sirdab review`: findings on correctness, security and performance in files and folders."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sirdab.cli import runtime
from sirdab.cli.review_options import Options, PathToReview, ReviewCommand, review_options

if TYPE_CHECKING:
    from sirdab.cli.review_screen import Screen
    from sirdab.config.schema import Settings
    from sirdab.review.gates import Gates
    from sirdab.review.report.record import Report
    from sirdab.review.reviewer import Reviewer
    from sirdab.review.sources import Found


@click.command(
    "review",
    cls=ReviewCommand,
    epilog="Example: sirdab review src/app.py",
    short_help="Print what the model finds wrong in files and folders.",
)
@click.argument("paths", nargs=-1, type=PathToReview(path_type=Path), metavar="PATH…")
@review_options
@click.option("--url", help='Address of the model server; "auto" for the embedded one.')
@click.option("--model", help="Model to use: a catalog name or the path of a GGUF file.")
def command(paths: tuple[Path, ...], url: str | None, model: str | None, **given: Any) -> int:
    """Review the code of each PATH, a file, a folder, or - for standard input.

    With --changed or --staged, PATH may be left out: then it is this folder.

    The exit code is 0 when the review was carried out, whatever it found, unless --fail-on says
    otherwise; 1 when it could not be carried out; 130 after Ctrl-C, which keeps what was found.
    """
    from sirdab.cli.review_screen import Screen
    from sirdab.review.report.record import Report

    options = Options(**given)
    paths = options.check(paths)
    settings, problems = runtime.user_settings(url=url, model=model)
    screen = Screen(options)
    for problem in problems:
        screen.say(f"sirdab: {problem}")
    report = Report()
    try:
        with screen:
            asyncio.run(_review(paths, options.applied(settings), options, screen, report))
    except KeyboardInterrupt:
        report.interrupted = True
        report.problem = "The review was stopped; what was found until then is kept."
    _tell(report, screen, options)
    if report.interrupted:
        return 130
    is_grave = options.fail_on is not None and report.has_at_least(options.fail_on)
    return 1 if report.problem or is_grave else 0


async def _review(
    paths: tuple[Path, ...],
    settings: "Settings",
    options: Options,
    screen: "Screen",
    report: "Report",
) -> None:
    from sirdab.endpoint.lane import Lane
    from sirdab.policy.audit import AuditTrail, default_path
    from sirdab.review import store
    from sirdab.review.evidence import Linter
    from sirdab.review.reviewer import Reviewer

    async with runtime.engine(settings, screen.state) as (_, manager):
        reviewer = Reviewer(
            manager,
            Lane(),
            audit=AuditTrail(default_path()),
            store=store.ReviewStore(store.default_path()),
            evidence=Linter(),
        )
        try:
            await _run(reviewer, paths, settings, options, screen, report)
        finally:
            reviewer.close()


async def _run(
    reviewer: "Reviewer",
    paths: tuple[Path, ...],
    settings: "Settings",
    options: Options,
    screen: "Screen",
    report: "Report",
) -> None:
    from sirdab.review.batch import Batch, Listener
    from sirdab.review.dismissals import Dismissals

    found = await asyncio.to_thread(_sources, paths, settings, options, reviewer.gates)
    if found.more:
        screen.say(
            f"sirdab: no more than {len(found.sources):,} files are reviewed at once; review "
            "the others folder by folder."
        )
    folders = tuple({str(source.folder): None for source in found.sources})
    batch = Batch(
        reviewer,
        settings,
        Listener(screen.found, screen.dropped, screen.skipped, screen.progress),
        dismissals=Dismissals(folders=lambda: folders),
        rules=options.rules,
        report=report,
    )
    await batch.run(found.sources)


def _sources(
    paths: tuple[Path, ...], settings: "Settings", options: Options, gates: "Gates"
) -> "Found":
    """Return what is to be reviewed; it reads the disk, and standard input."""
    from sirdab.review.changes import changed_sources, staged_sources
    from sirdab.review.files import MOST_BYTES
    from sirdab.review.git import GitError
    from sirdab.review.sources import Found, given, sources_of

    if options.stdin_filename is not None:
        document = given(sys.stdin.buffer.read(MOST_BYTES + 1), options.stdin_filename)
        if isinstance(document.content, str):
            reason = document.content.removesuffix(".")
            raise click.ClickException(f"Standard input cannot be reviewed: {reason}.")
        return Found([document], False)
    try:
        if options.staged:
            return staged_sources(paths, settings, gates)
        if options.revision is not None:
            return changed_sources(paths, settings, gates, options.revision)
    except GitError as error:
        raise click.ClickException(error.message) from error
    return sources_of(paths, settings, gates)


def _tell(report: "Report", screen: "Screen", options: Options) -> None:
    """Print what is printed at the end."""
    from sirdab.review.report.json import as_json
    from sirdab.review.report.sarif import as_sarif
    from sirdab.review.report.text import summary
    from sirdab.review.report.write import dumps, write

    encoding = runtime.output_encoding() if options.output is None else "utf-8"
    if options.is_text:
        content = "".join(f"{line}\n" for line in screen.written)
    elif options.style == "sarif":
        content = dumps(as_sarif(report, suppressed=options.include_dismissed), encoding)
    else:
        shown = options.include_dismissed
        content = dumps(as_json(report, suppressed=shown, dropped=options.explain), encoding)
    if options.output is not None:
        try:
            write(options.output, content)
        except OSError as error:
            raise click.ClickException(
                f"{options.output} cannot be written ({error.strerror}); name another file."
            ) from error
    elif not options.is_text:
        click.echo(content)
    screen.say(summary(report, options.nothing), style="dim")
    if report.problem:
        screen.say(f"sirdab: {report.problem}")
