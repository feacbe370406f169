import * as vscode from "vscode";

type Handler = (...args: never[]) => unknown;

/**
 * Register commands so that a failure is told in one sentence, and its details are logged.
 *
 * None of them may have the name of a command of the server: the client library registers
 * those itself while the server runs.
 */
export function registerCommands(
  handlers: Readonly<Record<string, Handler>>,
  log: vscode.LogOutputChannel,
): vscode.Disposable {
  const registered = Object.entries(handlers).map(([name, handler]) =>
    vscode.commands.registerCommand(name, async (...args: never[]) => {
      try {
        await handler(...args);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        log.error(`${name}: ${reason}`);
        void vscode.window.showWarningMessage(sentence(reason));
      }
    }),
  );
  return vscode.Disposable.from(...registered);
}

function sentence(reason: string): string {
  const text = reason.startsWith("Sirdab") ? reason : `Sirdab: ${reason}`;
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
