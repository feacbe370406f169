import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { homedir } from "node:os";
import * as path from "node:path";

/** What a search for programs depends on; a test makes its own. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** Folders in which no program is looked for: those of a workspace that is not trusted. */
  readonly untrusted: readonly string[];
}

export function thisMachine(untrusted: readonly string[] = []): Machine {
  return { platform: process.platform, env: process.env, home: homedir(), untrusted };
}

/** The file to run for a program that is named by a path, or nothing when there is none. */
export async function programAt(file: string, machine: Machine): Promise<string | undefined> {
  for (const ending of endings(file, machine)) {
    if (await isProgram(file + ending, machine)) {
      return file + ending;
    }
  }
  return undefined;
}

/** Every program of that name on PATH, in order, then in the folders that installers use. */
export async function programsNamed(name: string, machine: Machine): Promise<string[]> {
  const found: string[] = [];
  for (const folder of searchFolders(machine)) {
    const program = await programAt(path.join(folder, name), machine);
    if (program !== undefined && !found.includes(program)) {
      found.push(program);
    }
  }
  return found;
}

/**
 * Folders to search. Relative entries of PATH are left out: they would mean a folder of the
 * workspace. So are those inside of a workspace that is not trusted. An editor that was started from a desktop often lacks the last ones on its PATH.
 */
export function searchFolders(machine: Machine): string[] {
  const windows = machine.platform === "win32";
  const style = windows ? path.win32 : path.posix;
  const listed = (machine.env.PATH ?? machine.env.Path ?? "").split(style.delimiter);
  const usual = windows
    ? []
    : [style.join(machine.home, ".local", "bin"), "/opt/homebrew/bin", "/usr/local/bin"];
  // Who opens a folder around the whole home does not mean what is installed in it.
  const untrusted = machine.untrusted.filter((one) => !isInside(machine.home, one, style));
  const folders = [...listed, ...usual].filter(
    (folder) => style.isAbsolute(folder) && !untrusted.some((one) => isInside(folder, one, style)),
  );
  return [...new Set(folders)];
}

function isInside(folder: string, other: string, style: path.PlatformPath): boolean {
  const way = style.relative(other, folder);
  return way !== ".." && !way.startsWith(`..${style.sep}`) && !style.isAbsolute(way);
}

function endings(file: string, machine: Machine): string[] {
  if (machine.platform !== "win32") {
    return [""];
  }
  // Batch files are left out: they cannot be started without a shell.
  return /\.(exe|com)$/i.test(file) ? [""] : [".exe", ".com"];
}

async function isProgram(file: string, machine: Machine): Promise<boolean> {
  try {
    if (!(await stat(file)).isFile()) {
      return false;
    }
    await access(file, machine.platform === "win32" ? constants.F_OK : constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
