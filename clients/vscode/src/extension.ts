import type { ExtensionContext } from "vscode";
import type { App } from "./app";

let app: App | undefined;

/**
 * Called by the editor when it has started. It waits for this turn, in which nothing is done
 * therefore; a command that is asked for meanwhile waits for the promise.
 */
export async function activate(context: ExtensionContext): Promise<void> {
  await new Promise(setImmediate);
  const loaded = await import("./app");
  app = new loaded.App(context);
  app.begin();
}

/** Called by the editor before it ends. */
export async function deactivate(): Promise<void> {
  await app?.end();
  app = undefined;
}
