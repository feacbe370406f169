import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { inspectPython, isNewEnough, pythonsHere } from "../src/server/python";
import { run } from "../src/server/run";
import { thisMachine } from "../src/server/searchPath";
import { temporaryFolder } from "./support";

test("a real Python tells its version, and whether it has Sirdab", async (context) => {
  const [program] = await pythonsHere(thisMachine());
  if (program === undefined) {
    context.skip("there is no Python on this machine");
    return;
  }
  const plain = await inspectPython(program, { env: { ...process.env, PYTHONPATH: "" } });
  assert.ok(plain);
  const { stdout } = await run(program, ["-c", "import sys; print(sys.version_info[1])"]);
  assert.deepEqual(plain.version, [3, Number(stdout)]);

  const folder = temporaryFolder();
  mkdirSync(path.join(folder, "sirdab"));
  writeFileSync(path.join(folder, "sirdab", "__init__.py"), '__version__ = "4.5.6"\n');
  const withSirdab = await inspectPython(program, {
    env: { ...process.env, PYTHONPATH: folder },
  });
  assert.equal(withSirdab?.sirdab, isNewEnough(plain) ? "4.5.6" : null);
});

test("what is no Python is nothing", async () => {
  assert.equal(await inspectPython(process.execPath), undefined);
  assert.equal(await inspectPython("/nowhere/python3"), undefined);
});

test("a Python that does not answer is given up", async () => {
  const folder = temporaryFolder();
  const slow = path.join(folder, "python3");
  writeFileSync(slow, "#!/bin/sh\nexec sleep 600\n", { mode: 0o755 });
  assert.equal(await inspectPython(slow, { timeoutMs: 200 }), undefined);
});

test("versions are compared as numbers", () => {
  const of = (major: number, minor: number) =>
    isNewEnough({ program: "", version: [major, minor], sirdab: null });
  assert.deepEqual(
    [of(3, 9), of(3, 10), of(3, 11), of(3, 20), of(4, 0), of(2, 99)],
    [false, false, true, true, true, false],
  );
});
