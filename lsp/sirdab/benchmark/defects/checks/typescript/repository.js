import assert from "node:assert/strict";
import { NotFound, OrderRepository, largest, share, toOrder, total } from "./repository.js";
import { rejects } from "./support.js";

class Database {
  asked = [];
  answers = new Map();

  async query(text, values = []) {
    await null;
    this.asked.push([text, values]);
    const found = this.answers.get(values[0]);
    if (Array.isArray(values[0])) {
      return values[0].flatMap((one) => this.answers.get(one) ?? []);
    }
    return found ?? [];
  }
}

const row = { id: "7", customer: "Ada", cents: 250 };
const order = { id: 7, customer: "Ada", cents: 250 };
const database = new Database();
database.answers.set(7, [row]).set("Ada", [row, row]).set("%A%", [row]);
const orders = new OrderRepository(database);
assert.deepEqual(toOrder(row), order);
assert.deepEqual(await orders.byId(7), order);
await rejects(orders.byId(8), NotFound);
await rejects(orders.byId(8), /order 8/);
assert.deepEqual(await orders.ofCustomer("Ada"), [order, order]);
assert.equal(database.asked.at(-1)[1][1], 20);
await orders.ofCustomer("Ada", 0);
assert.deepEqual(database.asked.at(-1)[1], ["Ada", 0]);
assert.deepEqual(await orders.search("A"), [order]);
const sums = new Database();
sums.answers.set("Ada", [{ customer: "Ada", cents: "9" }]).set("Bo", [{ customer: "Bo", cents: 1 }]);
sums.answers.set(1, [{ title: "one" }]).set(2, [{ title: "two" }]);
const repository = new OrderRepository(sums);
assert.deepEqual([...(await repository.totals(["Ada", "Bo"]))], [["Ada", 9], ["Bo", 1]]);
assert.equal(sums.asked.length, 1, "one query for all");
assert.deepEqual(await repository.titles([1, 2]), ["one", "two"]);
assert.equal(sums.asked.length, 2, "one query for all");

database.asked = [];
await orders.rename("Ada", "O'Hara");
assert.deepEqual(database.asked.map(([text]) => text.split(" ")[0]), ["UPDATE", "INSERT"]);
assert.deepEqual(database.asked.map(([, values]) => values), [["Ada", "O'Hara"], ["Ada", "O'Hara"]]);
database.asked = [];
await orders.rename("Ada", "Ada");
await orders.rename("Ada", "");
assert.equal(database.asked.length, 0);
database.asked = [];
await orders.rename("0", 0);
assert.equal(database.asked.length, 2);
await orders.rename("a", 0);
assert.equal(database.asked.length, 4);
assert.equal(await orders.remove(7), true);
assert.equal(await orders.remove(9), false);
let failing = {
  async query() {
    await null;
    throw new Error("down");
  },
};
await rejects(new OrderRepository(failing).rename("a", "b"), /down/);
let calls = 0;
failing = {
  async query() {
    calls += 1;
    await null;
    if (calls === 2) {
      throw new Error("log is down");
    }
    return [];
  },
};
await rejects(new OrderRepository(failing).rename("a", "b"), /log is down/);

// No value is ever in the text of a query.
for (const [text] of [...database.asked, ...sums.asked]) {
  assert.ok(!/Ada|O'Hara|7|9|%A%/.test(text), text);
}
const spy = new Database();
const spied = new OrderRepository(spy);
await spied.byId(771).catch(() => 0);
await spied.ofCustomer("zz'z", 55);
await spied.search("zz'z");
await spied.remove(771);
await spied.rename("zz'z", "yy'y");
for (const [text, values] of spy.asked) {
  assert.ok(!/771|zz|yy|55/.test(text), text);
  assert.ok(values.length > 0);
}
assert.equal(total([order, order]), 500);
assert.equal(total([]), 0);
assert.equal(share(order, [order, { ...order, cents: 750 }]), 0.25);
assert.equal(share(order, []), 0);
assert.equal(share({ ...order, cents: 0 }, [{ ...order, cents: 0 }]), 0);
const more = { ...order, cents: 900 };
assert.equal(largest([order, more, order]), more);
assert.equal(largest([more, order]), more);
assert.equal(largest([]), undefined);
const twin = { ...more };
assert.equal(largest([more, twin]), more);
console.log("passed");
