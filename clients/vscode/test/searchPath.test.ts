import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { type Machine, programAt, programsNamed, searchFolders } from "../src/server/searchPath";
import { temporaryFolder } from "./support";

function machine(
  PATH: string,
  platform: NodeJS.Platform = "linux",
  untrusted: string[] = [],
): Machine {
  return { platform, env: { PATH }, home: "/home/user", untrusted };
}

function program(folder: string, name: string, mode = 0o755): string {
  const file = path.join(folder, name);
  writeFileSync(file, "");
  chmodSync(file, mode);
  return file;
}

test("relative folders of PATH are not searched", () => {
  const folders = searchFolders(machine("bin:/usr/bin:.::/usr/bin"));
  assert.deepEqual(folders, [
    "/usr/bin",
    "/home/user/.local/bin",
    "/opt/homebrew/bin",
    "/usr/local/bin",
  ]);
});

test("nothing is run from a workspace that is not trusted", () => {
  const usual = ["/home/user/.local/bin", "/opt/homebrew/bin", "/usr/local/bin"];
  const PATH = "/w/app/.venv/bin:/w/app:/w/application/bin";
  assert.deepEqual(searchFolders(machine(PATH, "linux", ["/w/app"])), [
    "/w/application/bin",
    ...usual,
  ]);
  // Who opens the whole home still has what is installed in it.
  assert.deepEqual(searchFolders(machine("/usr/bin", "linux", ["/"])), ["/usr/bin", ...usual]);
});

test("on Windows PATH is read as Windows writes it", () => {
  assert.deepEqual(searchFolders(machine("C:\\Python;bin;D:\\Tools", "win32")), [
    "C:\\Python",
    "D:\\Tools",
  ]);
});

test("every program of a name is found, in the order of PATH", async () => {
  const [one, two, three] = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
  const first = program(two, "sirdab");
  const second = program(one, "sirdab");
  program(three, "sirdab", 0o644);
  mkdirSync(path.join(three, "sirdab3"));
  const here = { ...machine([three, two, one].join(":")), home: three };
  assert.deepEqual(await programsNamed("sirdab", here), [first, second]);
  assert.deepEqual(await programsNamed("sirdab3", here), []);
});

test("on Windows the ending of a program may be left out", async () => {
  const folder = temporaryFolder();
  const exe = program(folder, "sirdab.exe", 0o644);
  const windows = machine("", "win32");
  assert.equal(await programAt(path.join(folder, "sirdab"), windows), exe);
  assert.equal(await programAt(exe, windows), exe);
  assert.equal(await programAt(path.join(folder, "other"), windows), undefined);
});
