import * as vscode from "vscode";
import type { ServerAccess } from "../client/access";
import { ServerCommands } from "../client/protocol";
import { activeEditor } from "./editor";
import { withProgress } from "./progress";
import { isTarget, selectedTarget } from "./target";

/** Asks for reviews and rewrites, and shows how they go on. Findings come as diagnostics. */
export class ReviewCommands {
  constructor(private readonly server: ServerAccess) {}

  async reviewFile(): Promise<void> {
    await this.reviewDocument(activeEditor().document);
  }

  async reviewSelection(): Promise<void> {
    const { document, selection } = activeEditor();
    await this.reviewDocument(document, selection);
  }

  async reviewFolders(): Promise<void> {
    const result = await withProgress<{ findings: number; files: number }>(
      this.server,
      "Reviewing the workspace",
      ServerCommands.reviewWorkspace,
      [],
    );
    if (result) {
      await tellFindings(result.findings, `in ${count(result.files, "file")}`);
    }
  }

  /** Show again what has been dismissed in this file. */
  async restoreFile(): Promise<void> {
    const { document } = activeEditor();
    const { code2ProtocolConverter } = this.server.running().client;
    await this.restore([code2ProtocolConverter.asUri(document.uri)], "in this file");
  }

  /** Show again all that has ever been dismissed, which cannot be taken back: so it is asked. */
  async restoreEverywhere(): Promise<void> {
    const show = "Show Again";
    const answer = await vscode.window.showWarningMessage(
      "Show everything again that you have ever dismissed, in every project?",
      { modal: true },
      show,
    );
    if (answer === show) {
      await this.restore([], "anywhere");
    }
  }

  /**
   * Ask for an instruction and have the server rewrite a range.
   *
   * @param target What the code action carries; the selection when the user calls it himself,
   *   where a menu of the editor passes the document's address.
   */
  async instruct(target?: unknown): Promise<void> {
    const chosen = isTarget(target) ? target : selectedTarget(this.server);
    const instruction = await vscode.window.showInputBox({
      title: "Rewrite as instructed",
      prompt: "What should the model do with the selected text?",
      placeHolder: "for example: use pathlib instead of os.path",
    });
    if (!instruction?.trim()) {
      return;
    }
    // Why nothing was changed, if so, is told by the server.
    await withProgress(this.server, "Rewriting", ServerCommands.rewrite, [
      { uri: chosen.uri, range: chosen.range, instruction: instruction.trim() },
    ]);
  }

  private async restore(args: string[], where: string): Promise<void> {
    const { restored } = await this.server.execute<{ restored: number }>(
      ServerCommands.restoreDismissed,
      args,
    );
    void vscode.window.showInformationMessage(
      restored === 0
        ? `Sirdab: Nothing was dismissed ${where}.`
        : `Sirdab: ${count(restored, "dismissal")} taken back; what is still found is shown again.`,
    );
  }

  private async reviewDocument(
    document: vscode.TextDocument,
    range?: vscode.Selection,
  ): Promise<void> {
    const { code2ProtocolConverter } = this.server.running().client;
    const uri = code2ProtocolConverter.asUri(document.uri);
    const what = range ? { uri, range: code2ProtocolConverter.asRange(range) } : { uri };
    const result = await withProgress<{ findings: number }>(
      this.server,
      range ? "Reviewing the selection" : "Reviewing this file",
      ServerCommands.reviewDocument,
      [what],
    );
    if (result) {
      // The server counts what is shown of the whole document.
      await tellFindings(result.findings, "in this file");
    }
  }
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
