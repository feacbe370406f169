import { stat } from "node:fs/promises";
import * as path from "node:path";
import * as vscode from "vscode";

// VS Code shows larger files, in bytes, and does not hand them to extensions.
const SHARED_BYTES = 50 * 1024 * 1024;

/** Tells, once in a window, why there is no ghost text in a very large file. */
export function watchLargeFiles(): vscode.Disposable {
  let told = false;
  const look = async (): Promise<void> => {
    const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
    if (told || !(input instanceof vscode.TabInputText) || input.uri.scheme !== "file") {
      return;
    }
    const size = (await stat(input.uri.fsPath).catch(() => undefined))?.size ?? 0;
    if (size > SHARED_BYTES && !told) {
      told = true;
      void vscode.window.showInformationMessage(
        `${path.basename(input.uri.fsPath)} is larger than 50 MB, which VS Code keeps from extensions: Sirdab offers nothing in it.`,
      );
    }
  };
  void look();
  return vscode.window.tabGroups.onDidChangeTabs((event) => {
    if (event.opened.length > 0 || event.changed.some((tab) => tab.isActive)) {
      void look();
    }
  });
}
