import assert from "node:assert/strict";
import crypto, { createHash, scryptSync } from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { foretold } from "./support.js";

const real = crypto.timingSafeEqual;
let compared = 0;
crypto.timingSafeEqual = (...given) => {
  compared += 1;
  return real(...given);
};
syncBuiltinESMExports();
const {
  Sessions,
  afterLogin,
  agent,
  cacheKey,
  hashPassword,
  isAdmin,
  newToken,
  parseCookies,
  requestOptions,
  sameSecret,
  sessionId,
  tokenDigest,
  verifyPassword,
} = await import("./sessions.js");

assert.match(newToken(), /^[0-9a-f]{64}$/);
assert.match(sessionId(), /^[0-9a-f-]{36}$/);
assert.equal(foretold(newToken), false);
assert.equal(foretold(sessionId), false);
assert.equal(hashPassword("p", "s"), scryptSync("p", "s", 32).toString("hex"));
assert.equal(tokenDigest("t"), createHash("sha256").update("t").digest("hex"));
assert.equal(cacheKey("b").length, 12);
assert.notEqual(cacheKey("b"), cacheKey("c"));
assert.equal(cacheKey("b"), createHash("sha1").update("b").digest("base64url").slice(0, 12));

compared = 0;
assert.equal(sameSecret("abc", "abc"), true);
assert.equal(compared, 1, "in a time that tells nothing");
assert.equal(sameSecret("abc", "abd"), false);
assert.equal(sameSecret("abc", "abcd"), false);
const stored = hashPassword("right", "salt");
compared = 0;
assert.equal(verifyPassword("right", "salt", stored), true);
assert.equal(compared, 1);
assert.equal(verifyPassword("wrong", "salt", stored), false);
assert.equal(verifyPassword("right", "salt", "00"), false);

assert.equal(agent().options.rejectUnauthorized, true);
assert.equal(agent().options.keepAlive, true);
assert.deepEqual(requestOptions("h"), { host: "h", port: 443, rejectUnauthorized: true, timeout: 5000 });

let now = 0;
const sessions = new Sessions(10, () => now);
const token = sessions.begin("ada");
assert.equal(sessions.userOf(token), "ada");
assert.equal(sessions.userOf("other"), null);
now = 9;
assert.equal(sessions.userOf(token), "ada");
now = 10;
assert.equal(sessions.userOf(token), null);
assert.equal(sessions.userOf(sessions.begin("x", 0)), null, "no time is no time");
assert.equal(sessions.userOf(sessions.begin("x", 1)), "x");
const again = sessions.begin("ada");
const bob = sessions.begin("bob");
const one = sessions.begin(1);
assert.equal(sessions.endAll("ada"), 2);
assert.equal(sessions.userOf(again), null);
assert.equal(sessions.userOf(bob), "bob");
assert.equal(sessions.endAll("1"), 0);
assert.equal(sessions.userOf(one), 1);
assert.equal(sessions.endAll("nobody"), 0);

function go(target) {
  const went = [];
  afterLogin({ redirect: (to) => went.push(to) }, target, "https://a.example");
  assert.equal(went.length, 1);
  return went[0];
}
assert.equal(go("/x"), "https://a.example/x");
assert.equal(go("https://evil.example/x"), "/");
assert.equal(go("https://a.example//evil.example"), "https://a.example//evil.example");
// The origin is a text, and only the very same one counts.
const replies = [];
afterLogin({ redirect: (to) => replies.push(to) }, "https://a.example/x", Object("https://a.example"));
assert.deepEqual(replies, ["/"]);

assert.deepEqual([...parseCookies(undefined)], []);
assert.deepEqual([...parseCookies("a=1; b = x=y ;c;=d")], [["a", "1"], ["b", "x=y"]]);
assert.throws(() => parseCookies(null), TypeError);
assert.equal(isAdmin(null), false);
assert.equal(isAdmin({ role: "admin", active: true }), true);
assert.equal(isAdmin({ role: "admin", active: false }), false);
assert.equal(isAdmin({ role: "user", active: true }), false);
assert.equal(isAdmin({ role: Object("admin"), active: true }), false);
assert.equal(isAdmin({ role: ["admin"], active: true }), false);
console.log("passed");
