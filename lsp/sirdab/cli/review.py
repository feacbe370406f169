"""`sirdab review`: findings on correctness, security and performance in files and folders."""

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sirdab.cli import runtime
from sirdab.policy.sanitize import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sirdab.config.schema import Settings
    from sirdab.review.finding import Finding
    from sirdab.review.reviewer import Reviewer


@dataclass(slots=True)
class _Report:
    """What came of a run.

    Attributes:
        files: How many files were reviewed.
        findings: The file, as it was named, and each finding in it.
        skipped: Files that were not reviewed, and why, in one sentence.
        problem: Why the run ended early; "" when it did not.
    """

    files: int = 0
    findings: "list[tuple[Path, Finding]]" = field(default_factory=list["tuple[Path, Finding]"])
    skipped: list[tuple[Path, str]] = field(default_factory=list[tuple[Path, str]])
    problem: str = ""


@click.command(
    "review",
    epilog="Example: sirdab review src/app.py",
    short_help="Print what the model finds wrong in files and folders.",
)
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH…")
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json", "sarif"]),
    default="text",
    show_default=True,
    help="How to print the findings; sarif is not in this version.",
)
@click.option("--url", help='Address of the model server; "auto" for the embedded one.')
@click.option("--model", help="Model to use: a catalog name or the path of a GGUF file.")
def command(paths: tuple[Path, ...], style: str, url: str | None, model: str | None) -> int:
    """Review the code of each PATH, a file or a folder.

    The exit code is 0 when the review was carried out, whatever it found.
    """
    if style == "sarif":
        raise click.UsageError("--format sarif is not in this version; use json.")
    for path in paths:
        if not path.exists():
            raise click.UsageError(f"{path} does not exist; check the path.")
    settings, problems = runtime.user_settings(url=url, model=model)
    errors = runtime.console(stderr=True)
    for problem in problems:
        errors.print(f"sirdab: {problem}", markup=False)
    # Whoever runs this command wants a review, whatever the editor's setting says.
    settings = replace(settings, review=replace(settings.review, enabled=True))
    report = asyncio.run(_review(paths, settings, style))
    if style == "json":
        runtime.echo_json(_as_dict(report))
    else:
        for path, reason in report.skipped:
            said = visible(f"{path} is not reviewed: {reason}")
            errors.print(f"sirdab: {said}", markup=False)
        files = f"{report.files} file{'' if report.files == 1 else 's'}"
        findings = len(report.findings)
        errors.print(
            f"{findings} finding{'' if findings == 1 else 's'} in {files}",
            style="dim",
            markup=False,
        )
    if report.problem:
        errors.print(f"sirdab: {report.problem}", markup=False)
        return 1
    return 0


async def _review(paths: tuple[Path, ...], settings: "Settings", style: str) -> _Report:
    from rich.markup import escape

    from sirdab.endpoint.lane import Lane
    from sirdab.policy.audit import AuditTrail, default_path
    from sirdab.review.reviewer import Reviewer

    errors = runtime.console(stderr=True)
    status = errors.status("Reviewing") if errors.is_terminal else None
    report = _Report()

    def say(message: str) -> None:
        if status is not None:
            status.update(escape(message))

    if status is not None:
        status.start()
    try:
        async with runtime.engine(settings, say) as (_, manager):
            reviewer = Reviewer(manager, Lane(), audit=AuditTrail(default_path()))
            for path, whole, folder in _files(paths, settings, reviewer):
                say(f"Reviewing {visible(str(path))}")
                await _review_file(path, whole, folder, settings, reviewer, report, style)
                if report.problem:
                    break
    finally:
        if status is not None:
            status.stop()
    return report


def _files(
    paths: tuple[Path, ...], settings: "Settings", reviewer: "Reviewer"
) -> "Iterable[tuple[Path, Path, Path]]":
    """Yield each file once: as named, whole, and the folder its ignore files are looked up from."""
    from sirdab.review.files import files_of

    seen: set[Path] = set()
    for named in paths:
        found = [named]
        if named.is_dir():
            folder = str(named.absolute())
            inside = files_of((folder,), settings, reviewer.gates)
            found = [named / path.relative_to(folder) for path in inside]
        for path in found:
            whole = path.absolute()
            if whole not in seen:
                seen.add(whole)
                yield path, whole, named.absolute() if named.is_dir() else whole.parent


async def _review_file(
    path: Path,
    whole: Path,
    folder: Path,
    settings: "Settings",
    reviewer: "Reviewer",
    report: _Report,
    style: str,
) -> None:
    from sirdab.review.dismissals import Dismissals
    from sirdab.review.files import snapshot_of
    from sirdab.review.request import ReviewRequest

    # An excluded file is not even read.
    rule = reviewer.gates.excluded_by(str(whole), settings, (str(folder),))
    if rule is not None:
        report.skipped.append((path, f"it is excluded by {rule}."))
        return
    snapshot = snapshot_of(whole)
    if snapshot is None:
        report.skipped.append((path, "it is not a text file in UTF-8, or is too large."))
        return
    result = await reviewer.review(ReviewRequest(snapshot, settings, (str(folder),)))
    if result.failed:
        report.problem = result.problem
    elif result.problem:
        report.skipped.append((path, result.problem))
        return
    else:
        report.files += 1
    dismissals = Dismissals()
    dismissals.refresh()
    # The name that the language server files the document under.
    document = (
        f"file://{whole.as_posix() if whole.as_posix()[0] == '/' else f'/{whole.as_posix()}'}"
    )
    for finding in result.findings:
        if dismissals.covers(finding, document):
            continue
        report.findings.append((path, finding))
        if style == "text":
            runtime.console().print(_line(path, finding), markup=False)


def _line(path: Path, finding: "Finding") -> str:
    place = f"{visible(str(path))}:{finding.start.line + 1}:{finding.start.column + 1}"
    return f"{place}: {finding.severity} {finding.category}/{finding.rule}: {finding.message}"


def _as_dict(report: _Report) -> dict[str, Any]:
    found: dict[str, Any] = {
        "files": report.files,
        "findings": [
            {
                "file": str(path),
                "line": finding.start.line + 1,
                "column": finding.start.column + 1,
                "endLine": finding.stop.line + 1,
                "endColumn": finding.stop.column + 1,
                "severity": finding.severity,
                "category": finding.category,
                "rule": finding.rule,
                "message": finding.message,
                "code": finding.code,
                "fingerprint": finding.fingerprint,
            }
            for path, finding in report.findings
        ],
        "skipped": [{"file": str(path), "reason": reason} for path, reason in report.skipped],
        "problem": report.problem or None,
    }
    return found
