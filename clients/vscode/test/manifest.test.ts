import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { ServerCommands } from "../src/client/protocol";
import { run } from "../src/server/run";
import { CLIENT } from "./support";

interface Manifest {
  name: string;
  publisher: string;
  icon: string;
  contributes: {
    commands: { command: string }[];
    menus: Record<string, { command?: string; submenu?: string }[]>;
    submenus: { id: string }[];
    walkthroughs: {
      steps: { description: string; media: { markdown: string }; completionEvents: string[] }[];
    }[];
  };
}

const MANIFEST = JSON.parse(readFileSync(path.join(CLIENT, "package.json"), "utf8")) as Manifest;
const DECLARED = MANIFEST.contributes.commands.map((one) => one.command);

/** All source text of the client. */
function sources(folder = path.join(CLIENT, "src")): string {
  return readdirSync(folder, { withFileTypes: true })
    .map((entry) => {
      const file = path.join(folder, entry.name);
      return entry.isDirectory() ? sources(file) : readFileSync(file, "utf8");
    })
    .join("\n");
}

test("no command has the name of one of the server's, which the library registers", () => {
  const taken = new Set<string>(Object.values(ServerCommands));
  assert.deepEqual(
    DECLARED.filter((command) => taken.has(command)),
    [],
  );
});

test("every declared command is registered, and every registered one declared", () => {
  const text = readFileSync(path.join(CLIENT, "src", "app.ts"), "utf8");
  const registered = [...text.matchAll(/^ +"(sirdab\.\w+)": /gm)].map((match) => match[1]);
  registered.push("sirdab.instruct", "sirdab.showExplanation");
  assert.deepEqual([...registered].toSorted(), [...DECLARED].toSorted());
});

test("menus and the walkthrough name commands that exist", () => {
  const entries = Object.values(MANIFEST.contributes.menus).flat();
  const named = entries.flatMap((one) => one.command ?? []);
  assert.deepEqual(
    entries.flatMap((one) => one.submenu ?? []),
    MANIFEST.contributes.submenus.map((one) => one.id),
  );
  for (const { id } of MANIFEST.contributes.submenus) {
    assert.ok(MANIFEST.contributes.menus[id]?.length, id);
  }
  for (const { steps } of MANIFEST.contributes.walkthroughs) {
    for (const step of steps) {
      named.push(
        ...[...step.description.matchAll(/command:([\w.]+)/g)].map((match) => match[1] ?? ""),
      );
      assert.ok(existsSync(path.join(CLIENT, step.media.markdown)), step.media.markdown);
    }
  }
  assert.deepEqual(
    named.filter((command) => !DECLARED.includes(command)),
    [],
  );
});

test("context keys that the manifest asks for are set by the code", () => {
  const text = sources();
  const asked = new Set<string>();
  const keys = /(?:onContext:|[" (])sirdab\.(can\w+|has\w+|running|step\w+)\b/g;
  for (const [, key] of JSON.stringify(MANIFEST).matchAll(keys)) {
    asked.add(key ?? "");
  }
  assert.equal(asked.size, 11);
  for (const key of asked) {
    assert.ok(text.includes(`setContext("${key}"`) || text.includes(`reached("${key}")`), key);
  }
});

test("the package holds what is needed and nothing else", async (context) => {
  if (!existsSync(path.join(CLIENT, "server"))) {
    context.skip("nothing has been packaged here yet: run make vsix");
    return;
  }
  const vsce = path.join(CLIENT, "node_modules", "@vscode", "vsce", "vsce");
  // `run` starts in the user's home; vsce lists the current directory.
  const script = `process.chdir(${JSON.stringify(CLIENT)}); process.argv.push("vsce", "ls", "--no-dependencies"); require(${JSON.stringify(vsce)})`;
  const listed = await run(process.execPath, ["-e", script]);
  assert.equal(listed.code, 0, listed.stderr);
  const files = listed.stdout
    .trim()
    .split("\n")
    .map((name) => name.replace(/^server\/sirdab-.*\.whl$/, "server/WHEEL"));
  assert.deepEqual(files.toSorted(), [
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "THIRD_PARTY_NOTICES.txt",
    "dist/app.js",
    "dist/client.js",
    "dist/extension.js",
    "images/icon.png",
    "package.json",
    "server/WHEEL",
    "server/requirements.txt",
    "walkthrough/accept.md",
    "walkthrough/model.md",
    "walkthrough/server.md",
  ]);
});
