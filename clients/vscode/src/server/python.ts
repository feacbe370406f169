import { access } from "node:fs/promises";
import { type RunOptions, run } from "./run";
import { type Machine, programsNamed } from "./searchPath";

/** Lowest version that Sirdab runs on. */
export const MINIMUM_PYTHON: readonly [number, number] = [3, 11];
export const MINIMUM_PYTHON_TEXT = MINIMUM_PYTHON.join(".");

/** What a Python says of itself. */
export interface Python {
  readonly program: string;
  readonly version: readonly [number, number];
  /** Version of Sirdab in it, or null where it has none. */
  readonly sirdab: string | null;
}

const QUESTION = `
import sys
sys.path[:] = [entry for entry in sys.path if entry]
import importlib.util, json
version = None
if sys.version_info >= (3, 11) and importlib.util.find_spec("sirdab") is not None:
    import sirdab
    version = getattr(sirdab, "__version__", None)
print(json.dumps({"version": list(sys.version_info[:2]), "sirdab": version}))
`;

const ANSWER_MS = 15_000;

/** Ask a Python what it is; nothing when it is none or does not answer. */
export async function inspectPython(
  program: string,
  options: RunOptions = {},
): Promise<Python | undefined> {
  const answer = await run(program, ["-c", QUESTION], { timeoutMs: ANSWER_MS, ...options });
  if (answer.code !== 0) {
    return undefined;
  }
  try {
    const { version, sirdab } = JSON.parse(answer.stdout) as {
      version: [number, number];
      sirdab: string | null;
    };
    return { program, version, sirdab };
  } catch {
    return undefined;
  }
}

export function isNewEnough(python: Python): boolean {
  const [major, minor] = python.version;
  return major > MINIMUM_PYTHON[0] || (major === MINIMUM_PYTHON[0] && minor >= MINIMUM_PYTHON[1]);
}

/** Paths of the Pythons of this machine, the likeliest first. */
export async function pythonsHere(machine: Machine): Promise<string[]> {
  const names =
    machine.platform === "win32"
      ? ["python", "python3"]
      : ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11"];
  const found: string[] = [];
  for (const name of names) {
    for (const program of await programsNamed(name, machine)) {
      if (!found.includes(program) && !(await opensAnInstaller(program, machine))) {
        found.push(program);
      }
    }
  }
  return found;
}

/**
 * Whether a program only looks like a Python: without Apple's developer tools the one in
 * /usr/bin opens a dialogue that asks to install them.
 */
async function opensAnInstaller(program: string, machine: Machine): Promise<boolean> {
  if (machine.platform !== "darwin" || !program.startsWith("/usr/bin/")) {
    return false;
  }
  const tools = [
    "/Library/Developer/CommandLineTools/usr/bin/python3",
    "/Applications/Xcode.app/Contents/Developer/usr/bin/python3",
  ];
  for (const tool of tools) {
    try {
      await access(tool);
      return false;
    } catch {
      // The next one may be there.
    }
  }
  return true;
}
