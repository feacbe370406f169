import * as vscode from "vscode";
import type { ServerAccess } from "../client/access";
import { unlinked } from "./unlinked";

let tokens = 0;

/**
 * Run a command of the server under a notification that can be cancelled.
 *
 * @returns What it answers, or undefined when it was cancelled.
 */
export async function withProgress<T>(
  server: ServerAccess,
  title: string,
  command: string,
  args: unknown[],
): Promise<T | undefined> {
  const session = server.running();
  const workDoneToken = `sirdab-vscode-${++tokens}`;
  let isCancelled = false;
  let answer: Promise<T> | undefined;
  await vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: `Sirdab: ${title}`,
      cancellable: true,
    },
    async (progress, cancellation) => {
      let reported = 0;
      let listener: vscode.Disposable | undefined;
      // The work may be done before the command is: what was written waits for the user's decision.
      const ended = new Promise<void>((resolve) => {
        listener = session.onProgress(
          workDoneToken,
          (value) => {
            const percentage = value.percentage ?? reported;
            progress.report({
              ...(value.message === undefined ? {} : { message: unlinked(value.message) }),
              increment: percentage - reported,
            });
            reported = percentage;
          },
          resolve,
        );
      });
      cancellation.onCancellationRequested(() => {
        isCancelled = true;
      });
      answer = server.request<T>(
        "workspace/executeCommand",
        { command, arguments: args, workDoneToken },
        cancellation,
      );
      await Promise.race([answer.catch(() => undefined), ended]);
      listener?.dispose();
    },
  );
  try {
    return await answer;
  } catch (error) {
    if (isCancelled) {
      return undefined;
    }
    throw error;
  }
}
