import * as vscode from "vscode";
import type { Statistics } from "../client/protocol";
import { type Situation, statusView } from "./statusView";

// A request that is answered sooner than this, in milliseconds, is not shown as work: the item
// would flicker at every key.
const BUSY_SHOWN_AFTER_MS = 300;

/** The item in the status bar. */
export class StatusBar implements vscode.Disposable {
  private readonly item: vscode.StatusBarItem;
  private situation: Situation = { kind: "starting", message: "Sirdab is starting." };
  private statistics: Statistics | undefined;
  private delayed: NodeJS.Timeout | undefined;

  constructor() {
    this.item = vscode.window.createStatusBarItem(
      "sirdab.status",
      vscode.StatusBarAlignment.Right,
      100,
    );
    this.item.name = "Sirdab";
    this.item.command = "sirdab.menu";
    this.render();
    this.item.show();
  }

  get current(): Situation {
    return this.situation;
  }

  show(situation: Situation): void {
    clearTimeout(this.delayed);
    this.delayed = undefined;
    this.situation = situation;
    const busy = situation.kind === "server" && situation.status.state === "busy";
    if (busy) {
      this.delayed = setTimeout(() => {
        this.delayed = undefined;
        this.render();
      }, BUSY_SHOWN_AFTER_MS);
    } else {
      this.render();
    }
  }

  showStatistics(statistics: Statistics | undefined): void {
    this.statistics = statistics;
    if (this.delayed === undefined) {
      this.render();
    }
  }

  dispose(): void {
    clearTimeout(this.delayed);
    this.item.dispose();
  }

  private render(): void {
    const view = statusView(this.situation, this.statistics);
    this.item.text = view.text;
    // Not trusted and without HTML: what a model server calls its model is not ours to believe.
    this.item.tooltip = new vscode.MarkdownString(view.tooltip);
    this.item.accessibilityInformation = { label: view.label, role: "button" };
    this.item.backgroundColor =
      view.colour === "none"
        ? undefined
        : new vscode.ThemeColor(`statusBarItem.${view.colour}Background`);
  }
}
