import * as vscode from "vscode";
import { setContext } from "./contextKeys";

export type Step = "stepServer" | "stepModel" | "stepAccepted";

const ACCEPTED = "sirdab.hasAccepted";

// How long a page takes to be ready, and how long a key is held, in milliseconds.
const OPEN_MS = 1_500;
const HELD_MS = 3_000;

/**
 * Ticks off the steps of the walkthrough.
 *
 * VS Code ticks a step when its context key becomes true, and never when the key was true
 * already at the moment when it first read the walkthrough, which it does as late as when a page
 * with walkthroughs is opened. So a key is raised for a moment only: when its step is done, and
 * again for all that is done when a page is opened that may be the walkthrough.
 */
export class Walkthrough implements vscode.Disposable {
  private readonly done = new Set<Step>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly listener: vscode.Disposable;

  constructor(private readonly memory: vscode.Memento) {
    if (memory.get<boolean>(ACCEPTED)) {
      this.done.add("stepAccepted");
    }
    this.listener = vscode.window.tabGroups.onDidChangeTabs(({ opened }) => {
      // Pages of VS Code's own have no input that extensions are told of.
      if (opened.some((tab) => tab.input === undefined)) {
        this.later(OPEN_MS, () => this.raise([...this.done]));
      }
    });
  }

  /** A step is done. */
  reached(step: Step): void {
    if (this.done.has(step)) {
      return;
    }
    this.done.add(step);
    this.raise([step]);
    if (step === "stepAccepted") {
      void this.memory.update(ACCEPTED, true);
    }
  }

  dispose(): void {
    this.listener.dispose();
    for (const timer of this.timers) {
      clearTimeout(timer);
    }
  }

  private raise(steps: readonly Step[]): void {
    for (const step of steps) {
      setContext(step, true);
    }
    this.later(HELD_MS, () => {
      for (const step of steps) {
        setContext(step, false);
      }
    });
  }

  private later(ms: number, callback: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      callback();
    }, ms);
    this.timers.add(timer);
  }
}
