import assert from "node:assert/strict";
import * as pages from "./pages.js";

assert.equal(pages.escapeHtml(`<a href="x">&'`), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
assert.equal(pages.escapeHtml(5), "5");
assert.equal(pages.escapeRegExp("a.b*(c)"), "a\\.b\\*\\(c\\)");
const element = { innerHTML: "", hidden: true };
pages.showName(element, { name: "<b>", online: true });
assert.deepEqual(element, { innerHTML: "", hidden: true, textContent: "<b>", className: "online" });
pages.showName(element, { name: "x", online: 1 });
assert.equal(element.className, "offline");
pages.showError(element, "<i>");
assert.equal(element.textContent, "<i>");
assert.equal(element.innerHTML, "");
assert.equal(element.hidden, false);
assert.equal(pages.comment("<b>", "a & b"), "<li><b>&lt;b&gt;</b>: a &amp; b</li>");
assert.equal(pages.highlight("a Cat <cat>", "cat"), "a <mark>Cat</mark> &lt;<mark>cat</mark>&gt;");
assert.equal(pages.highlight("<>", ""), "&lt;&gt;");
assert.equal(pages.highlight("a.b", "."), "a<mark>.</mark>b");
assert.equal(pages.highlight("x < y", "<"), "x <mark>&lt;</mark> y");
assert.equal(pages.highlight("a&b", "amp"), "a&amp;b");
assert.deepEqual(pages.matches(["Ada", "bad", "a.c"], "a"), ["Ada", "a.c"]);
assert.deepEqual(pages.matches(["abc", "a.c"], "a."), ["a.c"]);
assert.deepEqual(pages.matches(["(x"], "("), ["(x"]);

function go(target) {
  const went = [];
  pages.afterLogin({ origin: "https://a.example", assign: (to) => went.push(to) }, target);
  assert.equal(went.length, 1);
  return went[0];
}
// The origin is a text, and only the very same one counts.
const moved = [];
pages.afterLogin({ origin: Object("https://a.example"), assign: (to) => moved.push(to) }, "/x");
assert.deepEqual(moved, ["/"]);
assert.equal(go("/x?y=1"), "https://a.example/x?y=1");
assert.equal(go("https://evil.example/x"), "/");
assert.equal(go("//evil.example/x"), "/");
assert.equal(go("https://a.example//evil.example"), "https://a.example//evil.example");

const storage = (text) => ({ getItem: (name) => (name === "settings" ? text : "wrong") });
assert.deepEqual(pages.readSettings(storage('{"a": 1}')), { a: 1 });
assert.deepEqual(pages.readSettings(storage(null)), {});
assert.deepEqual(pages.readSettings(storage("{a")), {});
assert.deepEqual(pages.readSettings(storage("(() => 7)()")), {});
assert.deepEqual(pages.readSettings(storage("undefined")), {});
class Strange {
  toString() {
    throw new TypeError("strange");
  }
}
assert.throws(() => pages.readSettings(storage(new Strange())), /strange/);
const form = { elements: { name: { value: "  Ada " }, empty: { value: "" } } };
assert.equal(pages.field(form, "name"), "Ada");
assert.equal(pages.field(form, "empty"), "");
assert.equal(pages.field(form, "nothing"), "");
const page = (text) => pages.pageNumber(new URLSearchParams(text));
assert.equal(page("page=3"), 3);
assert.equal(page(""), 1);
assert.equal(page("page=0"), 1);
assert.equal(page("page=1"), 1);
assert.equal(page("page=x"), 1);
assert.equal(page("page=0x10"), 1);
assert.equal(page("page=-4"), 1);
assert.equal(pages.pageNumber({ get: () => "" }), 1);
assert.equal(pages.duration(0), "now");
assert.equal(pages.duration("0"), "0:00");
assert.equal(pages.duration(65), "1:05");
assert.equal(pages.classes({}), "button");
assert.equal(pages.classes({ primary: true }), "button button-primary");
assert.equal(pages.classes({ primary: true, disabled: true }), "button button-inactive");
assert.equal(pages.classes({ loading: true }), "button button-inactive");
assert.equal(pages.classes({ disabled: true }), "button button-inactive");
assert.equal(pages.classes({ disabled: true, loading: true }), "button button-inactive");
assert.equal(pages.truncate("abcdef", 6), "abcdef");
assert.equal(pages.truncate("abcdef", 5), "abcd…");
assert.equal(pages.volume({ volume: 0 }), 0);
assert.equal(pages.volume({}), 50);
assert.equal(pages.title(undefined), "Guest");
assert.equal(pages.title({}), "Guest");
assert.equal(pages.title({ profile: {} }), "Guest");
assert.equal(pages.title({ profile: { name: "Ada" } }), "Ada's page");
assert.equal(pages.title({ profile: { name: null } }), "null's page");
assert.equal(pages.slug("  Hello, World! "), "hello-world");
console.log("passed");
