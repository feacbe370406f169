import * as vscode from "vscode";

const SAMPLE = `# Wait for the grey text at the cursor, then press Tab.
def fahrenheit_to_celsius(degrees):
    return (degrees - 32) * 5 / 9


def celsius_to_fahrenheit(degrees):
    return `;

/** Open a document in which the next words are easy to guess, with the cursor in place. */
export async function openSample(): Promise<void> {
  const document = await vscode.workspace.openTextDocument({ language: "python", content: SAMPLE });
  const editor = await vscode.window.showTextDocument(document);
  const end = document.lineAt(document.lineCount - 1).range.end;
  editor.selection = new vscode.Selection(end, end);
  await vscode.commands.executeCommand("editor.action.inlineSuggest.trigger");
}
