import assert from "node:assert/strict";
import * as lists from "./lists.js";
import { searches } from "./support.js";

assert.equal(lists.sum([1, 2, 3]), 6);
assert.equal(lists.sum([]), 0);
assert.equal(lists.average([]), 0);
assert.equal(lists.average([1, 2]), 1.5);
assert.equal(lists.median([10, 9, 100]), 10);
assert.equal(lists.median([10, 9, 100, 1]), 9.5);
assert.equal(lists.median([]), undefined);
const scores = [9, 100, 20];
assert.deepEqual(lists.top(scores, 2), [100, 20]);
assert.deepEqual(scores, [9, 100, 20]);
assert.deepEqual(lists.chunk([1, 2, 3], 2), [[1, 2], [3]]);
assert.deepEqual(lists.chunk([1, 2], 2), [[1, 2]]);
assert.deepEqual(lists.chunk([], 2), []);
assert.throws(() => lists.chunk([1], 0), RangeError);
assert.throws(() => lists.chunk([], 0), RangeError);
assert.deepEqual(lists.unique([2, 1, 2, "2"]), [2, 1, "2"]);
assert.equal(searches(() => lists.unique([1, 2, 3])), 0);
assert.deepEqual(lists.common([3, 1, 3], [3, 4]), [3, 3]);
assert.equal(searches(() => lists.common([1, 2, 3], [2])), 0);
const groups = lists.groupBy(["ab", "c", "de"], (text) => text.length);
assert.deepEqual([...groups], [[2, ["ab", "de"]], [1, ["c"]]]);
assert.deepEqual(lists.parseNumbers("10, 0x1f,,7,010"), [10, 0, 7, 10]);
assert.deepEqual(lists.parseNumbers("5,6,7"), [5, 6, 7]);
assert.deepEqual(lists.prices([{ price: 10, count: 2 }, { price: 5, count: 1, discount: 0 }]), [18, 5]);
const buttons = lists.counters(["a", "b"]);
assert.deepEqual(buttons.map((button) => button.click()), ["0: a", "1: b"]);
assert.deepEqual(buttons.map((button) => button.name), ["a", "b"]);
const later = [];
const ran = [];
lists.schedule([{ run: (i) => ran.push(`x${i}`) }, { run: (i) => ran.push(`y${i}`) }], (call) => later.push(call));
for (const call of later) {
  call();
}
assert.deepEqual(ran, ["x0", "y1"]);
assert.equal(lists.indexOfFirst([1, 5, 7], (value) => value > 4), 1);
assert.equal(lists.indexOfFirst([1], () => false), -1);
assert.equal(lists.indexOfFirst([1, 2], (value) => value === undefined), -1);
assert.equal(lists.isSorted([1, 2, 2, 3]), true);
assert.equal(lists.isSorted([2, 1]), false);
assert.equal(lists.isSorted([1, 2, 1]), false);
assert.equal(lists.isSorted([]), true);
let reads = 0;
const watched = new Proxy([1, 2], {
  get(target, name) {
    reads += name === "2" ? 1 : 0;
    return target[name];
  },
});
lists.isSorted(watched);
assert.equal(reads, 0, "nothing behind the end is read");
assert.deepEqual(lists.removeWhere([2, 2, 1, 2], (value) => value === 2), [1]);
assert.deepEqual(lists.removeWhere([3], () => true), []);
assert.deepEqual(lists.range(1, 7, 2), [1, 3, 5]);
assert.deepEqual(lists.range(5, 1, -2), [5, 3]);
assert.deepEqual(lists.range(5, 1, 1), []);
assert.throws(() => lists.range(1, 2, 0), /zero/);
assert.throws(() => lists.range(1, 2, "0"), /length/);
console.log("passed");
