"""`sirdab complete`: what ghost text would say at one place of a file."""

import asyncio
import json
from typing import TYPE_CHECKING, Any

import click

from sirdab.cli import runtime
from sirdab.cli.target import Target, TargetParam

if TYPE_CHECKING:
    from sirdab.completion.request import Outcome
    from sirdab.config.schema import Settings


@click.command(
    "complete",
    epilog="Example: sirdab complete src/app.py:12:5",
    short_help="Print the suggestion at a place of a file.",
)
@click.argument("target", type=TargetParam(), metavar="FILE:LINE:COL")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--explain", is_flag=True, help="Print what every stage decided and the prompt.")
@click.option("--url", help='Address of the model server; "auto" for the embedded one.')
@click.option("--model", help="Model to use: a catalog name or the path of a GGUF file.")
def command(
    target: Target, as_json: bool, explain: bool, url: str | None, model: str | None
) -> int:
    """Print the suggestion at FILE:LINE:COL, line and column from 1."""
    settings, problems = runtime.user_settings(url=url, model=model)
    errors = runtime.console(stderr=True)
    for problem in problems:
        errors.print(f"sirdab: {problem}", markup=False)
    outcome = asyncio.run(_complete(target, settings, explain=explain, quiet=as_json))
    if as_json:
        runtime.echo_json(_as_dict(target, outcome))
    else:
        _print(target, outcome, explain=explain)
    return 1 if outcome.reason.value in ("endpoint", "internal") else 0


async def _complete(
    target: Target, settings: "Settings", *, explain: bool, quiet: bool
) -> "Outcome":
    from rich.markup import escape

    from sirdab.completion.request import CompletionRequest, Trigger

    errors = runtime.console(stderr=True)
    status = errors.status("Looking for a model server") if errors.is_terminal else None

    def say(message: str) -> None:
        if status is not None:
            status.update(escape(message))

    if status is not None and not quiet:
        status.start()
    try:
        async with runtime.engine(settings, say) as (engine, _):
            return await engine.complete(
                CompletionRequest(
                    snapshot=target.snapshot,
                    point=target.point,
                    trigger=Trigger.INVOKED,
                    settings=settings,
                    workspace_folders=(str(target.path.parent),),
                ),
                show_prompt=explain,
            )
    finally:
        if status is not None:
            status.stop()


def _as_dict(target: Target, outcome: "Outcome") -> dict[str, Any]:
    suggestion = outcome.suggestions[0] if outcome.suggestions else None
    found: dict[str, Any] = {
        "file": str(target.path),
        "line": target.point.line + 1,
        "column": target.point.column + 1,
        "suggestion": None if suggestion is None else suggestion.text,
        "reason": outcome.reason.value,
        "detail": outcome.detail,
        "trace": outcome.trace,
    }
    return found


def _print(target: Target, outcome: "Outcome", *, explain: bool) -> None:
    from rich.text import Text as RichText

    out, errors = runtime.console(), runtime.console(stderr=True)
    trace = outcome.trace
    if outcome.suggestions:
        body = target.snapshot.text.line_body(target.point.line)
        line = RichText(body[: target.point.column])
        line.append(outcome.suggestions[0].text, style="dim italic")
        line.append(body[target.point.column :])
        out.print(line)
        errors.print(summary(trace), style="dim", markup=False)
    else:
        errors.print(f"sirdab: no suggestion: {outcome.detail}", markup=False)
    if explain:
        out.print_json(json.dumps(trace, ensure_ascii=False))


def summary(trace: dict[str, Any]) -> str:
    """Say in one line what a suggestion cost."""
    first = trace.get("first_token_ms")
    parts = [
        f"{trace.get('model_ms', 0):.0f} ms",
        f"first token after {first:.0f} ms" if first is not None else "",
        f"{trace.get('evaluated_tokens', 0)} of {trace.get('prompt_tokens', 0)} prompt tokens read",
        f"{trace.get('generated_tokens', 0)} written" if trace.get("generated_tokens") else "",
        f"{trace.get('model', '')} at {trace.get('endpoint', '')}",
    ]
    return " · ".join(part for part in parts if part)
