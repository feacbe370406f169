import * as vscode from "vscode";
import type { ServerAccess } from "./access";
import { DID_MOVE_CURSOR } from "./protocol";
import { isServed } from "./shown";

// A moving cursor is told of when it has slowed down, in milliseconds.
const SETTLE_MS = 150;

/** Tells the server where the cursor is, so that the model can read ahead there. */
export function reportCursor(server: ServerAccess): vscode.Disposable {
  let timer: NodeJS.Timeout | undefined;
  const report = (): void => {
    const editor = vscode.window.activeTextEditor;
    if (editor === undefined || !isServed(editor.document.uri)) {
      return;
    }
    const { line, character } = editor.selection.active;
    server.notify(DID_MOVE_CURSOR, {
      textDocument: { uri: editor.document.uri.toString() },
      position: { line, character },
    });
  };
  const later = (): void => {
    clearTimeout(timer);
    timer = setTimeout(report, SETTLE_MS);
  };
  return vscode.Disposable.from(
    vscode.window.onDidChangeTextEditorSelection((event) => {
      if (event.textEditor === vscode.window.activeTextEditor) {
        later();
      }
    }),
    vscode.window.onDidChangeActiveTextEditor(later),
    new vscode.Disposable(() => clearTimeout(timer)),
  );
}
