import * as path from "node:path";
import * as vscode from "vscode";
import type { ServerAccess } from "../client/access";
import { type Refactoring, ServerCommands, type Target } from "../client/protocol";
import { activeEditor } from "./editor";
import { withProgress } from "./progress";
import { isTarget, selectedTarget } from "./target";

const SCHEME = "sirdab-explanation";

const DOING: Readonly<Record<Refactoring, string>> = {
  document: "Documenting",
  types: "Adding types",
  simplify: "Simplifying",
  faster: "Making it faster",
  errors: "Handling errors",
  extract: "Extracting a function",
  tests: "Writing tests",
};

/** Asks for refactorings of the selection, or of the function around the cursor. */
export class RefactorCommands implements vscode.Disposable {
  private readonly pages = new Map<string, string>();
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly registration: vscode.Disposable;

  constructor(private readonly server: ServerAccess) {
    this.registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
      onDidChange: this.changed.event,
      provideTextDocumentContent: (uri) => this.pages.get(uri.toString()) ?? "",
    });
  }

  /** Have the server refactor; why nothing was changed, if so, is told by the server. */
  async refactor(kind: Refactoring): Promise<void> {
    const target = selectedTarget(this.server);
    await withProgress(this.server, DOING[kind], ServerCommands.refactor, [
      { ...target, do: kind },
    ]);
  }

  /**
   * Show what a piece of code does, as a page beside it.
   *
   * @param target What the code action carries; what is selected when the user calls it himself.
   */
  async explain(target?: unknown): Promise<void> {
    const chosen: Target = isTarget(target) ? target : selectedTarget(this.server);
    const { document } = activeEditor();
    const answer = await withProgress<{ explanation: string }>(
      this.server,
      "Explaining",
      ServerCommands.explainCode,
      [{ uri: chosen.uri, range: chosen.range }],
    );
    if (!answer?.explanation) {
      return;
    }
    const name = path.posix.basename(document.uri.path);
    // One page for each file, so that they do not pile up.
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${name} explained.md` });
    this.pages.set(uri.toString(), `${answer.explanation}\n`);
    this.changed.fire(uri);
    try {
      await vscode.commands.executeCommand("markdown.showPreviewToSide", uri);
    } catch {
      // VS Code's own Markdown extension may be turned off.
      await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), {
        viewColumn: vscode.ViewColumn.Beside,
        preview: true,
        preserveFocus: true,
      });
    }
  }

  dispose(): void {
    this.registration.dispose();
    this.changed.dispose();
  }
}
