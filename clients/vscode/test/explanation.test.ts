import assert from "node:assert/strict";
import { test } from "node:test";
import { explanationPage, fenced } from "../src/ui/explanation";

const AT = { file: "a.py", line: 3, column: 7 };

test("the page says where, why, what was suggested and what was sent", () => {
  const page = explanationPage(
    {
      reason: "suggested",
      detail: "One suggestion.",
      suggestion: "a + b",
      trace: { prompt: "<|fim_prefix|>def", prompt_tokens: 12 },
    },
    AT,
  );
  const parts = ["# a.py:3:7", "One suggestion.", "`suggested`", "a + b", "<|fim_prefix|>def"];
  const places = parts.map((part) => page.indexOf(part));
  assert.ok(places.every((place) => place >= 0));
  assert.deepEqual(
    places,
    places.toSorted((one, other) => one - other),
  );
  assert.ok(page.includes('"prompt_tokens": 12'));
  assert.equal(page.match(/fim_prefix/g)?.length, 1, "the prompt is not in the trace as well");
});

test("no suggestion is said", () => {
  const page = explanationPage({ reason: "disabled", detail: "", suggestion: null, trace: {} }, AT);
  assert.ok(page.includes("## Suggestion\n\nNone."));
  assert.ok(!page.includes("What the model was sent"));
});

test("a page says first that the editor shows no ghost text at all", () => {
  const found = { reason: "suggested", detail: "One suggestion.", suggestion: "a", trace: {} };
  const page = explanationPage(found, AT, false);
  const said = page.indexOf("`editor.inlineSuggest.enabled`");
  assert.ok(said > 0 && said < page.indexOf("One suggestion."));
  assert.ok(!explanationPage(found, AT, true).includes("inlineSuggest"));
});

test("source text cannot leave its block", () => {
  const text = "```js\n````\nx";
  const block = fenced(text);
  assert.ok(block.startsWith("`````text\n") && block.endsWith("\n`````"));
});
