/** How the server is called: a program, what stands before its own arguments, and where it was found. */
export interface ServerCommand {
  readonly program: string;
  /** What makes the program run Sirdab: nothing, or `-P -m sirdab` for a Python. */
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
 * named `sirdab`, that folder would be run instead.
 */
export function pythonCommand(python: string, origin: Origin): ServerCommand {
  return { program: python, prefix: ["-P", "-m", "sirdab"], origin };
}

/** The command line with arguments of Sirdab's own, such as `--stdio` or `doctor`. */
export function withArguments(
  command: ServerCommand,
  ...own: string[]
): { program: string; args: string[] } {
  return { program: command.program, args: [...command.prefix, ...own] };
}
