import * as vscode from "vscode";
import type { ServerAccess } from "../client/access";
import { MODELS, type Model, type Models } from "../client/protocol";
import { SECTION } from "../settings/settings";
import { runQuietly, runVisibly } from "./tasks";

const SETTING = "endpoint.model";
const DECLINED = "sirdab.declinedModel";
const DOWNLOAD = "Download the Model";
const NOT_NOW = "Not Now";

/** Choosing and downloading models. */
export class ModelCommands {
  private offered = false;

  constructor(
    private readonly server: ServerAccess,
    private readonly memory: vscode.Memento,
    private readonly log: vscode.LogOutputChannel,
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
    const { name, installed } = picked.model;
    if (!installed && !(await this.fetch(picked.model))) {
      return;
    }
    if (configuredModel() === name) {
      await this.restart();
      return;
    }
    // The change of the setting starts the server again.
    await vscode.workspace
      .getConfiguration(SECTION)
      .update(SETTING, name, vscode.ConfigurationTarget.Global);
  }

  /** Download the model that is wanted, in a terminal; `sirdab model pull` asks before it begins. */
  async pull(): Promise<void> {
    if (await this.fetch(await this.wanted())) {
      await this.memory.update(DECLINED, undefined);
      await this.restart();
    }
  }

  /** Offer the download where the server says that something is missing. */
  async offer(message: string): Promise<void> {
    if (this.offered || this.memory.get<boolean>(DECLINED)) {
      return;
    }
    this.offered = true;
    const wanted = await this.wanted();
    if (wanted?.installed || (wanted === undefined && configuredModel() !== undefined)) {
      // The embedded server is missing, or the setting names a file: no download brings those.
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

  /** The model that the settings ask for; undefined where that cannot be told. */
  private async wanted(): Promise<Model | undefined> {
    try {
      const { models } = await this.server.request<Models>(MODELS, {});
      // A server without a model cannot say which it would use. The first is the default.
      const name = configuredModel();
      return (
        models.find((model) => model.current) ??
        (name === undefined ? models[0] : models.find((model) => model.name === name))
      );
    } catch {
      return undefined;
    }
  }

  private async fetch(model: Model | undefined): Promise<boolean> {
    const { command } = this.server;
    if (command === undefined) {
      void vscode.window.showWarningMessage(
        'Sirdab\'s server is not installed yet; run "Sirdab: Install the Server" first.',
      );
      return false;
    }
    const title = "Download the model";
    const args = ["model", "pull", ...(model === undefined ? [] : [model.name])];
    if (vscode.workspace.isTrusted) {
      return (await runVisibly(command, title, ...args)) === 0;
    }
    const download = "Download";
    const what = model === undefined ? "the default model" : `${model.title} (${size(model)})`;
    const answer = await vscode.window.showInformationMessage(
      `Download ${what}?`,
      { modal: true },
      download,
    );
    if (answer !== download) {
      return false;
    }
    const code = await runQuietly(command, this.log, title, ...args, "--yes");
    if (code !== 0 && code !== null) {
      throw new Error("The model could not be downloaded; see the log.");
    }
    return code === 0;
  }
}

/** The model that the user's settings here name; undefined where that is left to Sirdab. */
function configuredModel(): string | undefined {
  const value = vscode.workspace.getConfiguration(SECTION).inspect(SETTING)?.globalValue;
  return typeof value === "string" && value !== "" && value !== "auto" ? value : undefined;
}

function size({ sizeBytes }: Model): string {
  return `${Math.round(sizeBytes / 1_000_000)} MB`;
}

interface ModelItem extends vscode.QuickPickItem {
  readonly model: Model;
}

function modelItem(model: Model): ModelItem {
  const state = model.installed ? "on this machine" : "will be downloaded after asking";
  return {
    label: `${model.current ? "$(check) " : ""}${model.title}`,
    description: model.name,
    detail: model.sizeBytes > 0 ? `${size(model)}, ${state}` : state,
    model,
  };
}
