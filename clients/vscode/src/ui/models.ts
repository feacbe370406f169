import * as vscode from "vscode";
import type { ServerAccess } from "../client/access";
import { MODELS, type Model, type Models } from "../client/protocol";
import { SECTION } from "../settings/settings";
import { runVisibly } from "./tasks";

const DECLINED = "sirdab.declinedModel";
const DOWNLOAD = "Download the Model";
const NOT_NOW = "Not Now";

/** Choosing and downloading models. */
export class ModelCommands {
  private offered = false;

  constructor(
    private readonly server: ServerAccess,
    private readonly memory: vscode.Memento,
    private readonly restart: () => Promise<void>,
  ) {}

  /** Let the user pick a model, fetch it where needed, and write it into the user's settings. */
  async choose(): Promise<void> {
    const { models } = await this.server.request<Models>(MODELS, {});
    const picked = await vscode.window.showQuickPick(models.map(modelItem), {
      title: "Model for ghost text",
      placeHolder: "Written to sirdab.endpoint.model in your user settings",
      matchOnDescription: true,
    });
    if (picked === undefined) {
      return;
    }
    if (!picked.model.installed && !(await this.fetch(picked.model.name))) {
      return;
    }
    // The change of the setting starts the server again.
    await vscode.workspace
      .getConfiguration(SECTION)
      .update("endpoint.model", picked.model.name, vscode.ConfigurationTarget.Global);
  }

  /** Download the model that is wanted, in a terminal; `sirdab model pull` asks before it begins. */
  async pull(): Promise<void> {
    if (await this.fetch((await this.wanted())?.name)) {
      await this.memory.update(DECLINED, undefined);
      await this.restart();
    }
  }

  /**
   * Offer the download where the server says that something is missing.
   *
   * @returns Whether the user has been told; the server's own message is not needed then.
   */
  async offer(message: string): Promise<void> {
    if (this.offered || this.memory.get<boolean>(DECLINED)) {
      return;
    }
    this.offered = true;
    const wanted = await this.wanted();
    if (wanted?.installed) {
      // Then it is the embedded server that is missing, which no download of a model brings.
      void vscode.window.showWarningMessage(`Sirdab: ${message}`);
      return;
    }
    const answer = await vscode.window.showInformationMessage(
      `Sirdab: ${message}`,
      DOWNLOAD,
      NOT_NOW,
    );
    if (answer === DOWNLOAD) {
      await this.pull();
    } else if (answer === NOT_NOW) {
      await this.memory.update(DECLINED, true);
    }
  }

  /** The catalog's model that the settings ask for; undefined where that cannot be told. */
  private async wanted(): Promise<Model | undefined> {
    try {
      const { models } = await this.server.request<Models>(MODELS, {});
      return models.find((model) => model.current);
    } catch {
      return undefined;
    }
  }

  private async fetch(name: string | undefined): Promise<boolean> {
    const { command } = this.server;
    if (command === undefined) {
      void vscode.window.showWarningMessage(
        'Sirdab\'s server is not installed yet; run "Sirdab: Install the Server" first.',
      );
      return false;
    }
    const args = name === undefined ? [] : [name];
    return (await runVisibly(command, "Download the model", "model", "pull", ...args)) === 0;
  }
}

interface ModelItem extends vscode.QuickPickItem {
  readonly model: Model;
}

function modelItem(model: Model): ModelItem {
  const size = `${Math.round(model.sizeBytes / 1_000_000)} MB`;
  const state = model.installed ? "on this machine" : "will be downloaded after asking";
  return {
    label: `${model.current ? "$(check) " : ""}${model.title}`,
    description: model.name,
    detail: model.sizeBytes > 0 ? `${size}, ${state}` : state,
    model,
  };
}
