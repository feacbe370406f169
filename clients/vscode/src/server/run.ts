import { spawn } from "node:child_process";
import { homedir } from "node:os";

/** How a program ended. */
export interface Finished {
  /** Exit code; null when it was killed or could not be started. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Longest time in milliseconds; none by default. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly env?: NodeJS.ProcessEnv;
}

// Enough for a version or an error message; pip can write more than anybody reads.
const KEPT_CHARACTERS = 64_000;

/**
 * Run a program to its end; never rejects.
 *
 * It runs in the user's home, never in the workspace, whose files could change what it does.
 */
export function run(program: string, args: string[], options: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve) => {
    let stdout = "";
    let stderr = "";
    const child = spawn(program, args, {
      cwd: homedir(),
      env: options.env ?? process.env,
      stdio: ["ignore", "pipe", "pipe"],
      windowsHide: true,
      ...(options.signal ? { signal: options.signal } : {}),
      ...(options.timeoutMs ? { timeout: options.timeoutMs, killSignal: "SIGKILL" } : {}),
    });
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout = (stdout + text).slice(-KEPT_CHARACTERS);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-KEPT_CHARACTERS);
    });
    child.once("error", (error) =>
      resolve({ code: null, stdout, stderr: stderr || error.message }),
    );
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}
