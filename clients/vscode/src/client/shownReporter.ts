import * as vscode from "vscode";
import type { ServerAccess } from "./access";
import { DID_SHOW } from "./protocol";
import { type Place, samePlace } from "./shown";

// A suggestion that is still wanted this long after its answer, in milliseconds, is on the screen.
const ON_SCREEN_AFTER_MS = 100;

/** A place as it is now. */
export function placeOf(document: vscode.TextDocument, position: vscode.Position): Place {
  return {
    uri: document.uri.toString(),
    version: document.version,
    line: position.line,
    character: position.character,
  };
}

/**
 * Tell the server that a suggestion was shown.
 *
 * The stable API does not say what is shown. What was answered for a place where the cursor
 * still is, in a text that nobody has changed since, is on the screen: nothing else is known to
 * hide it but a suggestion list with another item selected.
 */
export function reportShown(server: ServerAccess, id: string, place: Place): void {
  setTimeout(() => {
    const editor = vscode.window.activeTextEditor;
    const now = editor && placeOf(editor.document, editor.selection.active);
    if (samePlace(place, now)) {
      server.notify(DID_SHOW, { id });
    }
  }, ON_SCREEN_AFTER_MS);
}
