import assert from "node:assert/strict";
import { test } from "node:test";
import { samePlace, suggestionId } from "../src/client/shown";

test("the id is the first argument of the item's command", () => {
  assert.equal(
    suggestionId({ command: { command: "sirdab.accept", arguments: ["7", "full"] } }),
    "7",
  );
  assert.equal(suggestionId({ command: { command: "sirdab.accept", arguments: [7] } }), undefined);
  assert.equal(suggestionId({ command: { command: "sirdab.accept" } }), undefined);
  assert.equal(suggestionId({}), undefined);
});

test("a place is the same only in the same text", () => {
  const place = { uri: "file:///a", version: 3, line: 1, character: 2 };
  assert.ok(samePlace(place, { ...place }));
  assert.ok(!samePlace(place, undefined));
  for (const change of [{ uri: "file:///b" }, { version: 4 }, { line: 0 }, { character: 3 }]) {
    assert.ok(!samePlace(place, { ...place, ...change }));
  }
});
