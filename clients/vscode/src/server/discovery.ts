import * as path from "node:path";
import { programCommand, pythonCommand, type ServerCommand } from "./command";
import { isNewEnough, MINIMUM_PYTHON_TEXT, type Python } from "./python";

/** What discovery asks the outside world; a test answers for it. */
export interface Surroundings {
  /** The setting `sirdab.path`, as it was written. */
  readonly configuredPath: unknown;
  readonly home: string;
  /** The program behind a path, or nothing. */
  programAt(file: string): Promise<string | undefined>;
  /** Programs called `sirdab` on PATH. */
  programsOnPath(): Promise<string[]>;
  /** The Python of the copy that this extension has installed, or nothing. */
  privatePython(): Promise<string | undefined>;
  /** The interpreter that the Python extension has selected, where it may be used. */
  selectedPython(): Promise<string | undefined>;
  /** Pythons of this machine. */
  pythons(): Promise<string[]>;
  inspect(python: string): Promise<Python | undefined>;
}

/** Found, or why not in one sentence; `pythons` are those that an installation can use. */
export type Discovery =
  | { readonly kind: "found"; readonly command: ServerCommand }
  | { readonly kind: "wrong path"; readonly message: string }
  | { readonly kind: "absent"; readonly pythons: readonly Python[]; readonly message: string };

const INSTALL = '"Sirdab: Install the Server"';

/**
 * Look for the server: the user's setting, PATH, the copy that was installed on request, the
 * selected Python, any other Python.
 *
 * The copy comes before the Pythons, because asking those takes tens of milliseconds each, and
 * it is only there when they had no Sirdab.
 */
export async function discover(around: Surroundings): Promise<Discovery> {
  const configured = await fromSetting(around);
  if (configured !== undefined) {
    return configured;
  }
  const [onPath] = await around.programsOnPath();
  if (onPath !== undefined) {
    return { kind: "found", command: programCommand(onPath, "path") };
  }
  const own = await around.privatePython();
  if (own !== undefined) {
    return { kind: "found", command: pythonCommand(own, "private copy") };
  }
  return fromPythons(around);
}

/** Pythons that can hold an installation, and what to say when there are none. */
export async function pythonsForInstallation(
  around: Surroundings,
): Promise<{ pythons: readonly Python[]; message: string }> {
  const { usable, tooOld } = await inspectAll(around);
  return { pythons: usable, message: usable.length > 0 ? "" : withoutPython(tooOld) };
}

async function fromSetting(around: Surroundings): Promise<Discovery | undefined> {
  const value = around.configuredPath;
  if (value === undefined || value === null || value === "") {
    return undefined;
  }
  if (typeof value !== "string") {
    return wrongPath("The setting sirdab.path must be a string");
  }
  const file = value.replace(/^~(?=$|[\\/])/, around.home);
  if (!path.isAbsolute(file)) {
    return wrongPath(`The setting sirdab.path is "${value}", which is not an absolute path`);
  }
  const program = await around.programAt(file);
  if (program === undefined) {
    return wrongPath(`The setting sirdab.path names ${value}, and there is no such program`);
  }
  return { kind: "found", command: programCommand(program, "setting") };
}

function wrongPath(what: string): Discovery {
  return { kind: "wrong path", message: `${what}; correct it or leave it empty.` };
}

async function fromPythons(around: Surroundings): Promise<Discovery> {
  const { usable, tooOld, withSirdab } = await inspectAll(around, true);
  if (withSirdab !== undefined) {
    return { kind: "found", command: pythonCommand(withSirdab.program, "python") };
  }
  const message =
    usable.length > 0
      ? `Sirdab's server is not on this machine; run ${INSTALL}.`
      : withoutPython(tooOld);
  return { kind: "absent", pythons: usable, message };
}

async function inspectAll(around: Surroundings, stopAtSirdab = false) {
  const selected = await around.selectedPython();
  const programs = [...(selected === undefined ? [] : [selected]), ...(await around.pythons())];
  const usable: Python[] = [];
  let tooOld: Python | undefined;
  for (const program of new Set(programs)) {
    const python = await around.inspect(program);
    if (python === undefined) {
      continue;
    }
    if (!isNewEnough(python)) {
      tooOld ??= python;
      continue;
    }
    usable.push(python);
    if (stopAtSirdab && python.sirdab !== null) {
      return { usable, tooOld, withSirdab: python };
    }
  }
  return { usable, tooOld, withSirdab: undefined };
}

function withoutPython(tooOld: Python | undefined): string {
  const need = `Sirdab needs Python ${MINIMUM_PYTHON_TEXT} or newer`;
  if (tooOld === undefined) {
    return `${need} and found none; install Python, then run ${INSTALL}.`;
  }
  const found = `only Python ${tooOld.version.join(".")} (${tooOld.program})`;
  return `${need} and found ${found}; install a newer one, then run ${INSTALL}.`;
}
