import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHmac, scryptSync } from "node:crypto";
import fs from "node:fs";
import fsp from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import path from "node:path";
import { Writable } from "node:stream";
import { rejects } from "./support.js";

// Counts the handles that are closed.
const { open } = fsp;
let closed = 0;
fsp.open = async (...given) => {
  const handle = await open(...given);
  // Each takes so long that it is noticed when nobody waits for it.
  for (const name of ["read", "write", "close"]) {
    const method = handle[name].bind(handle);
    handle[name] = async (...rest) => {
      await new Promise((done) => setTimeout(done, name === "close" ? 1 : 9));
      const result = await method(...rest);
      closed += name === "close" ? 1 : 0;
      return result;
    };
  }
  return handle;
};
syncBuiltinESMExports();
const files = await import("./files.js");

fs.mkdirSync("root/inner", { recursive: true });
fs.mkdirSync("root-other");
fs.writeFileSync("root/a.txt", "one\ntwo\n");
fs.writeFileSync("root-other/secret.txt", "secret");
fs.writeFileSync("secret.txt", "secret");
assert.equal(files.locate("root", "a.txt"), path.resolve("root/a.txt"));
for (const wrong of ["../secret.txt", "../root-other/secret.txt", path.resolve("secret.txt"), "."]) {
  assert.throws(() => files.locate("root", wrong), files.NotAllowed);
}
assert.equal(await files.read("root", "a.txt"), "one\ntwo\n");
await rejects(files.read("root", "../secret.txt"), files.NotAllowed);

class Response extends Writable {
  text = "";
  statusCode = 200;

  _write(chunk, _, done) {
    this.text += chunk;
    done();
  }
}
let response = new Response();
await files.send(response, "root", "a.txt");
assert.equal(response.text, "one\ntwo\n");
assert.equal(response.statusCode, 200);
response = new Response();
await files.send(response, "root", "../secret.txt");
assert.equal(response.text, "forbidden");
assert.equal(response.statusCode, 403);
await rejects(files.send(new Response(), "root", "missing.txt"));

closed = 0;
assert.equal(await files.firstLine("root/a.txt"), "one");
assert.equal(closed, 1);
await files.append("root/log.txt", ["x", "y"]);
await files.append("root/log.txt", ["z"]);
assert.equal(closed, 3);
assert.equal(fs.readFileSync("root/log.txt", "utf8"), "x\ny\nz\n");

const tracked = new Proxy(["root/a.txt", "secret.txt", "root/log.txt"], {
  get(target, name, receiver) {
    if (name === Symbol.iterator) {
      throw new Error("gone through one by one");
    }
    return Reflect.get(target, name, receiver);
  },
});
assert.deepEqual(await files.sizes(tracked), [8, 6, 6]);

// A name that a shell would run something for.
fs.mkdirSync("bin");
fs.writeFileSync("bin/git", "#!/bin/sh\nprintf '%s\\n' \"$#\" \"$7\"\n", { mode: 0o755 });
fs.writeFileSync("bin/tar", '#!/bin/sh\nsleep 0.05\nprintf "%s\\n" "$2" "$4" > tar.log\n', { mode: 0o755 });
process.env.PATH = `${path.resolve("bin")}${path.delimiter}/usr/bin${path.delimiter}/bin`;
const node = process.execPath;
assert.ok(execFileSync(node, ["-v"]).length > 0);
assert.deepEqual(await files.history("a b.txt", 2), ["6"]);
assert.deepEqual(await files.history("x"), ["6"]);
assert.equal(await files.archive("x; touch evil", "out.tgz"), "out.tgz");
assert.equal(fs.existsSync("evil"), false);
assert.equal(fs.readFileSync("tar.log", "utf8"), "out.tgz\nx; touch evil\n");

assert.equal(files.signature("t", "s"), createHmac("sha256", "s").update("t").digest("hex"));
assert.equal(files.passwordKey("p", "salt"), scryptSync("p", "salt", 32).toString("hex"));

const log = [];
let putting = 0;
const store = {
  async put(name, value) {
    putting += 1;
    await new Promise((done) => setTimeout(done, 1));
    assert.equal(putting, 1, "one after the other");
    putting -= 1;
    log.push(`${name}=${value}`);
  },
  async flush() {
    await new Promise((done) => setTimeout(done, 1));
    log.push("flush");
  },
};
assert.equal(await files.saveAll(store, [{ name: "a", value: 1 }, { name: "b", value: 2 }]), 2);
assert.deepEqual(log, ["a=1", "b=2", "flush"]);
const failing = async () => {
  await null;
  throw new Error("no");
};
const heard = [];
const errors = await files.notify([failing, async (event) => heard.push(event)], "e");
assert.deepEqual(heard, ["e"]);
assert.deepEqual(errors.map((error) => error.message), ["no"]);
fs.writeFileSync("good.json", '{"a": [1]}');
fs.writeFileSync("bad.json", "(() => ({}))()");
assert.deepEqual(await files.loadConfig("good.json"), { a: [1] });
await rejects(files.loadConfig("bad.json"), /bad.json is no JSON/);
await rejects(files.loadConfig("missing.json"), /ENOENT/);
console.log("passed");
