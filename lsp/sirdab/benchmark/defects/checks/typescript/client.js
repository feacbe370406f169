import assert from "node:assert/strict";
import {
  Client,
  Emitter,
  ServiceError,
  deadline,
  debounce,
  deliver,
  nameOf,
  parseLine,
  parsePort,
  progress,
  ranks,
  waitFor,
  window,
} from "./client.js";
import { rejects, searches } from "./support.js";

async function ticks() {
  for (let i = 0; i < 20; i++) {
    await null;
  }
}

function service(...answers) {
  const asked = [];
  const pauses = [];
  const fetch = async (url) => {
    asked.push(url);
    await null;
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer instanceof Error) {
      throw answer;
    }
    return typeof answer === "number"
      ? { status: answer, json: async () => "error" }
      : { status: 200, json: async () => answer };
  };
  const pause = async (ms) => {
    const before = asked.length;
    await ticks();
    assert.equal(asked.length, before, "nothing is asked in a pause");
    pauses.push(ms);
  };
  return { client: new Client(fetch, pause), asked, pauses };
}

let made = service({ a: 1 });
assert.deepEqual(await made.client.get("u"), { a: 1 });
await rejects(service(404).client.get("u"), ServiceError);
await rejects(service(404).client.get("u"), /answered 404/);
await rejects(new Client(async () => ({ status: "200", json: async () => 1 })).get("u"), ServiceError);
assert.equal(new ServiceError(7).status, 7);
made = service(500, 503, { ok: 1 });
assert.deepEqual(await made.client.getWithRetries("u"), { ok: 1 });
assert.deepEqual(made.pauses, [100, 200]);
made = service(500);
await rejects(made.client.getWithRetries("u", 2), ServiceError);
assert.equal(made.asked.length, 2);
assert.deepEqual(made.pauses, [100]);
made = service(499);
await rejects(made.client.getWithRetries("u"), ServiceError);
assert.equal(made.asked.length, 1);
made = service(new TypeError("a defect"));
await rejects(made.client.getWithRetries("u"), TypeError);
assert.equal(made.asked.length, 1);
const order = [];
const slow = new Client(async (url) => {
  order.push(`start ${url}`);
  await null;
  await null;
  order.push(`end ${url}`);
  return { status: 200, json: async () => url };
});
assert.deepEqual(await slow.all(["a", "b"]), ["a", "b"]);
assert.deepEqual(order.slice(0, 2), ["start a", "start b"], "at the same time");
made = service({ items: [1, 2], next: "p2" }, { items: [3], next: null });
assert.deepEqual(await made.client.pages("p1"), [1, 2, 3]);
assert.deepEqual(made.asked, ["p1", "p2"]);
made = service({ items: [1], next: undefined }, { items: [], next: null });
assert.deepEqual(await made.client.pages("p1"), [1]);
assert.deepEqual(made.asked, ["p1", undefined]);

const emitter = new Emitter();
const heard = [];
const off = emitter.on((event) => heard.push(`a${event}`));
emitter.on((event) => heard.push(`b${event}`));
emitter.emit(1);
off();
emitter.emit(2);
assert.deepEqual(heard, ["a1", "b1", "b2"]);
assert.deepEqual(parseLine(" ab = -12 "), { name: "ab", value: -12 });
assert.deepEqual(parseLine("a=010"), { name: "a", value: 10 });
assert.equal(parseLine("a = x"), null);
assert.equal(parsePort("8080"), 8080);
assert.equal(parsePort("1"), 1);
assert.equal(parsePort("65535"), 65535);
for (const wrong of ["0", "65536", "x", "0x50", "-1"]) {
  assert.throws(() => parsePort(wrong), RangeError);
}
const set = [];
const cleared = [];
const timer = { set: (run) => set.push(run) - 1, clear: (id) => cleared.push(id) };
const called = [];
const late = debounce((...given) => called.push(given), timer);
late(1);
late(2, 3);
assert.deepEqual(cleared, [0]);
set[1]();
assert.deepEqual(called, [[2, 3]]);
late(4);
assert.deepEqual(cleared, [0]);
let id = null;
const odd = debounce(() => 0, { set: () => id, clear: () => cleared.push("null") });
odd();
odd();
assert.deepEqual(cleared, [0, "null"]);
let tries = 0;
let paused = 0;
const pause = async () => {
  const before = tries;
  await ticks();
  assert.equal(tries, before, "nothing is tried in a pause");
  paused += 1;
};
assert.equal(await waitFor(async () => ++tries === 3, pause, 5), true);
assert.equal(paused, 2);
tries = paused = 0;
const never = async () => {
  tries += 1;
  return false;
};
assert.equal(await waitFor(never, pause, 3), false);
assert.equal(tries, 3);
assert.equal(paused, 3);
const sent = [];
let sending = 0;
const send = async (to, text) => {
  sending += 1;
  await ticks();
  assert.equal(sending, 1, "one after the other");
  sending -= 1;
  sent.push(`${to}: ${text}`);
};
assert.equal(await deliver(send, ["a", "b"], "x"), 2);
assert.deepEqual(sent, ["a: x", "b: x"]);
assert.equal(progress(1, 4), "25 %");
assert.equal(progress(0, 0), "100 %");
assert.equal(progress(2, 3), "67 %");
assert.equal(progress(1, ""), "Infinity %");
assert.deepEqual(window([1, 2, 3, 4], 1, 2), [2, 3]);
assert.equal(deadline(5, {}), 1005);
assert.equal(deadline(5, { timeout: 0 }), 5);
assert.equal(nameOf(undefined), "somebody");
assert.equal(nameOf({}), "somebody");
assert.equal(nameOf({ profile: {} }), "somebody");
assert.equal(nameOf({ profile: { name: "Ada" } }), "Ada");
assert.equal(nameOf({ profile: { name: null } }), null);
assert.deepEqual(ranks([10, 100, 9, 100]), [3, 1, 4, 1]);
assert.equal(searches(() => ranks([3, 1])), 0);
assert.deepEqual(ranks([Number.NaN]), [1]);
console.log("passed");
