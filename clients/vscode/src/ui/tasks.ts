import { homedir } from "node:os";
import * as vscode from "vscode";
import { type ServerCommand, withArguments } from "../server/command";
import { run } from "../server/run";

/**
 * Run one of Sirdab's commands without a terminal, with progress, and put what it says into the log.
 *
 * In a workspace that is not trusted the editor opens no terminal, and asks to trust it instead.
 *
 * @returns The exit code; null when it was cancelled.
 */
export async function runQuietly(
  command: ServerCommand,
  log: vscode.LogOutputChannel,
  title: string,
  ...args: string[]
): Promise<number | null> {
  const { program, args: all } = withArguments(command, ...args);
  const { code, stdout, stderr } = await vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: `Sirdab: ${title}`,
      cancellable: true,
    },
    (_progress, cancellation) => {
      const abort = new AbortController();
      cancellation.onCancellationRequested(() => abort.abort());
      return run(program, all, { signal: abort.signal });
    },
  );
  log.info(`${title}:\n${stdout}${stderr}`.trimEnd());
  return code;
}

/**
 * Run one of Sirdab's commands in a terminal that stays, where it can ask questions.
 *
 * @returns The exit code; undefined when it was closed.
 */
export async function runVisibly(
  command: ServerCommand,
  title: string,
  ...args: string[]
): Promise<number | undefined> {
  const { program, args: all } = withArguments(command, ...args);
  const task = new vscode.Task(
    { type: "process", sirdab: args.join(" ") },
    vscode.TaskScope.Workspace,
    title,
    "Sirdab",
    new vscode.ProcessExecution(program, all, { cwd: homedir() }),
    [],
  );
  task.presentationOptions = {
    reveal: vscode.TaskRevealKind.Always,
    focus: true,
    clear: true,
    panel: vscode.TaskPanelKind.Dedicated,
  };
  return new Promise((resolve, reject) => {
    let execution: vscode.TaskExecution | undefined;
    const listeners: vscode.Disposable[] = [];
    const unlisten = (): void => {
      for (const listener of listeners) {
        listener.dispose();
      }
    };
    const finish = (code: number | undefined): void => {
      unlisten();
      resolve(code);
    };
    listeners.push(
      vscode.tasks.onDidEndTaskProcess((event) => {
        if (event.execution === execution) {
          finish(event.exitCode);
        }
      }),
      vscode.tasks.onDidEndTask((event) => {
        if (event.execution === execution) {
          // The exit code, where there is one, is told after this.
          setTimeout(() => finish(undefined), 1_000);
        }
      }),
    );
    vscode.tasks.executeTask(task).then(
      (started) => {
        execution = started;
      },
      (error) => {
        unlisten();
        reject(error);
      },
    );
  });
}
