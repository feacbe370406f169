import * as vscode from "vscode";
import type { ServerAccess } from "../client/access";
import { ServerCommands } from "../client/protocol";
import { SECTION } from "../settings/settings";

const ENABLED = "completion.enabled";
const DISABLED_LANGUAGES = "completion.disabledLanguages";

// Minutes, as the menu offers them.
const SNOOZES = [5, 15, 30, 60];

const SHOWN_MS = 5_000;

/** Turns ghost text on and off: everywhere, for a language, for a file, for a while. */
export class Switches {
  /** Files that were switched since the server started; it forgets them when it ends. */
  private readonly files = new Map<string, boolean>();

  constructor(private readonly server: ServerAccess) {}

  /** Whether ghost text is on by the settings. */
  isOn(): boolean {
    return configuration().get<boolean>(ENABLED) !== false;
  }

  isLanguageOn(language: string): boolean {
    return !disabledLanguages().includes(language);
  }

  /** Whether the file was switched off here. */
  isFileOn(uri: vscode.Uri): boolean {
    return this.files.get(uri.toString()) ?? true;
  }

  /** The server has been started anew and knows of no files. */
  forgetFiles(): void {
    this.files.clear();
  }

  /** Write the user's own setting. */
  async toggleEverywhere(): Promise<void> {
    const wanted = !this.isOn();
    await configuration().update(ENABLED, wanted, vscode.ConfigurationTarget.Global);
    if (this.isOn() !== wanted) {
      const open = "Open Workspace Settings";
      const answer = await vscode.window.showWarningMessage(
        `This workspace's settings turn ghost text ${wanted ? "off" : "on"}; change sirdab.completion.enabled there.`,
        open,
      );
      if (answer === open) {
        await vscode.commands.executeCommand(
          "workbench.action.openWorkspaceSettings",
          `${SECTION}.${ENABLED}`,
        );
      }
      return;
    }
    tell(`Ghost text is ${wanted ? "on" : "off"}.`);
  }

  async toggleLanguage(): Promise<void> {
    const language = vscode.window.activeTextEditor?.document.languageId;
    if (language === undefined) {
      return;
    }
    const on = this.isLanguageOn(language);
    const others = disabledLanguages().filter((one) => one !== language);
    await configuration().update(
      DISABLED_LANGUAGES,
      on ? [...others, language] : others,
      vscode.ConfigurationTarget.Global,
    );
    tell(`Ghost text is ${on ? "off" : "on"} for ${language}.`);
  }

  async toggleFile(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    if (editor === undefined) {
      return;
    }
    const { uri } = editor.document;
    const sent = this.server.running().client.code2ProtocolConverter.asUri(uri);
    const { enabled } = await this.server.execute<{ enabled: boolean }>(ServerCommands.toggle, [
      { scope: "file", uri: sent },
    ]);
    this.files.set(uri.toString(), enabled);
    tell(`Ghost text is ${enabled ? "on" : "off"} for this file, until the server ends.`);
  }

  async snooze(): Promise<void> {
    const choices = [
      ...SNOOZES.map((minutes) => ({ label: `${minutes} minutes`, minutes })),
      { label: "Wake up now", minutes: 0 },
    ];
    const choice = await vscode.window.showQuickPick(choices, {
      title: "Snooze ghost text for",
    });
    if (choice !== undefined) {
      await this.server.execute(ServerCommands.snooze, [choice.minutes]);
    }
  }
}

function configuration(): vscode.WorkspaceConfiguration {
  return vscode.workspace.getConfiguration(SECTION);
}

function disabledLanguages(): string[] {
  const value = configuration().get<unknown>(DISABLED_LANGUAGES);
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

function tell(message: string): void {
  vscode.window.setStatusBarMessage(message, SHOWN_MS);
}
