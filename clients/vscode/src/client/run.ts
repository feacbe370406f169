import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import * as vscode from "vscode";
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  type LanguageClientOptions,
  type Middleware,
  ShowMessageNotification,
  State,
  type StaticFeature,
  WorkDoneProgress,
  type WorkspaceEdit,
} from "vscode-languageclient/node";
import { ownEnvironment, type ServerCommand, withArguments } from "../server/command";
import type { Run } from "../server/supervisor";
import type { Tree } from "../settings/explicit";
import {
  INSTRUCT,
  PROPOSE,
  ServerCommands,
  SHOW_EXPLANATION,
  STATUS,
  type Status,
} from "./protocol";
import { type Place, suggestionId } from "./shown";
import { placeOf } from "./shownReporter";

/** What the rest of the extension gives to a session and learns from it. */
export interface SessionHost {
  readonly log: vscode.LogOutputChannel;
  readonly trace: vscode.LogOutputChannel;
  /** Folder the server runs in; never one of the workspace. */
  readonly folder: string;
  initializationOptions(): Tree;
  /** The answer to `workspace/configuration`. */
  settings(): Tree;
  onStatus(status: Status): void;
  /** Whether a message that the server wants to pop up is known to the user already. */
  isToldAlready(message: string): boolean;
  /** A request for ghost text was answered with suggestions of these ids. */
  onAnswered(ids: readonly string[], place: Place): void;
  onAccepted(): void;
  /**
   * Show the user what the model wrote, and apply it if he says so.
   *
   * @returns Whether it was applied.
   */
  onProposal(edit: vscode.WorkspaceEdit): Promise<boolean>;
}

/** A server with the connection to it. */
export interface Session extends Run {
  readonly client: LanguageClient;
  /** Whether the server carries out a command. */
  offers(command: string): boolean;
  /** Listen to how the work goes on that was asked for with a token. */
  onProgress(
    token: string,
    listener: (step: ProgressStep) => void,
    onEnd: () => void,
  ): vscode.Disposable;
}

export interface ProgressStep {
  readonly message?: string | undefined;
  /** Of the whole work; from 0 to 100. */
  readonly percentage?: number | undefined;
}

const SELECTOR = [
  { scheme: "file" },
  { scheme: "untitled" },
  // The server is sent the cells; whether a notebook is completed is its decision.
  { scheme: "vscode-notebook-cell" },
];

// A server that does not end by itself within this time, in milliseconds, is killed.
const GRACE_MS = 2_000;

/** The library's client without its pop-ups: a fault belongs into the log, and the status shows it. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }

  override warn(message: string, data?: unknown): void {
    super.warn(message, data, false);
  }

  override info(message: string, data?: unknown): void {
    super.info(message, data, false);
  }
}

/** Make a session that is not started yet. */
export function createSession(
  command: ServerCommand,
  host: SessionHost,
  onEnded: () => void,
): Session {
  const { program, args } = withArguments(command, "--stdio");
  const client: LanguageClient = new QuietClient(
    "sirdab",
    "Sirdab",
    {
      command: program,
      args,
      options: {
        cwd: host.folder,
        // What the server starts in its turn must not get it either.
        ...(command.origin === "private copy" ? { env: ownEnvironment() } : {}),
      },
    },
    clientOptions(host, () => client),
  );
  client.registerFeature(announceCommands());
  client.onNotification(STATUS, (status: Status) => host.onStatus(status));
  client.onNotification(ShowMessageNotification.type, ({ message }) => {
    if (!host.isToldAlready(message)) {
      void vscode.window.showWarningMessage(message);
    }
  });
  let process: ChildProcess | undefined;
  client.onDidChangeState(({ newState }) => {
    process = client.serverProcess ?? process;
    if (newState === State.Stopped || newState === State.StartFailed) {
      onEnded();
    }
  });
  return {
    client,
    offers: (name) =>
      client.initializeResult?.capabilities.executeCommandProvider?.commands.includes(name) ??
      false,
    onProgress: (token, listener, onEnd) =>
      client.onProgress(WorkDoneProgress.type, token, (value) => {
        if (value.kind === "end") {
          onEnd();
        } else {
          listener(value);
        }
      }),
    start: () => client.start(),
    stop: async () => {
      process = client.serverProcess ?? process;
      if (client.state === State.Starting) {
        // It cannot be asked to stop yet, and has nothing to lose.
        process?.kill();
      }
      await client.dispose(GRACE_MS).catch(() => undefined);
      await ended(process);
    },
  };
}

