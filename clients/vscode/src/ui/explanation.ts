import type { Explanation } from "../client/protocol";

/** Where the question was asked, for the heading. */
export interface AskedAt {
  /** Name of the file without its folder. */
  readonly file: string;
  /** As editors count: from 1. */
  readonly line: number;
  readonly column: number;
}

const HIDDEN =
  "VS Code shows no ghost text here while you type, whatever Sirdab suggests, because the setting `editor.inlineSuggest.enabled` is off.";

/**
 * An explanation as a Markdown page.
 *
 * @param isShown Whether the editor shows ghost text at all.
 */
export function explanationPage(
  explanation: Explanation,
  at: AskedAt,
  isShown: boolean = true,
): string {
  const { prompt, ...trace } = explanation.trace;
  const parts = [
    `# ${at.file}:${at.line}:${at.column}`,
    ...(isShown ? [] : [HIDDEN]),
    explanation.detail || "There is nothing to add.",
    `Reason: \`${explanation.reason}\``,
    "## Suggestion",
    explanation.suggestion === null ? "None." : fenced(explanation.suggestion),
  ];
  if (typeof prompt === "string") {
    parts.push("## What the model was sent", fenced(prompt));
  }
  parts.push("## Trace", fenced(JSON.stringify(trace, null, 2), "json"));
  return `${parts.join("\n\n")}\n`;
}

/** A code block whose fence is longer than any run of backticks in the text. */
export function fenced(text: string, language = "text"): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}
