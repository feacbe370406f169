// Bundles the unit tests, because the oldest Node that is supported does not read TypeScript, and
// runs them.
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const outdir = path.join(root, "build", "test");
const tests = readdirSync(path.join(root, "test")).filter((name) => name.endsWith(".test.ts"));

rmSync(outdir, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: tests.map((name) => `test/${name}`),
  outdir,
  outExtension: { ".js": ".cjs" },
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  // `vscode` cannot be resolved here on purpose: what is tested does not need an editor.
  sourcemap: "inline",
  logLevel: "warning",
});
const { status } = spawnSync(
  process.execPath,
  [
    "--enable-source-maps",
    "--test",
    "--test-reporter=spec",
    ...tests.map((name) => path.join(outdir, name.replace(/ts$/, "cjs"))),
  ],
  { cwd: root, stdio: "inherit" },
);
process.exit(status ?? 1);
