"""What `sirdab review` shows: findings on standard output, all else on standard error."""

import sys
from typing import TYPE_CHECKING, Self

from sirdab.cli import runtime
from sirdab.policy.sanitize import visible
from sirdab.review.report.frame import WIDTH, Line
from sirdab.review.report.text import Look, dropped_line, finding_lines, shown_in

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.text import Text

    from sirdab.cli.review_options import Options
    from sirdab.review.batch import Progress
    from sirdab.review.finding import Dropped
    from sirdab.review.report.record import FileReport, Reported, Skipped

_STYLES = {
    "place": "bold",
    "message": "",
    "gutter": "dim",
    "near": "dim",
    "mark": "bold red",
    "note": "dim",
    "error": "bold red",
    "warning": "bold yellow",
    "information": "bold cyan",
    "hint": "cyan",
}


class Screen:
    """The terminal, or the pipe.

    Attributes:
        written: The lines that go into a file in place of standard output.
    """

    def __init__(self, options: "Options") -> None:
        self._out = runtime.console()
        self._errors = runtime.console(stderr=True)
        self._options = options
        self._to_file = options.output is not None
        self._bar: Bar | None = None
        show = shown_in("utf-8" if self._to_file else runtime.output_encoding())
        is_wide = self._to_file or not self._out.is_terminal
        width = WIDTH if is_wide else self._out.width
        self._look = Look(width, show, options.style == "text")
        self.written: list[str] = []

    def __enter__(self) -> Self:
        # A colour that is forced upon a pipe makes no terminal of it.
        if self._errors.is_interactive and sys.stderr.isatty():
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                BarColumn(20),
                TextColumn("{task.fields[place]}", style="dim", markup=False),
                TimeRemainingColumn(compact=True),
                TextColumn("{task.description}", markup=False),
                console=self._errors,
                transient=True,
                # Findings would be drawn into the bar's stream.
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._task = self._bar.add_task("", total=None, place="")
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def state(self, message: str) -> None:
        """Say what is being waited for."""
        if self._bar is not None:
            self._bar.update(self._task, description=visible(message))

    def progress(self, progress: "Progress") -> None:
        """Show how far the run is."""
        if self._bar is None:
            return
        done = progress.number - 1 + (progress.part / progress.parts if progress.parts else 0)
        parts = f", part {progress.part} of {progress.parts}" if progress.parts else ""
        self._bar.update(
            self._task,
            total=progress.files,
            completed=done,
            place=f"file {progress.number} of {progress.files}{parts}",
            description=visible(progress.file),
        )

    def found(self, file: "FileReport", reported: "Reported") -> None:
        """Print a finding."""
        wanted = self._options.include_dismissed or not reported.suppressed
        if self._options.is_text and wanted:
            lines = finding_lines(file, reported, self._look)
            self._print([*lines, ()] if self._look.framed else lines)

    def dropped(self, file: "FileReport", dropped: "Dropped") -> None:
        """Print why something is not shown."""
        if self._options.is_text and self._options.explain:
            self._print([dropped_line(file, dropped, self._look)])

    def skipped(self, skipped: "Skipped") -> None:
        """Say why a file is not reviewed."""
        self.say(f"sirdab: {visible(f'{skipped.named} is not reviewed: {skipped.reason}')}")

    def say(self, message: str, style: str = "") -> None:
        """Print a sentence beside the findings."""
        # Above the bar, where there is one.
        self._errors.print(message, style=style, markup=False)

    def _print(self, lines: list[Line]) -> None:
        if self._to_file:
            self.written.extend("".join(piece.text for piece in line) for line in lines)
            return
        bar = self._bar if self._out.is_terminal else None
        if bar is not None:
            # Both write on the same screen.
            bar.stop()
        for line in lines:
            self._out.print(_rich(line))
        if bar is not None:
            bar.start()
        elif not self._out.is_terminal:
            sys.stdout.flush()


def _rich(line: Line) -> "Text":
    from rich.text import Text

    text = Text()
    for piece in line:
        style = piece.text if piece.style == "severity" else piece.style
        text.append(piece.text, style=_STYLES.get(style, ""))
    return text
