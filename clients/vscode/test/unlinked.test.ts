import assert from "node:assert/strict";
import { test } from "node:test";
import { unlinked } from "../src/ui/unlinked";

// What VS Code takes for a link (src/vs/base/common/linkedText.ts).
const LINK = /\[[^\]]+\]\((?:https?:\/\/|command:|file:)[^)\s]+(?: (["']).+?\1)?\)/;

test("the name of a file is no link in a message", () => {
  for (const name of ["[open](command:workbench.action.quit).py", "[a](https://a.example).md"]) {
    assert.match(name, LINK);
    assert.doesNotMatch(unlinked(name), LINK);
  }
});

test("usual names stay as they are", () => {
  for (const name of ["[id].tsx", "page (copy).py", "a.ts"]) {
    assert.equal(unlinked(name), name);
  }
});
