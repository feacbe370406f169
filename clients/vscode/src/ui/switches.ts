import * as vscode from "vscode";
import type { ServerAccess } from "../client/access";
import { ServerCommands } from "../client/protocol";
import { SECTION } from "../settings/settings";
import { activeEditor } from "./editor";
import { isOffInFile, type Situation } from "./statusView";

const ENABLED = "completion.enabled";
const DISABLED_LANGUAGES = "completion.disabledLanguages";

// Minutes, as the menu offers them.
const SNOOZES = [5, 15, 30, 60];

const SHOWN_MS = 5_000;

/** Turns ghost text on and off: everywhere, for a language, for a file, for a while. */
export class Switches {
  /** Files that were switched since the server started; it forgets them when it ends. */
  private readonly files = new Map<string, boolean>();

  constructor(
    private readonly server: ServerAccess,
    private readonly situation: () => Situation,
  ) {}

  /** Whether ghost text is on by the settings here, and by the user's config.toml where it decides. */
  isOn(): boolean {
    return isOnHere() && !isOffInFile(this.situation());
  }

  /** Whether a setting of this editor says whether ghost text is on. */
  isSetHere(): boolean {
    const seen = configuration().inspect(ENABLED);
    return [seen?.globalValue, seen?.workspaceValue, seen?.workspaceFolderValue].some(
      (value) => value !== undefined,
    );
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
    if (isOnHere() !== wanted) {
      await overruled(wanted ? "off" : "on", ENABLED);
      return;
    }
    tell(`Ghost text is ${wanted ? "on" : "off"}.`);
  }

  async toggleLanguage(): Promise<void> {
    const language = activeEditor().document.languageId;
    const wanted = !this.isLanguageOn(language);
    // Only what the user has set goes back into the user's settings.
    const users = languages(configuration().inspect(DISABLED_LANGUAGES)?.globalValue);
    const others = users.filter((one) => one !== language);
    await configuration().update(
      DISABLED_LANGUAGES,
      wanted ? others : [...others, language],
      vscode.ConfigurationTarget.Global,
    );
    if (this.isLanguageOn(language) !== wanted) {
      await overruled(`${wanted ? "off" : "on"} for ${language}`, DISABLED_LANGUAGES);
      return;
    }
    tell(`Ghost text is ${wanted ? "on" : "off"} for ${language}.`);
  }

  async toggleFile(): Promise<void> {
    const { uri } = activeEditor().document;
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
      tell(
        choice.minutes === 0
          ? "Ghost text is awake."
          : `Ghost text is snoozed for ${choice.minutes} minutes.`,
      );
    }
  }
}

function isOnHere(): boolean {
  return configuration().get<boolean>(ENABLED) !== false;
}

function configuration(): vscode.WorkspaceConfiguration {
  return vscode.workspace.getConfiguration(SECTION);
}

function disabledLanguages(): string[] {
  return languages(configuration().get<unknown>(DISABLED_LANGUAGES));
}

function languages(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

/** Say that the workspace's settings are stronger than the user's, and offer to open them. */
async function overruled(how: string, key: string): Promise<void> {
  const open = "Open Workspace Settings";
  const answer = await vscode.window.showWarningMessage(
    `This workspace's settings turn ghost text ${how}; change ${SECTION}.${key} there.`,
    open,
  );
  if (answer === open) {
    await vscode.commands.executeCommand(
      "workbench.action.openWorkspaceSettings",
      `${SECTION}.${key}`,
    );
  }
}

function tell(message: string): void {
  vscode.window.setStatusBarMessage(message, SHOWN_MS);
}
