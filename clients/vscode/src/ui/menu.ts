import * as vscode from "vscode";
import type { ServerAccess } from "../client/access";
import { ServerCommands } from "../client/protocol";
import { servedEditor } from "./editor";
import { menuEntries } from "./menuEntries";
import { messageOf, type Situation } from "./statusView";
import type { Switches } from "./switches";

/** What a click on the status item opens. */
export async function showMenu(
  situation: Situation,
  server: ServerAccess,
  switches: Switches,
): Promise<void> {
  const document = servedEditor()?.document;
  const entries = menuEntries({
    hasServer: server.session !== undefined,
    isInstalled: server.command !== undefined,
    hasWrongPath: situation.kind === "wrong path",
    needsModel: situation.kind === "server" && situation.status.detail === "not-installed",
    isOn: switches.isOn(),
    document: document && {
      language: document.languageId,
      isLanguageOn: switches.isLanguageOn(document.languageId),
      isOn: switches.isFileOn(document.uri),
    },
    canReview: server.offers(ServerCommands.reviewDocument),
  });
  const items = entries.map((entry) =>
    entry === "separator"
      ? { label: "", kind: vscode.QuickPickItemKind.Separator }
      : { label: `$(${entry.icon}) ${entry.label}`, command: entry.command },
  );
  const picked = await vscode.window.showQuickPick(items, {
    title: "Sirdab",
    placeHolder: messageOf(situation),
  });
  if (picked && "command" in picked) {
    await vscode.commands.executeCommand(picked.command);
  }
}
