// Bundles the extension into one file, and collects the licences of what went into it.
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

// What is loaded later has a file of its own: the extension itself when the editor goes on after
// having loaded the first file, and the client library, which is most of the code, after that.
const LAZY = { "./app": "./app.js", "./client/run": "./client.js" };

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: { extension: "src/extension.ts", app: "src/app.ts", client: "src/client/run.ts" },
  outdir: "dist",
  bundle: true,
  platform: "node",
  // The Node of the oldest VS Code that `engines` allows.
  target: "node20.9",
  format: "cjs",
  external: ["vscode"],
  // Written as `require`, which the extension host loads by its shortest way.
  supported: { "dynamic-import": false },
  plugins: [
    {
      name: "lazy",
      setup({ onResolve }) {
        onResolve({ filter: /^\.\// }, ({ kind, path: wanted }) =>
          kind === "dynamic-import" ? { path: LAZY[wanted], external: true } : undefined,
        );
      },
    },
  ],
  minify: true,
  metafile: true,
  // The licences are in a file of their own.
  legalComments: "none",
  logLevel: "warning",
});

/** Folders of the packages that were bundled, by name. */
function bundledPackages() {
  const folders = new Map();
  for (const input of Object.keys(metafile.inputs)) {
    const match = /^(.*node_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(input);
    if (match) {
      folders.set(match[2], path.join(root, match[1]));
    }
  }
  return [...folders].sort(([one], [other]) => one.localeCompare(other));
}

async function notice(name, folder) {
  const { version, license } = JSON.parse(
    await readFile(path.join(folder, "package.json"), "utf8"),
  );
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) {
    throw new Error(`${name} comes without a licence text`);
  }
  const text = await readFile(path.join(folder, file), "utf8");
  return `${name} ${version} (${license})\n\n${text.trim()}\n`;
}

const notices = await Promise.all(bundledPackages().map(([name, folder]) => notice(name, folder)));
await writeFile(
  path.join(root, "THIRD_PARTY_NOTICES.txt"),
  ["This extension contains the following software.\n", ...notices].join(`\n${"-".repeat(80)}\n\n`),
);
