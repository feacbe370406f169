/** What Sirdab's server and its clients say to each other beyond the Language Server Protocol. */

export const STATUS = "sirdab/status";
export const DID_SHOW = "sirdab/didShow";
export const DID_MOVE_CURSOR = "sirdab/didMoveCursor";
export const EXPLAIN = "sirdab/explain";
export const STATISTICS = "sirdab/statistics";
export const MODELS = "sirdab/models";

/** Commands of the server. The client library registers each of them with the editor. */
export const ServerCommands = {
  accept: "sirdab.accept",
  toggle: "sirdab.toggle",
  snooze: "sirdab.snooze",
  clearCache: "sirdab.clearCache",
  reviewDocument: "sirdab.reviewDocument",
  reviewWorkspace: "sirdab.reviewWorkspace",
  dismiss: "sirdab.dismiss",
  restoreDismissed: "sirdab.restoreDismissed",
  rewrite: "sirdab.rewrite",
  refactor: "sirdab.refactor",
  explainCode: "sirdab.explainCode",
} as const;

/** The commands of this client that the server may put into a code action. */
export const INSTRUCT = "sirdab.instruct";
export const SHOW_EXPLANATION = "sirdab.showExplanation";

/** A command of this client for itself: it shows an edit that the model wrote. */
export const PROPOSE = "sirdab.propose";

/** What `sirdab.refactor` can do. */
export type Refactoring =
  | "document"
  | "types"
  | "simplify"
  | "faster"
  | "errors"
  | "extract"
  | "tests";

/** A piece of a document, as the arguments of commands name it. */
export interface Target {
  readonly uri: string;
  readonly range: ProtocolRange;
}

export type State = "starting" | "ready" | "busy" | "degraded" | "offline" | "disabled";

/** Params of `sirdab/status`. */
export interface Status {
  readonly state: State;
  readonly message: string;
  readonly endpoint?: string;
  readonly model?: string;
  /** Stable name of the problem, for example "not-installed". */
  readonly detail?: string;
}

/** The message of a status that ghost text is off by the settings, and by no switch. */
export const OFF_BY_SETTINGS = "Ghost text is off.";

/** Answer to `sirdab/statistics`. */
export interface Statistics {
  readonly offered: number;
  readonly shown: number;
  readonly accepted: number;
  readonly acceptedToday: number;
  readonly last: {
    readonly latencyMs: number;
    readonly tokensRead: number;
    readonly tokensWritten: number;
  } | null;
}

/** One row of the answer to `sirdab/models`. */
export interface Model {
  readonly name: string;
  readonly title: string;
  readonly sizeBytes: number;
  readonly installed: boolean;
  readonly current: boolean;
}

export interface Models {
  readonly current: string | null;
  readonly models: readonly Model[];
}

/** Answer to `sirdab/explain`. */
export interface Explanation {
  readonly reason: string;
  readonly detail: string;
  readonly suggestion: string | null;
  readonly trace: Readonly<Record<string, unknown>>;
}

export interface ProtocolPosition {
  readonly line: number;
  readonly character: number;
}

export interface ProtocolRange {
  readonly start: ProtocolPosition;
  readonly end: ProtocolPosition;
}
