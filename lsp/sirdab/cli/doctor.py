"""`sirdab doctor`: says what works on this machine, what does not, and what to do.

The JSON report is one object. Its keys stay; new ones may be added:

- `version`: Sirdab's version. `ok`: whether the main job, ghost text, can work.
- `checks`: the rows, each `{name, verdict, detail}`; the verdict is "ok", "warning" or "failed".
- `python`: `{version, executable, installation}`; `settings`: `{path, exists, problems}`.
- `editors`: each `{name, path, version, is_new_enough, has_extension, hint}`.
- `hardware`: `{cpu: {name, physical_cores, logical_cores, features}, ram_bytes, ram_free_bytes,
  gpus: [{vendor, name, total_bytes, free_bytes, source, is_shared}]}`.
- `policy`: `{allow_remote, remote_hosts, exclude, redact_secrets, audit, audit_path,
  audit_records}`.
- `servers`: each `{url, kind, title, is_configured, is_loading, problem, models, on_gpu}`.
- `model`: null, or `{name, url, server, is_embedded, was_warm, context_tokens, family,
  family_title, fills_in, layouts, known_by, problem, abilities}`.
- `round_trip`: null, or `{gap, expected, wrote, is_right, layout, cold, warm, problem, reason}`;
  `cold` and `warm` are null, or `{first_token_ms, total_ms, prompt_tokens, evaluated_tokens,
  generated_tokens, read_per_second}`.
- `gpu_unused`: whether a graphics processor is there and does not compute the model.
- `recommendation`: null, or `{name, quantisation, place, reason, how, weights_bytes, needed_bytes,
  available_bytes, context_tokens, licence}`; `memory`: rows of `{name, quantisation, weights_bytes,
  needed_bytes, fits}`, `needed_bytes` by tokens of context.
"""

import asyncio
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from sirdab import __version__
from sirdab.cli import runtime
from sirdab.cli.checks.report import Check, Findings, Verdict, ok, warning
from sirdab.policy.sanitize import visible

if TYPE_CHECKING:
    from sirdab.config.schema import Settings

LIMIT_S = 9.0
"""Seconds that everything together may take."""


@click.command(
    "doctor",
    epilog="Example: sirdab doctor --json",
    short_help="Check that everything needed for ghost text works.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--url", help='Address of the model server; "auto" to look for one.')
@click.option("--model", help="Model to use: a name of sirdab model list, or a GGUF file.")
def command(as_json: bool, url: str | None, model: str | None) -> int:
    """Check this machine, the settings, the model servers and the model with a real round trip.

    Nothing leaves this machine, and nothing is changed. The exit code is 1 when ghost text cannot
    work, and 0 when it can, even where something could be better.
    """
    settings, problems = runtime.user_settings(url=url, model=model)
    findings = asyncio.run(_examine(settings, problems))
    checks = [check for one in findings for check in one.checks]
    works = all(check.verdict is not Verdict.FAILED for check in checks)
    facts: dict[str, Any] = {}
    for one in findings:
        facts |= one.facts
    if as_json:
        runtime.echo_json(
            {
                "version": __version__,
                "ok": works,
                "checks": [
                    {"name": one.name, "verdict": one.verdict, "detail": one.detail}
                    for one in checks
                ],
                **facts,
            }
        )
    else:
        _print(checks, facts, works=works)
    return 0 if works else 1


async def _examine(settings: "Settings", problems: tuple[str, ...]) -> list[Findings]:
    """Look at everything; what can be looked at side by side is, and the model comes last."""
    from sirdab.cli.checks import advice, editors, machine, model, privacy
    from sirdab.cli.servers import find_servers
    from sirdab.models.hardware import probe

    began = time.monotonic()
    servers, hardware, around = await asyncio.gather(
        find_servers(settings), asyncio.to_thread(probe), asyncio.to_thread(editors.look)
    )
    left = max(1.0, LIMIT_S - (time.monotonic() - began))
    in_use = await model.look(settings, servers, hardware, left)
    return [
        _python(),
        _settings(problems),
        around,
        machine.describe(hardware),
        privacy.look(settings),
        model.servers_found(servers),
        in_use,
        advice.look(hardware, in_use.facts.get("model")),
    ]


def _python() -> Findings:
    from sirdab.config import installation

    found = installation.find()
    detail = (
        f"Python {platform.python_version()} at {sys.executable}, Sirdab {__version__}, "
        f"{found.title}"
    )
    facts = {
        "version": platform.python_version(),
        "executable": sys.executable,
        "installation": found.kind.value,
    }
    return Findings((ok("Python", detail),), {"python": facts})


def _settings(problems: tuple[str, ...]) -> Findings:
    from sirdab.config.settings import config_path
    from sirdab.models.user_families import user_families

    if families := user_families().problem:
        problems = (*problems, families)
    path = config_path()
    exists = path.exists()
    facts = {"path": str(path), "exists": exists, "problems": list(problems)}
    if problems:
        check = warning("Settings", " ".join(problems))
    else:
        check = ok("Settings", f"{path}" if exists else f"defaults ({path} is not there)")
    return Findings((check,), {"settings": facts})


def _print(checks: Sequence[Check], facts: Mapping[str, Any], *, works: bool) -> None:
    from rich.table import Table
    from rich.text import Text as RichText

    out = runtime.console()
    colours = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.FAILED: "red"}
    if out.is_terminal:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        for check in checks:
            table.add_row(
                RichText(check.verdict.value, style=colours[check.verdict]),
                check.name,
                RichText(visible(check.detail), overflow="fold"),
            )
        out.print(table)
        _print_memory(facts.get("memory") or [])
    else:
        # One line a check, however long, is what `grep` and people who report a fault need.
        for check in checks:
            detail = visible(check.detail)
            out.print(f"{check.verdict.value:<8} {check.name:<12} {detail}", markup=False)
    to_do = sum(check.verdict is Verdict.WARNING for check in checks)
    notes = f" {to_do} warning{'s' if to_do > 1 else ''} above." if to_do else ""
    verdict = "Ghost text works here." if works else "Ghost text does not work here yet."
    out.print(f"{verdict}{notes if works else ''}")


def _print_memory(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print how much memory which model needs, for those who choose themselves."""
    from rich.table import Table

    from sirdab.cli.checks.machine import gigabytes

    if not rows:
        return
    lengths = list(rows[0]["needed_bytes"])
    table = Table(box=None, title="Memory a model needs, by context", title_justify="left")
    table.add_column("")
    for length in lengths:
        table.add_column(f"{int(length):,} tokens", justify="right")
    for row in rows:
        sizes = [gigabytes(row["needed_bytes"][length]) for length in lengths]
        style = None if row["fits"] else "dim"
        table.add_row(f"{row['name']} {row['quantisation']}", *sizes, style=style)
    out = runtime.console()
    out.print(table)