function clientOptions(host: SessionHost, client: () => LanguageClient): LanguageClientOptions {
  return {
    documentSelector: SELECTOR,
    outputChannel: host.log,
    traceOutputChannel: host.trace,
    initializationOptions: () => host.initializationOptions(),
    stdioOptions: {
      // Nothing but the protocol is written there, and the library reads it.
      stdout: () => undefined,
      stderr: (stream) => {
        // Each line says itself how serious it is.
        createInterface({ input: stream }).on("line", (line) => host.log.info(line));
      },
    },
    // Starting again is the supervisor's business.
    initializationFailedHandler: () => false,
    errorHandler: {
      error: () => ({ action: ErrorAction.Continue, handled: true }),
      closed: () => ({
        action: CloseAction.DoNotRestart,
        message: "The server has ended.",
        handled: true,
      }),
    },
    middleware: middleware(host, client),
  };
}

function middleware(host: SessionHost, client: () => LanguageClient): Middleware {
  return {
    executeCommand: (command, args, next) => {
      // VS Code runs an item's command when its text has been taken whole: at once, or word by
      // word to its end. The stable API does not tell of single words or lines, so they are not
      // reported; telling them from typing would be guessing.
      if (command === ServerCommands.accept) {
        host.onAccepted();
      }
      return next(command, args);
    },
    resolveCodeAction: async (item, token, next) => {
      const resolved = await next(item, token);
      const edit = resolved?.edit;
      if (!resolved || edit === undefined || !isWrittenByModel(item)) {
        return resolved;
      }
      // An edit that needs confirmation opens VS Code's preview of refactorings, with a list of
      // unticked boxes in a panel: each place is one, though a fix with half of its places is broken
      // code. One look at the difference and one decision is what there is to confirm.
      delete resolved.edit;
      resolved.command = { title: resolved.title, command: PROPOSE, arguments: [edit] };
      return resolved;
    },
    provideInlineCompletionItems: async (document, position, context, token, next) => {
      const place = placeOf(document, position);
      const result = await next(document, position, context, token);
      if (!token.isCancellationRequested && result) {
        const items = Array.isArray(result) ? result : result.items;
        const ids = items.map(suggestionId).filter((id) => id !== undefined);
        host.onAnswered(ids, place);
      }
      return result;
    },
    workspace: {
      handleApplyEdit: async (params, next) => {
        const annotations = Object.values(params.edit.changeAnnotations ?? {});
        if (!annotations.some((one) => one.needsConfirmation)) {
          return next(params, new vscode.CancellationTokenSource().token);
        }
        const edit = await client().protocol2CodeConverter.asWorkspaceEdit(params.edit);
        return { applied: isCurrent(params.edit) && (await host.onProposal(edit)) };
      },
      configuration: (params) =>
        params.items.map((item) => (item.section === "sirdab" ? host.settings() : null)),
      // The settings are asked for; what a change notification would carry has the defaults in it.
      didChangeConfiguration: (_sections, next) => next(undefined),
    },
  };
}

/** Whether the edit of a code action is the model's: a comment that ignores a finding is not. */
function isWrittenByModel(action: vscode.CodeAction): boolean {
  const { data } = action as { data?: { do?: unknown } | null };
  return data?.do !== "ignore";
}

/** Whether an edit is made for the documents as they are. */
function isCurrent(edit: WorkspaceEdit): boolean {
  return (edit.documentChanges ?? []).every((change) => {
    if (!("textDocument" in change) || change.textDocument.version === null) {
      return true;
    }
    const { uri, version } = change.textDocument;
    const open = vscode.workspace.textDocuments.find(
      (document) => document.uri.toString() === vscode.Uri.parse(uri).toString(),
    );
    return open === undefined || open.version === version;
  });
}

/** Tells the server which commands of this client it may put into code actions. */
function announceCommands(): StaticFeature {
  return {
    fillClientCapabilities: (capabilities) => {
      capabilities.experimental = {
        ...(capabilities.experimental as object | undefined),
        sirdab: { clientCommands: [INSTRUCT, SHOW_EXPLANATION] },
      };
    },
    initialize: () => undefined,
    getState: () => ({ kind: "static" }),
    clear: () => undefined,
  };
}

/** Wait until a process is gone, and kill it when it does not go by itself. */
async function ended(process: ChildProcess | undefined): Promise<void> {
  if (process === undefined || process.exitCode !== null || process.signalCode !== null) {
    return;
  }
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => process.kill("SIGKILL"), GRACE_MS);
    process.once("exit", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
