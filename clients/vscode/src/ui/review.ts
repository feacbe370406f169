import * as vscode from "vscode";
import type { ServerAccess } from "../client/access";
import { type ProtocolRange, ServerCommands } from "../client/protocol";
import { activeEditor } from "./editor";

/** What a code action wants to have rewritten. */
interface Target {
  readonly uri: string;
  readonly range: ProtocolRange;
}

/** Asks for reviews and rewrites, and shows how they go on. Findings come as diagnostics. */
export class ReviewCommands {
  private tokens = 0;

  constructor(private readonly server: ServerAccess) {}

  async reviewFile(): Promise<void> {
    await this.reviewDocument(activeEditor().document);
  }

  async reviewSelection(): Promise<void> {
    const { document, selection } = activeEditor();
    await this.reviewDocument(document, selection);
  }

  async reviewFolders(): Promise<void> {
    const result = await this.withProgress<{ findings: number; files: number }>(
      "Reviewing the workspace",
      ServerCommands.reviewWorkspace,
      [],
    );
    if (result) {
      await tellFindings(result.findings, `in ${count(result.files, "file")}`);
    }
  }

  /**
   * Ask for an instruction and have the server rewrite a range.
   *
   * @param target What the code action carries; the selection when the user calls it himself,
   *   where a menu of the editor passes the document's address.
   */
  async instruct(target?: unknown): Promise<void> {
    const chosen = isTarget(target) ? target : this.selection();
    const instruction = await vscode.window.showInputBox({
      title: "Rewrite as instructed",
      prompt: "What should the model do with the selected text?",
      placeHolder: "for example: use pathlib instead of os.path",
    });
    if (!instruction?.trim()) {
      return;
    }
    // Why nothing was changed, if so, is told by the server.
    await this.withProgress("Rewriting", ServerCommands.rewrite, [
      { uri: chosen.uri, range: chosen.range, instruction: instruction.trim() },
    ]);
  }

  private selection(): Target {
    const editor = activeEditor();
    const { code2ProtocolConverter } = this.server.running().client;
    return {
      uri: code2ProtocolConverter.asUri(editor.document.uri),
      range: code2ProtocolConverter.asRange(editor.selection),
    };
  }

  private async reviewDocument(
    document: vscode.TextDocument,
    range?: vscode.Selection,
  ): Promise<void> {
    const { code2ProtocolConverter } = this.server.running().client;
    const uri = code2ProtocolConverter.asUri(document.uri);
    const what = range ? { uri, range: code2ProtocolConverter.asRange(range) } : { uri };
    const result = await this.withProgress<{ findings: number }>(
      range ? "Reviewing the selection" : "Reviewing this file",
      ServerCommands.reviewDocument,
      [what],
    );
    if (result) {
      // The server counts what is shown of the whole document.
      await tellFindings(result.findings, "in this file");
    }
  }

  /** Run a command of the server under a notification that can be cancelled. */
  private async withProgress<T>(
    title: string,
    command: string,
    args: unknown[],
  ): Promise<T | undefined> {
    const session = this.server.running();
    const workDoneToken = `sirdab-vscode-${++this.tokens}`;
    return vscode.window.withProgress(
      {
        location: vscode.ProgressLocation.Notification,
        title: `Sirdab: ${title}`,
        cancellable: true,
      },
      async (progress, cancellation) => {
        let reported = 0;
        const listener = session.onProgress(workDoneToken, (value) => {
          const percentage = value.percentage ?? reported;
          progress.report({
            ...(value.message === undefined ? {} : { message: value.message }),
            increment: percentage - reported,
          });
          reported = percentage;
        });
        try {
          return await this.server.request<T>(
            "workspace/executeCommand",
            { command, arguments: args, workDoneToken },
            cancellation,
          );
        } catch (error) {
          if (cancellation.isCancellationRequested) {
            return undefined;
          }
          throw error;
        } finally {
          listener.dispose();
        }
      },
    );
  }
}

function isTarget(value: unknown): value is Target {
  const target = value as Partial<Target> | null | undefined;
  return typeof target?.uri === "string" && typeof target.range === "object";
}

async function tellFindings(findings: number, where: string): Promise<void> {
  if (findings === 0) {
    void vscode.window.showInformationMessage(`Sirdab found nothing ${where}.`);
    return;
  }
  const show = "Show Problems";
  const answer = await vscode.window.showInformationMessage(
    `Sirdab found ${count(findings, "problem")} ${where}.`,
    show,
  );
  if (answer === show) {
    await vscode.commands.executeCommand("workbench.actions.view.problems");
  }
}

function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}
