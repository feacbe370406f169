import * as vscode from "vscode";
import { ServerCommands } from "../client/protocol";

/** Tell the editor something that `when` clauses and the walkthrough ask for. */
export function setContext(key: string, value: boolean): void {
  void vscode.commands.executeCommand("setContext", `sirdab.${key}`, value);
}

/** Say which of the server's commands can be used now. */
export function setCommandContexts(offers: (command: string) => boolean): void {
  setContext("canReviewDocument", offers(ServerCommands.reviewDocument));
  setContext("canReviewWorkspace", offers(ServerCommands.reviewWorkspace));
  setContext("canRestore", offers(ServerCommands.restoreDismissed));
  setContext("canRewrite", offers(ServerCommands.rewrite));
  setContext("canRefactor", offers(ServerCommands.refactor));
  setContext("canExplain", offers(ServerCommands.explainCode));
}
