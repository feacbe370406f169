import type { ServerAccess } from "../client/access";
import type { Target } from "../client/protocol";
import { activeEditor } from "./editor";

/** Whether a command was given what a code action of the server carries. */
export function isTarget(value: unknown): value is Target {
  const target = value as Partial<Target> | null | undefined;
  return typeof target?.uri === "string" && typeof target.range === "object";
}

/** What is selected in the active editor; an empty range where nothing is. */
export function selectedTarget(server: ServerAccess): Target {
  const editor = activeEditor();
  const { code2ProtocolConverter } = server.running().client;
  return {
    uri: code2ProtocolConverter.asUri(editor.document.uri),
    range: code2ProtocolConverter.asRange(editor.selection),
  };
}
