import assert from "node:assert/strict";
import { test } from "node:test";
import { remoteNotice } from "../src/ui/remote";

test("who works in a remote window is told where Sirdab runs", () => {
  for (const [kind, place] of [
    ["ssh-remote", "SSH"],
    ["dev-container", "container"],
    ["wsl", "WSL"],
  ] as const) {
    const said = remoteNotice(kind);
    assert.ok(said?.includes(place));
    assert.ok(said?.includes("run there"));
    assert.equal(said?.match(/\.(\s|$)/g)?.length, 1, "one sentence");
  }
});

test("nobody else is", () => {
  for (const kind of [undefined, "", "127.0.0.1:8080", "constructor"]) {
    assert.equal(remoteNotice(kind), undefined);
  }
});
