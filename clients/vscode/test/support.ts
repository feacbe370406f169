import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after } from "node:test";

/** The folder of this client; the tests are run in it. */
export const CLIENT = process.cwd();

/** A folder that is removed when the tests of the file have ended. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "sirdab-unit-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
