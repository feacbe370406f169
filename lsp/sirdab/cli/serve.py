"""`sirdab serve`: the embedded model server in the foreground."""

import asyncio
import signal
import threading
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING

import click

from sirdab.cli import runtime

if TYPE_CHECKING:
    from sirdab.endpoint.managed.server import RunningServer

_LOOK_EVERY_S = 2.0


@click.command(
    "serve",
    epilog="Example: sirdab serve --model qwen2.5-coder-0.5b --port 8012",
    short_help="Run the embedded model server in the foreground.",
)
@click.option(
    "--model", help="Model to serve: a name of `sirdab model list` or the path of a GGUF file."
)
@click.option(
    "--port",
    type=click.IntRange(1, 65_535),
    help="Port on 127.0.0.1; a random free one by default.",
)
@click.option("--show-key", is_flag=True, help="Print the API key as well.")
def command(model: str | None, port: int | None, show_key: bool) -> int:
    """Start the embedded model server, or join the one that runs, until Ctrl-C.

    Editors start it by themselves; this is for using it from other programs and for watching
    it. Ctrl-C ends the server, unless an editor still uses it.
    """
    settings, problems = runtime.user_settings(model=model)
    errors = runtime.console(stderr=True)
    for problem in problems:
        errors.print(f"sirdab: {problem}", markup=False)
    return _serve(settings.endpoint.model, port or 0, show_key=show_key)


def _serve(model: str, port: int, *, show_key: bool) -> int:
    from sirdab.endpoint.managed import server

    def say(text: str) -> None:
        click.echo(text, err=True)

    async def start() -> "RunningServer":
        return await server.ensure_running(model, on_progress=say, port=port)

    before = {running.pid for running in server.running()}
    told = threading.Event()
    previous = _tell_on_sigterm(told)
    try:
        running = asyncio.run(start())
        try:
            _introduce(running, joined=running.pid in before, show_key=show_key)
            return _wait(running, told)
        except KeyboardInterrupt:
            return _end(running)
    finally:
        with suppress(ValueError):
            signal.signal(signal.SIGTERM, previous)


def _introduce(running: "RunningServer", *, joined: bool, show_key: bool) -> None:
    """Say where the server is and how to use it."""
    from sirdab.endpoint.managed import server

    how = "Joined the" if joined else "Started the"
    click.echo(f"{how} embedded server with {running.name} (process {running.pid}).")
    click.echo(f"Address:  {running.url}")
    key = running.api_key if show_key else f"in {server.state_file(running)}, or --show-key"
    click.echo(f"API key:  {key}")
    click.echo(
        f'Try it:   curl -H "Authorization: Bearer KEY" {running.url}/completion '
        """-d '{"prompt": "def add(a, b):", "n_predict": 16}'"""
    )
    click.echo("Editors find it by themselves. Ctrl-C ends it.")


def _tell_on_sigterm(told: threading.Event) -> "signal.Handlers | int | None":
    """Make a service manager's way to end us the same as Ctrl-C."""

    def tell(_number: int, _frame: FrameType | None) -> None:
        told.set()

    previous = signal.signal(signal.SIGTERM, tell)
    return previous if isinstance(previous, int) else signal.SIG_DFL


def _wait(running: "RunningServer", told: threading.Event) -> int:
    from sirdab.endpoint.managed import server

    while not told.wait(_LOOK_EVERY_S):
        # Serving is a use of its own: it does not end because nobody asks anything.
        server.stay(running)
        if running not in server.running():
            click.echo("The embedded server has ended; run the command again.", err=True)
            return 1
    return _end(running)


def _end(running: "RunningServer") -> int:
    from sirdab.endpoint.managed import server

    others = server.other_clients(running)
    if others:
        server.leave(running)
        click.echo(f"\nLeft the embedded server running; others use it: {others}.")
        return 0
    server.stop(running)
    click.echo("\nThe embedded server has ended.")
    return 0
