import * as vscode from "vscode";
import { isServed } from "../client/shown";

/** The editor that has, or last had, the focus, when it shows what Sirdab serves. */
export function servedEditor(): vscode.TextEditor | undefined {
  const editor = vscode.window.activeTextEditor;
  // The output panel, for example, is an editor as well.
  return editor !== undefined && isServed(editor.document.uri) ? editor : undefined;
}

/**
 * The same, for a command that cannot do without it.
 *
 * @throws Error with a sentence for the user.
 */
export function activeEditor(): vscode.TextEditor {
  const editor = servedEditor();
  if (editor === undefined) {
    throw new Error("Open a file, put the cursor into it, and try again.");
  }
  return editor;
}
