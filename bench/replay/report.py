"""Writes the figures of a replay as a page."""

from typing import Any

_ROWS = (
    ("Keystrokes", "keystrokes"),
    ("Processor time of the model server per keystroke (ms)", "processor_ms_per_keystroke"),
    ("Prompt tokens read per keystroke", "tokens_read_per_keystroke"),
    ("of them while nobody typed (read ahead)", "of_them_read_ahead"),
    ("of them for requests that were given up before", "of_them_for_nobody"),
    ("Prompt tokens read per suggestion shown", "tokens_read_per_suggestion"),
    ("Prompt tokens read per accepted character", "tokens_read_per_accepted_character"),
    ("Tokens of a prompt, mean", "prompt_tokens"),
    ("Tokens written per keystroke", "tokens_written_per_keystroke"),
    ("Requests to the model server", "requests"),
    ("of them cancelled", "requests_cancelled"),
    ("Keystrokes with a suggestion", "shown"),
    ("Key to ghost text, p50 / p95 / p99 (ms)", "key_to_ghost_ms"),
    ("Request to ghost text, p50 / p95 / p99 (ms)", "request_to_ghost_ms"),
    ("The same while typing along", "typing_along_request_to_ghost_ms"),
    ("Keystrokes with a suggestion within 300 ms", "within_300_ms"),
    ("Keystrokes with a suggestion within 750 ms", "within_750_ms"),
    ("Suggestions too late for VS Code's 750 ms", "too_late_for_vscode"),
    ("Characters accepted per keystroke", "accepted_chars_per_keystroke"),
    ("Acceptances", "acceptances"),
    ("Shown text is all true", "true"),
    ("Its first line is the rest of the line", "line_exact"),
    ("Shown text breaks the syntax", "breaks_syntax"),
)
_SHARES = frozenset(
    {
        "shown",
        "within_300_ms",
        "within_750_ms",
        "too_late_for_vscode",
        "true",
        "line_exact",
        "breaks_syntax",
    }
)


def page(found: dict[str, Any]) -> str:
    """Return the figures as Markdown."""
    contestants: dict[str, dict[str, Any]] = found["contestants"]
    names = list(contestants)
    machine = found["machine"]
    lines = [
        "# Replay",
        "",
        "Written by `python -m bench.replay`, which says what is measured. Typing in real time",
        f"into {len(found['sessions'])} files of this project, {found['model']},",
        f"{machine['cores']} cores, {machine['system']}. The editor asks",
        f"{found['editor_delay_ms']:g} ms behind a key, as VS Code does; these are part of the",
        "time from the key.",
        *(
            ["No key is pressed before the last one is answered: nothing is given up half-read."]
            if found.get("patient")
            else []
        ),
        "",
        f"| | {' | '.join(names)} |",
        f"| --- |{' ---: |' * len(names)}",
    ]
    for title, key in _ROWS:
        cells = [_cell(contestants[name][key], key) for name in names]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    lines += ["", *_ratios(contestants), "", *_sources(contestants)]
    return "\n".join(lines) + "\n"


def _cell(value: Any, key: str) -> str:
    if isinstance(value, dict):
        return f"{value['p50']:.0f} / {value['p95']:.0f} / {value['p99']:.0f}"
    return f"{value:.1%}" if key in _SHARES else f"{value:g}"


def _ratios(contestants: dict[str, dict[str, Any]]) -> list[str]:
    ours = contestants.get("sirdab")
    if ours is None:
        return []
    own = max(ours["tokens_read_per_keystroke"], 0.01)
    typing = max(own - ours["of_them_read_ahead"], 0.01)
    worked = max(ours["processor_ms_per_keystroke"], 1)
    lines: list[str] = []
    for name, other in contestants.items():
        if name == "sirdab":
            continue
        lines.append(
            f"Processor time per keystroke, {name} to sirdab: "
            f"{other['processor_ms_per_keystroke'] / worked:.1f} to 1."
        )
        if other["requests_cancelled"] < other["requests"]:
            read = other["tokens_read_per_keystroke"]
            lines.append(
                f"Tokens read per keystroke, {name} to sirdab: {read / own:.1f} to 1 "
                f"({read / typing:.1f} to 1 without what is read ahead)."
            )
        else:
            lines.append(
                f"Every request of {name} was cancelled by the next key before the server had "
                "read the prompt, and llama.cpp does not tell what it has read of those; its "
                "processor time does."
            )
    return lines


def _sources(contestants: dict[str, dict[str, Any]]) -> list[str]:
    lines = [
        "| Suggestions by source | shown | all true | first line exact | request to ghost, p50 / p95 |",  # noqa: E501
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, one in contestants.items():
        for source, figures in one["by_source"].items():
            times = figures["request_to_ghost_ms"]
            lines.append(
                f"| {name}: {source} | {figures['shown']} | {figures['true']:.0%} "
                f"| {figures['line_exact']:.0%} | {times['p50']:.0f} / {times['p95']:.0f} ms |"
            )
    return lines
