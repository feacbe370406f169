import * as vscode from "vscode";
import type { Discovery } from "../server/discovery";
import { remoteNotice } from "./remote";

const DECLINED = "sirdab.declinedInstallation";
const TOLD_OF_REMOTE = "sirdab.toldOfRemote";
const INSTALL = "Install";
const NOT_NOW = "Not Now";
const SHOW_LOG = "Show Log";
const OPEN_SETTING = "Open Setting";

/** Messages that pop up: each once, and never again once the user has said no. */
export class Notices {
  private readonly told = new Set<string>();

  constructor(
    private readonly memory: vscode.Memento,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  /** Say once, ever, where Sirdab runs when the window is a remote one. */
  async remote(): Promise<void> {
    const message = remoteNotice(vscode.env.remoteName);
    if (message !== undefined && this.memory.get<boolean>(TOLD_OF_REMOTE) !== true) {
      await this.memory.update(TOLD_OF_REMOTE, true);
      void vscode.window.showInformationMessage(message);
    }
  }

  /** Say that there is no server, and offer what helps. */
  async offerInstallation(
    discovery: Exclude<Discovery, { kind: "found" }>,
    install: () => Promise<void>,
  ): Promise<void> {
    if (this.told.has(discovery.message)) {
      return;
    }
    this.told.add(discovery.message);
    if (discovery.kind === "wrong path") {
      await this.wrongPath(discovery.message);
      return;
    }
    if (discovery.pythons.length === 0) {
      void vscode.window.showErrorMessage(discovery.message);
      return;
    }
    if (this.memory.get<boolean>(DECLINED)) {
      return;
    }
    const answer = await vscode.window.showInformationMessage(
      "Sirdab's server is not on this machine; install it into this extension's own folder?",
      INSTALL,
      NOT_NOW,
    );
    if (answer === INSTALL) {
      await install();
    } else if (answer === NOT_NOW) {
      await this.memory.update(DECLINED, true);
    }
  }

  /** Say that the setting names no server. */
  async wrongPath(message: string): Promise<void> {
    if ((await vscode.window.showErrorMessage(message, OPEN_SETTING)) === OPEN_SETTING) {
      await vscode.commands.executeCommand("workbench.action.openSettings", "sirdab.path");
    }
  }

  /** Say that the server does not answer, the first time that it happens. */
  async slow(message: string): Promise<void> {
    if (!this.told.has(message)) {
      this.told.add(message);
      await this.failure(message);
    }
  }

  /** Say that the server cannot be kept running. */
  async failure(message: string): Promise<void> {
    if ((await vscode.window.showErrorMessage(message, SHOW_LOG)) === SHOW_LOG) {
      this.log.show();
    }
  }
}
