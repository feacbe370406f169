import * as vscode from "vscode";
import {
  asTree,
  type Declared,
  declaredSettings,
  explicitValues,
  needsRestart,
  newSince,
  type Tree,
} from "./explicit";

export const SECTION = "sirdab";

/** The user's settings as the server is told them. */
export class Settings {
  private readonly declared: readonly Declared[];
  /** What the running server was started with. */
  private sent: ReadonlyMap<string, unknown> = new Map();

  constructor(manifest: unknown) {
    this.declared = declaredSettings(manifest);
  }

  /** What `initialize` carries: what somebody has set, and whether the workspace is trusted. */
  initializationOptions(): Tree {
    this.sent = this.explicit();
    const tree = asTree(this.sent);
    return vscode.workspace.isTrusted ? tree : { ...tree, trusted: false };
  }

  /** What the server is answered when it asks: what is new since `initialize`. */
  forServer(): Tree {
    return asTree(newSince(this.declared, this.sent, this.explicit()));
  }

  /** Whether a change needs a new start of the server. */
  needsRestart(): boolean {
    return needsRestart(this.declared, this.sent, this.explicit());
  }

  /** What is set here of the model server, for a command that reads no settings of an editor. */
  endpoint(): { url?: string; model?: string } {
    const set = this.explicit();
    const text = (key: string): string | undefined => {
      const value = set.get(key);
      return typeof value === "string" && value !== "" ? value : undefined;
    };
    const [url, model] = [text("endpoint.url"), text("endpoint.model")];
    return { ...(url !== undefined && { url }), ...(model !== undefined && { model }) };
  }

  private explicit(): Map<string, unknown> {
    const configuration = vscode.workspace.getConfiguration(SECTION);
    return explicitValues(this.declared, (key) => configuration.inspect(key));
  }
}
