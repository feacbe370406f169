import { OFF_BY_SETTINGS, type Statistics, type Status } from "../client/protocol";

/** What the status item shows: a state of the server, or of the way to one. */
export type Situation =
  | { readonly kind: "server"; readonly status: Status }
  | { readonly kind: "starting"; readonly message: string }
  | { readonly kind: "installing"; readonly message: string }
  /** The server is long overdue with its first answer. */
  | { readonly kind: "slow"; readonly message: string }
  /** There is no server that could be started. */
  | { readonly kind: "absent"; readonly message: string }
  /** The setting sirdab.path names no program. */
  | { readonly kind: "wrong path"; readonly message: string }
  /** The server has failed and is not started again. */
  | { readonly kind: "failed"; readonly message: string };

/** What is the matter, in one sentence. */
export function messageOf(situation: Situation): string {
  return situation.kind === "server" ? situation.status.message : situation.message;
}

// Said where nothing of this editor has turned ghost text off, but the file that all editors share.
const OFF_IN_FILE =
  "Ghost text is off in your config.toml (completion.enabled); the setting here goes before it.";

/**
 * A status that names the file which keeps ghost text away, where it is that.
 *
 * @param isSetHere Whether a setting of this editor says whether ghost text is on.
 */
export function withFile(status: Status, isSetHere: boolean): Status {
  const isOffInFile =
    status.state === "disabled" && status.message === OFF_BY_SETTINGS && !isSetHere;
  return isOffInFile ? { ...status, message: OFF_IN_FILE } : status;
}

/** Whether it is the user's config.toml that keeps ghost text away. */
export function isOffInFile(situation: Situation): boolean {
  return messageOf(situation) === OFF_IN_FILE;
}

export interface View {
  /** Text of the status item, with codicons. */
  readonly text: string;
  readonly colour: "none" | "warning" | "error";
  /** Markdown; everything that came from elsewhere is escaped. */
  readonly tooltip: string;
  /** What a screen reader says. */
  readonly label: string;
}

const MODEL_CHARACTERS = 32;

// How llama.cpp's files name the way their weights are packed, which says nothing to most people.
const QUANTIZATION = /[-.](i?q\d\w*|b?f16|f32)$/i;

/** Everything that is to be seen of a situation. */
export function statusView(situation: Situation, statistics: Statistics | undefined): View {
  const message = messageOf(situation);
  return {
    ...appearance(situation),
    tooltip: tooltip(situation, message, statistics),
    label: `Sirdab: ${message}`,
  };
}

function appearance(situation: Situation): Pick<View, "text" | "colour"> {
  switch (situation.kind) {
    case "starting":
    case "installing":
      return { text: "$(loading~spin) Sirdab", colour: "none" };
    case "slow":
      return { text: "$(watch) Sirdab", colour: "warning" };
    case "absent":
      return { text: "$(cloud-download) Sirdab", colour: "warning" };
    case "wrong path":
    case "failed":
      return { text: "$(error) Sirdab", colour: "error" };
    case "server":
      return serverAppearance(situation.status);
  }
}

function serverAppearance({ state, model }: Status): Pick<View, "text" | "colour"> {
  const named = model ? `Sirdab: ${shortName(model)}` : "Sirdab";
  switch (state) {
    case "starting":
      return { text: "$(loading~spin) Sirdab", colour: "none" };
    case "ready":
      return { text: `$(check) ${named}`, colour: "none" };
    case "busy":
      return { text: `$(sync~spin) ${named}`, colour: "none" };
    case "degraded":
      return { text: "$(warning) Sirdab", colour: "warning" };
    case "offline":
      return { text: "$(debug-disconnect) Sirdab", colour: "warning" };
    case "disabled":
      return { text: "$(circle-slash) Sirdab", colour: "none" };
    default:
      // A newer server may know more states than this client.
      return { text: "Sirdab", colour: "none" };
  }
}

/** The name of a model as it fits into a status bar. */
export function shortName(model: string): string {
  const file = model.split(/[\\/]/).at(-1) ?? model;
  const name = file.replace(/\.gguf$/i, "").replace(QUANTIZATION, "");
  // A dollar sign would begin an icon.
  const plain = name.replaceAll("$(", "(");
  return plain.length > MODEL_CHARACTERS ? `${plain.slice(0, MODEL_CHARACTERS - 1)}…` : plain;
}

function tooltip(
  situation: Situation,
  message: string,
  statistics: Statistics | undefined,
): string {
  const lines = [`**Sirdab** — ${escapeMarkdown(message)}`];
  const rows: [string, string][] = [];
  if (situation.kind === "server") {
    const { endpoint, model } = situation.status;
    if (model) {
      rows.push(["Model", escapeMarkdown(model)]);
    }
    if (endpoint) {
      rows.push(["Endpoint", escapeMarkdown(endpoint)]);
    }
    rows.push(...numbers(statistics));
  }
  if (rows.length > 0) {
    lines.push(["| | |", "| :-- | :-- |", ...rows.map(([a, b]) => `| ${a} | ${b} |`)].join("\n"));
  }
  lines.push("Click for everything else.");
  return lines.join("\n\n");
}

function numbers(statistics: Statistics | undefined): [string, string][] {
  if (statistics === undefined) {
    return [];
  }
  const rows: [string, string][] = [];
  if (statistics.last !== null) {
    rows.push(["Last suggestion", `${Math.round(statistics.last.latencyMs)} ms`]);
    rows.push(["Tokens read for it", String(statistics.last.tokensRead)]);
  }
  rows.push(["Accepted today", String(statistics.acceptedToday)]);
  return rows;
}

/** Text as Markdown that shows it as it is, also in the cell of a table. */
export function escapeMarkdown(text: string): string {
  // Colons, full stops and at signs too: addresses would become links by themselves.
  return text.replace(/[\\`*_{}[\]()#+\-!|<>~$&:.@]/g, "\\$&").replace(/\s+/g, " ");
}
