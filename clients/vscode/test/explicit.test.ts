import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import {
  asTree,
  declaredSettings,
  explicitValues,
  type Inspected,
  needsRestart,
  newSince,
} from "../src/settings/explicit";
import { CLIENT } from "./support";

const DECLARED = declaredSettings(
  JSON.parse(readFileSync(path.join(CLIENT, "package.json"), "utf8")),
);

function values(settings: Record<string, Inspected>): Map<string, unknown> {
  return explicitValues(DECLARED, (key) => settings[key]);
}

test("the settings are those of the manifest, without the client's own", () => {
  const keys = DECLARED.map((one) => one.key);
  assert.ok(keys.includes("endpoint.url") && keys.includes("trace"));
  assert.ok(!keys.includes("path"));
  assert.deepEqual(
    DECLARED.filter((one) => one.userOnly).map((one) => one.key),
    [
      "endpoint.url",
      "endpoint.kind",
      "endpoint.model",
      "endpoint.apiKeyEnv",
      "endpoint.allowRemote",
    ],
  );
});

test("only what somebody has set is sent, the nearest value of each", () => {
  const found = values({
    "completion.enabled": { globalValue: false },
    "completion.maxTokens": { globalValue: 64, workspaceValue: 32 },
    "completion.multiline": { globalValue: "auto", workspaceFolderValue: "never" },
    "privacy.audit": {},
  });
  assert.deepEqual(asTree(found), {
    completion: { enabled: false, maxTokens: 32, multiline: "never" },
  });
});

test("values of the wrong type are sent as they are: the server says what is wrong", () => {
  const found = values({
    "completion.debounceMs": { globalValue: { a: 1 } },
    trace: { globalValue: 3 },
  });
  assert.deepEqual(asTree(found), { completion: { debounceMs: { a: 1 } }, trace: 3 });
});

test("a workspace cannot set what only the user may set", () => {
  const found = values({
    "endpoint.url": { workspaceValue: "http://127.0.0.1:1", workspaceFolderValue: "http://evil" },
    "endpoint.model": { globalValue: "mine", workspaceValue: "theirs" },
  });
  assert.deepEqual(asTree(found), { endpoint: { model: "mine" } });
});

test("after the start only what is new is sent, and nothing that is the user's alone", () => {
  const wrong = { "completion.maxTokens": { globalValue: "many" } };
  const sent = values({ ...wrong, "privacy.exclude": { globalValue: ["a"] } });
  const later = (settings: Record<string, Inspected>) =>
    asTree(newSince(DECLARED, sent, values(settings)));
  assert.deepEqual(later({ ...wrong, "privacy.exclude": { globalValue: ["a"] } }), {});
  assert.deepEqual(later({ ...wrong, "privacy.exclude": { globalValue: ["a", "b"] } }), {
    privacy: { exclude: ["a", "b"] },
  });
  assert.deepEqual(later({ "endpoint.url": { globalValue: "x" }, trace: { globalValue: "off" } }), {
    trace: "off",
  });
});

test("a server is started again for what it takes at its start alone", () => {
  const sent = values({
    "endpoint.url": { globalValue: "a" },
    "completion.maxTokens": { globalValue: 1 },
  });
  const now = (settings: Record<string, Inspected>) =>
    needsRestart(DECLARED, sent, values(settings));
  const url = { "endpoint.url": { globalValue: "a" } };
  const tokens = { "completion.maxTokens": { globalValue: 1 } };
  assert.equal(now({ ...url, ...tokens }), false);
  assert.equal(now({ ...url, "completion.maxTokens": { globalValue: 2 } }), false);
  assert.equal(now({ ...url, ...tokens, "privacy.exclude": { globalValue: ["x"] } }), false);
  assert.equal(now({ ...url }), true, "a value that is gone cannot be sent");
  assert.equal(now({ ...tokens, "endpoint.url": { globalValue: "b" } }), true);
  assert.equal(now({ ...url, ...tokens, "endpoint.model": { globalValue: "m" } }), true);
  assert.equal(now({ ...url, ...tokens, "completion.menu": { globalValue: "on" } }), true);
});

test("a workspace adds to what the user excludes, and takes nothing away", () => {
  const exclude = (seen: Inspected) => values({ "privacy.exclude": seen }).get("privacy.exclude");
  assert.deepEqual(exclude({ globalValue: ["a"], workspaceValue: [] }), ["a"]);
  assert.deepEqual(exclude({ globalValue: ["a"], workspaceFolderValue: ["b", "a"] }), ["b", "a"]);
  assert.equal(exclude({}), undefined);
  assert.equal(exclude({ globalValue: ["a"], workspaceValue: "b" }), "b");
  const sent = values({ "privacy.exclude": { globalValue: ["a", "b"] } });
  const restarts = (list: string[]) =>
    needsRestart(DECLARED, sent, values({ "privacy.exclude": { globalValue: list } }));
  assert.equal(restarts(["a", "b", "c"]), false);
  assert.equal(restarts(["a"]), true, "the server keeps what it was told");
});
