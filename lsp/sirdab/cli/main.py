"""The `sirdab` command.

An editor starts the server with `sirdab --stdio`, so that path is taken before anything else
is imported: the time from spawn to the answer of `initialize` is time the user waits.
"""

import errno
import io
import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import click

# Name of a command and the module that holds it, in the order of the help text.
COMMANDS = {
    "try": "sirdab.cli.try_",
    "complete": "sirdab.cli.complete",
    "review": "sirdab.cli.review",
    "doctor": "sirdab.cli.doctor",
    "model": "sirdab.cli.model",
    "serve": "sirdab.cli.serve",
    "stats": "sirdab.cli.stats",
    "bench": "sirdab.cli.bench",
}

# What writing to a full disk, a broken device or over a quota ends with.
_OUTPUT_ERRORS = (errno.ENOSPC, errno.EIO, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))

_HELP = """AI code completion that never leaves your machine.

Editors start the language server with `sirdab --stdio`. The commands below are for people;
begin with `sirdab try`.
"""


def main(argv: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: Arguments without the program's name; those of the process by default.

    Returns:
        The exit code: 0 when it worked, 1 when it failed, 2 for wrong usage, 130 after Ctrl-C.
    """
    arguments = sys.argv[1:] if argv is None else argv
    if _is_server(arguments):
        from sirdab.server.app import run_stdio

        return run_stdio(arguments)
    return _run_command(arguments)


def _is_server(arguments: list[str]) -> bool:
    """Whether an editor is calling: only options, and `--stdio` among them."""
    return "--stdio" in arguments and all(argument.startswith("-") for argument in arguments)


def _run_command(arguments: list[str]) -> int:
    import click

    from sirdab.endpoint.base import EndpointError

    _print_anything()
    try:
        code = _group().main(arguments, prog_name="sirdab", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.ctx.get_help() if error.ctx else error.format_message())
        return 2
    except click.UsageError as error:
        hint = f" Try: {error.ctx.command_path} --help" if error.ctx else ""
        print(f"sirdab: {_sentence(error.format_message())}{hint}", file=sys.stderr)
        return 2
    except click.ClickException as error:
        print(f"sirdab: {_sentence(error.format_message())}", file=sys.stderr)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        # The line that was being printed ends, and nothing is said: the user knows.
        print(file=sys.stderr)
        return 130
    except EndpointError as error:
        print(f"sirdab: {error.message}", file=sys.stderr)
        return 1
    except (BrokenPipeError, SystemExit):
        # `sirdab ... | head` has seen enough. Click and rich say it with a SystemExit.
        _drop_output()
        return 0
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _OUTPUT_ERRORS:
            _drop_output()
            print(
                f"sirdab: the output cannot be written ({error.strerror}); "
                "make room for it or send it somewhere else.",
                file=sys.stderr,
            )
            return 1
        if os.environ.get("SIRDAB_DEBUG"):
            raise
        print(
            f"sirdab: this is a fault of Sirdab ({type(error).__name__}: {error}); "
            "run again with SIRDAB_DEBUG=1 and report what it prints.",
            file=sys.stderr,
        )
        return 1
    return code if isinstance(code, int) else 0


def _print_anything() -> None:
    """Let no character fail that the terminal's or the pipe's encoding lacks."""
    for stream in (sys.stdout, sys.stderr):
        # Under a test runner, or where a stream is closed, it may be something else.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _drop_output() -> None:
    """Send what is still buffered nowhere: Python would try to write it again when it ends."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _sentence(message: str) -> str:
    message = " ".join(message.split())
    # A full stop behind a command would be copied along with it.
    ends_with_command = "run: " in message.rpartition(";")[2]
    return message if message.endswith((".", "!", "?")) or ends_with_command else f"{message}."


def _group() -> "click.Group":
    import click

    from sirdab import __version__

    class LazyGroup(click.Group):
        """Imports the module of a command when the command is called."""

        def list_commands(self, ctx: click.Context) -> list[str]:
            del ctx
            return list(COMMANDS)

        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            del ctx
            module = COMMANDS.get(cmd_name)
            if module is None:
                return None
            command: click.Command = import_module(module).command
            return command

    return LazyGroup(
        "sirdab",
        help=_HELP,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        params=[
            click.Option(
                ["--version"],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=_print_version(__version__),
                help="Print the version and exit.",
            ),
            click.Option(
                ["--stdio"],
                is_flag=True,
                expose_value=False,
                help="Run the language server on standard input and output; for editors.",
            ),
        ],
        no_args_is_help=True,
    )


def _print_version(
    version: str,
) -> "Callable[[click.Context, click.Parameter, bool], None]":
    import click

    def callback(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        del param
        if value and not ctx.resilient_parsing:
            click.echo(f"sirdab {version}")
            ctx.exit()

    return callback
