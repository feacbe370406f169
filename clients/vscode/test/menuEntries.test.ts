import assert from "node:assert/strict";
import { test } from "node:test";
import { type MenuState, menuEntries } from "../src/ui/menuEntries";

const READY: MenuState = {
  hasServer: true,
  isInstalled: true,
  hasWrongPath: false,
  needsModel: false,
  isOn: true,
  document: { language: "python", isLanguageOn: true, isOn: true },
  canReview: true,
};

function commands(state: Partial<MenuState>): string[] {
  return menuEntries({ ...READY, ...state })
    .map((entry) => (entry === "separator" ? "" : entry.command))
    .filter((command) => command !== "");
}

function labels(state: Partial<MenuState>): string[] {
  return menuEntries({ ...READY, ...state }).map((entry) =>
    entry === "separator" ? "-" : entry.label,
  );
}

test("what mends something comes first", () => {
  assert.equal(commands({ isInstalled: false, hasServer: false })[0], "sirdab.installServer");
  assert.equal(commands({ hasServer: false })[0], "sirdab.restartServer");
  const wrong = { hasWrongPath: true, isInstalled: false, hasServer: false };
  assert.equal(commands(wrong)[0], "sirdab.openSettings");
  assert.ok(!commands(wrong).includes("sirdab.installServer"));
  assert.equal(commands({ needsModel: true })[0], "sirdab.pullModel");
  assert.equal(commands({})[0], "sirdab.toggleGhostText");
});

test("without a server nothing is offered that needs one", () => {
  const offered = commands({ hasServer: false });
  for (const command of [
    "toggleFile",
    "snoozeGhostText",
    "chooseModel",
    "explainHere",
    "reviewFile",
  ]) {
    assert.ok(!offered.includes(`sirdab.${command}`), command);
  }
});

test("without an editor nothing is offered for one", () => {
  const offered = commands({ document: undefined });
  for (const command of ["toggleLanguage", "toggleFile", "explainHere", "reviewFile"]) {
    assert.ok(!offered.includes(`sirdab.${command}`), command);
  }
});

test("a switch says what it will do", () => {
  const document = { language: "lua", isLanguageOn: false, isOn: true };
  const shown = labels({ isOn: false, document });
  assert.ok(shown.includes("Turn ghost text on everywhere"));
  assert.ok(shown.includes("Turn ghost text on for lua"));
  assert.ok(shown.includes("Turn ghost text off for this file"));
});

test("a review is offered where the server can do one", () => {
  assert.ok(commands({}).includes("sirdab.reviewFile"));
  assert.ok(!commands({ canReview: false }).includes("sirdab.reviewFile"));
});

test("lines stand between groups only", () => {
  for (const state of [{}, { hasServer: false }, { document: undefined, isInstalled: false }]) {
    const shown = labels(state);
    assert.ok(shown[0] !== "-" && shown.at(-1) !== "-");
    assert.ok(!shown.some((label, index) => label === "-" && shown[index + 1] === "-"));
  }
});
