/** How the server is called: a program, what stands before its own arguments, and where it was found. */
export interface ServerCommand {
  readonly program: string;
  /** What makes the program run Sirdab: nothing, or for example `-P -m sirdab` for a Python. */
  readonly prefix: readonly string[];
  readonly origin: Origin;
}

export type Origin = "setting" | "path" | "private copy" | "python";

/** Sirdab's own program. */
export function programCommand(program: string, origin: Origin): ServerCommand {
  return { program, prefix: [], origin };
}

/**
 * Sirdab as a module of a Python.
 *
 * `-P` keeps the current directory off the module path: in a workspace that holds a folder
 * named `sirdab`, that folder would be run instead. `-I` also leaves out what the environment
 * says to Pythons (PYTHONHOME, PYTHONPATH), which is not meant for a copy of our own.
 */
export function pythonCommand(python: string, origin: Origin): ServerCommand {
  const isolation = origin === "private copy" ? "-I" : "-P";
  return { program: python, prefix: [isolation, "-m", "sirdab"], origin };
}

/** The command line with arguments of Sirdab's own, such as `--stdio` or `doctor`. */
export function withArguments(
  command: ServerCommand,
  ...own: string[]
): { program: string; args: string[] } {
  return { program: command.program, args: [...command.prefix, ...own] };
}

/** The environment without what is meant for another Python than one of our own. */
export function ownEnvironment(): NodeJS.ProcessEnv {
  const { PYTHONHOME: _home, PYTHONPATH: _path, ...env } = process.env;
  return env;
}
