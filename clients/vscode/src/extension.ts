import type { ExtensionContext } from "vscode";
import { App } from "./app";

let app: App | undefined;

/** Called by the editor when it has started. Everything that takes time begins after it. */
export function activate(context: ExtensionContext): void {
  app = new App(context);
  app.begin();
}

/** Called by the editor before it ends. */
export async function deactivate(): Promise<void> {
  await app?.end();
  app = undefined;
}
