"""`sirdab doctor`: says what works on this machine, what does not, and what to do."""

import asyncio
import platform
import sys
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import click

from sirdab import __version__
from sirdab.cli import runtime

if TYPE_CHECKING:
    from sirdab.config.schema import Settings


class Verdict(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the report.

    Attributes:
        name: What was looked at.
        verdict: How it ended.
        detail: What was found; when it failed, what to do.
    """

    name: str
    verdict: Verdict
    detail: str


_SNIPPET = 'def add(a, b):\n    """Return the sum of a and b."""\n    return '


@click.command(
    "doctor",
    epilog="Example: sirdab doctor --json",
    short_help="Check that everything needed for ghost text works.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--url", help='Address of the model server; "auto" for the embedded one.')
@click.option("--model", help="Model to use: a catalog name or the path of a GGUF file.")
def command(as_json: bool, url: str | None, model: str | None) -> int:
    """Check Python, the settings, the model server and the model with one real round trip."""
    settings, problems = runtime.user_settings(url=url, model=model)
    checks = [_python(), _configuration(problems), _policy(settings)]
    checks += asyncio.run(_endpoint(settings))
    works = all(check.verdict is not Verdict.FAILED for check in checks)
    if as_json:
        report = {"version": __version__, "ok": works, "checks": [asdict(item) for item in checks]}
        runtime.echo_json(report)
    else:
        _print(checks, works=works)
    return 0 if works else 1


def _python() -> Check:
    found = f"Python {platform.python_version()} at {sys.executable}, Sirdab {__version__}"
    return Check("Python", Verdict.OK, found)


def _configuration(problems: tuple[str, ...]) -> Check:
    from sirdab.config.settings import config_path

    if problems:
        return Check("Settings", Verdict.WARNING, " ".join(problems))
    path = config_path()
    return Check(
        "Settings", Verdict.OK, f"{path}" if path.exists() else f"defaults ({path} is not there)"
    )


def _policy(settings: "Settings") -> Check:
    from sirdab.policy.loopback import PolicyError, check_endpoint_url

    endpoint = settings.endpoint
    if endpoint.url == "auto":
        return Check("Locality", Verdict.OK, "the embedded server, on this machine only")
    try:
        address = check_endpoint_url(endpoint.url, allow_remote=endpoint.allow_remote)
    except PolicyError as error:
        return Check("Locality", Verdict.FAILED, str(error))
    if not address.is_loopback:
        return Check(
            "Locality",
            Verdict.WARNING,
            f"your code is sent over the network to {address.host}; "
            "set endpoint.allowRemote to false to forbid that.",
        )
    return Check("Locality", Verdict.OK, f"{endpoint.url} is on this machine")


async def _endpoint(settings: "Settings") -> list[Check]:
    from sirdab.endpoint.base import EndpointError

    checks: list[Check] = []
    try:
        async with runtime.engine(settings) as (engine, manager):
            endpoint = await manager.acquire()
            info = await endpoint.describe()
            checks.append(Check("Endpoint", Verdict.OK, f"{info.url} answers"))
            family = info.family
            fill = "fills in the middle" if family.fim else "continues text only"
            checks.append(
                Check(
                    "Model",
                    Verdict.OK if family.fim else Verdict.WARNING,
                    f"{info.name}, family {family.title}, {fill}, "
                    f"{info.context_tokens:,} tokens of context",
                )
            )
            checks.extend(_choice(settings))
            checks.append(await _round_trip(engine, settings))
    except EndpointError as error:
        checks.append(Check("Endpoint", Verdict.FAILED, error.message))
    return checks


def _choice(settings: "Settings") -> list[Check]:
    """Say why "auto" means the model that it means, where there was something to choose by."""
    from sirdab.models import store
    from sirdab.models.errors import ModelError

    if (settings.endpoint.url, settings.endpoint.model) != ("auto", store.AUTO):
        return []
    try:
        reason = store.find(store.AUTO).reason
    except ModelError:
        return []
    return [Check("Choice", Verdict.OK, reason)] if reason else []


async def _round_trip(engine: "runtime.Engine", settings: "Settings") -> Check:
    from sirdab.cli.complete import summary
    from sirdab.completion.request import CompletionRequest, Trigger
    from sirdab.text.document import Snapshot
    from sirdab.text.store import Point, Text

    text = Text(_SNIPPET)
    outcome = await engine.complete(
        CompletionRequest(
            snapshot=Snapshot("untitled:doctor.py", "python", 0, text),
            point=Point(text.end.line, text.end.column),
            trigger=Trigger.INVOKED,
            settings=settings,
        )
    )
    if not outcome.suggestions:
        return Check("Completion", Verdict.FAILED, outcome.detail)
    suggestion = outcome.suggestions[0].text
    return Check("Completion", Verdict.OK, f'"return " → "{suggestion}" ({summary(outcome.trace)})')


def _print(checks: list[Check], *, works: bool) -> None:
    from rich.table import Table
    from rich.text import Text as RichText

    out = runtime.console()
    colours = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.FAILED: "red"}
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for check in checks:
        table.add_row(
            RichText(check.verdict.value, style=colours[check.verdict]),
            check.name,
            RichText(check.detail, overflow="fold"),
        )
    if out.is_terminal:
        out.print(table)
    else:
        # One line a check, however long, is what `grep` and people who report a fault need.
        for check in checks:
            out.print(f"{check.verdict.value:<8} {check.name:<11} {check.detail}", markup=False)
    out.print("Ghost text works here." if works else "Ghost text does not work here yet.")
