import * as path from "node:path";
import * as vscode from "vscode";
import type { ServerAccess } from "../client/access";
import { EXPLAIN, type Explanation } from "../client/protocol";
import { activeEditor } from "./editor";
import { explanationPage } from "./explanation";

const SCHEME = "sirdab-explain";

/** "Why no suggestion here?": asks the server and shows its answer as a read-only page. */
export class Explainer implements vscode.Disposable {
  private page = "";
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly registration: vscode.Disposable;
  private readonly uri = vscode.Uri.parse(`${SCHEME}:Why no suggestion.md`);

  constructor(private readonly server: ServerAccess) {
    this.registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
      onDidChange: this.changed.event,
      provideTextDocumentContent: () => this.page,
    });
  }

  async explainHere(): Promise<void> {
    const { document, selection } = activeEditor();
    const { line, character } = selection.active;
    const { code2ProtocolConverter } = this.server.running().client;
    const explanation = await vscode.window.withProgress(
      {
        location: vscode.ProgressLocation.Notification,
        title: "Sirdab is asking for a suggestion here",
        cancellable: true,
      },
      async (_progress, token) => {
        try {
          return await this.server.request<Explanation>(
            EXPLAIN,
            {
              textDocument: code2ProtocolConverter.asTextDocumentIdentifier(document),
              position: { line, character },
            },
            token,
          );
        } catch (error) {
          if (token.isCancellationRequested) {
            return undefined;
          }
          throw error;
        }
      },
    );
    if (explanation === undefined) {
      return;
    }
    this.page = explanationPage(
      explanation,
      { file: path.posix.basename(document.uri.path), line: line + 1, column: character + 1 },
      editorShowsGhostText(document),
    );
    this.changed.fire(this.uri);
    const page = await vscode.workspace.openTextDocument(this.uri);
    await vscode.languages.setTextDocumentLanguage(page, "markdown");
    await vscode.window.showTextDocument(page, {
      viewColumn: vscode.ViewColumn.Beside,
      preview: true,
      preserveFocus: true,
    });
  }

  dispose(): void {
    this.registration.dispose();
    this.changed.dispose();
  }
}

/** Whether VS Code itself shows ghost text in a document; it is a setting for each language too. */
function editorShowsGhostText(document: vscode.TextDocument): boolean {
  return (
    vscode.workspace.getConfiguration("editor", document).get("inlineSuggest.enabled") !== false
  );
}
