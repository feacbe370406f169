import * as vscode from "vscode";
import { type ServerCommand, withArguments } from "../server/command";

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
    new vscode.ProcessExecution(program, all),
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
    const finish = (code: number | undefined): void => {
      for (const listener of listeners) {
        listener.dispose();
      }
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
    vscode.tasks.executeTask(task).then((started) => {
      execution = started;
    }, reject);
  });
}
