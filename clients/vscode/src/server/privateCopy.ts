import { mkdir, open, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { ownEnvironment } from "./command";
import { whyItDoesNotRun, whyNoEnvironment, whyNoPackages } from "./installFailure";
import type { Python } from "./python";
import { type Finished, type RunOptions, run } from "./run";

/** An installation failed; the message is one sentence for the user. */
export class InstallError extends Error {}

/** Another window is installing. */
export class InstallBusy extends InstallError {}

/** The user has cancelled the installation. */
export class InstallCancelled extends Error {}

/** What is installed: files that came with this extension. */
export interface Payload {
  /** Path of Sirdab's wheel. */
  readonly wheel: string;
  /** Path of the locked requirements, with hashes. */
  readonly requirements: string;
}

export interface InstallOptions {
  readonly signal: AbortSignal;
  /** Called with a few words on what is done now. */
  readonly onStep: (step: string) => void;
  /** Called with everything that pip printed. */
  readonly onOutput: (text: string) => void;
  /** Runs a program; a test puts its own here. */
  readonly run?: (program: string, args: string[], options: RunOptions) => Promise<Finished>;
}

// Written last, so a folder that has it is complete. It names the wheel that was installed.
const MARKER = "installed.json";
const LOCK = "installing.lock";
const LONGEST_INSTALLATION_MS = 3_600_000;

/** The files that this extension was packaged with, or nothing in a checkout. */
export async function findPayload(extensionFolder: string): Promise<Payload | undefined> {
  const folder = path.join(extensionFolder, "server");
  const names = await readdir(folder).catch(() => [] as string[]);
  const wheel = names.find((name) => name.endsWith(".whl"));
  if (wheel === undefined || !names.includes("requirements.txt")) {
    return undefined;
  }
  return {
    wheel: path.join(folder, wheel),
    requirements: path.join(folder, "requirements.txt"),
  };
}

/** A virtual environment with Sirdab in a folder of this extension's own. */
export class PrivateCopy {
  /**
   * @param folder Where copies are kept, one folder for each version of the wheel.
   * @param platform Decides where an environment has its Python.
   */
  constructor(
    private readonly folder: string,
    private readonly platform: NodeJS.Platform = process.platform,
  ) {}

  /** The newest complete copy, or nothing. */
  async installed(): Promise<{ python: string; wheel: string } | undefined> {
    let newest: { python: string; wheel: string; at: number } | undefined;
    for (const name of await readdir(this.folder).catch(() => [] as string[])) {
      const home = path.join(this.folder, name);
      const python = this.pythonOf(home);
      try {
        const marker = path.join(home, MARKER);
        const { wheel } = JSON.parse(await readFile(marker, "utf8")) as { wheel: string };
        // The Python it was made from may have been removed; its link then leads nowhere.
        await stat(python);
        const at = (await stat(marker)).mtimeMs;
        if (newest === undefined || at > newest.at) {
          newest = { python, wheel, at };
        }
      } catch {
        // Not complete, or damaged: as good as not there.
      }
    }
    return newest && { python: newest.python, wheel: newest.wheel };
  }

  /**
   * Install a wheel and what it needs.
   *
   * @returns The Python of the new copy.
   * @throws InstallError with one sentence that says what to do.
   * @throws InstallCancelled
   */
  async install(payload: Payload, python: Python, options: InstallOptions): Promise<string> {
    const wheel = path.basename(payload.wheel);
    const release = await this.lock();
    // A new folder each time: a server that still runs from another copy is left alone.
    const home = path.join(this.folder, `${wheel.split("-")[1] ?? "copy"}-${Date.now()}`);
    try {
      await this.fill(home, payload, python, options);
      await writeFile(path.join(home, MARKER), JSON.stringify({ wheel }), "utf8");
    } catch (error) {
      await remove(home);
      throw error;
    } finally {
      await release();
    }
    return this.pythonOf(home);
  }

  /** Delete every copy but those with one of these Pythons. */
  async removeOthers(...kept: readonly (string | undefined)[]): Promise<void> {
    for (const name of await readdir(this.folder).catch(() => [] as string[])) {
      const home = path.join(this.folder, name);
      if (name !== LOCK && !kept.includes(this.pythonOf(home))) {
        await remove(home);
      }
    }
  }

  private async fill(
    home: string,
    payload: Payload,
    python: Python,
    options: InstallOptions,
  ): Promise<void> {
    const inside = this.pythonOf(home);
    options.onStep("making a virtual environment");
    await this.step(python.program, ["-P", "-m", "venv", home], options, (output) =>
      whyNoEnvironment(python.program, output),
    );
    const pip = [
      "-I",
      "-m",
      "pip",
      "install",
      "--disable-pip-version-check",
      "--no-input",
      "--progress-bar=off",
    ];
    options.onStep("downloading what Sirdab needs");
    await this.step(
      inside,
      [
        ...pip,
        "--require-hashes",
        "--no-deps",
        "--only-binary",
        ":all:",
        "-r",
        payload.requirements,
      ],
      options,
      whyNoPackages,
    );
    options.onStep("installing Sirdab");
    await this.step(
      inside,
      [...pip, "--no-deps", "--no-index", payload.wheel],
      options,
      whyNoPackages,
    );
    options.onStep("checking");
    await this.step(inside, ["-I", "-m", "sirdab", "--version"], options, whyItDoesNotRun);
  }

  private async step(
    program: string,
    args: string[],
    options: InstallOptions,
    explain: (output: string) => string,
  ): Promise<void> {
    const { signal } = options;
    options.onOutput(`> ${[program, ...args].join(" ")}\n`);
    const ended = await (options.run ?? run)(program, args, { signal, env: ownEnvironment() });
    options.onOutput(`${ended.stdout}${ended.stderr}`);
    if (signal.aborted) {
      throw new InstallCancelled("The installation was cancelled.");
    }
    if (ended.code !== 0) {
      throw new InstallError(explain(`${ended.stdout}\n${ended.stderr}`));
    }
  }

  /** Keep other windows out; the lock of a window that has died is taken over. */
  private async lock(): Promise<() => Promise<void>> {
    const file = path.join(this.folder, LOCK);
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        await mkdir(this.folder, { recursive: true });
        const handle = await open(file, "wx");
        await handle.writeFile(String(process.pid));
        await handle.close();
        return () => rm(file, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
          throw new InstallError(
            `The folder ${this.folder} cannot be written (${(error as Error).message}); make room or check its permissions and try again.`,
          );
        }
        const owner = Number(await readFile(file, "utf8").catch(() => ""));
        const since = (await stat(file).catch(() => undefined))?.mtimeMs ?? 0;
        // The number of a process that has died is given to another one some day.
        if (isAlive(owner) && Date.now() - since < LONGEST_INSTALLATION_MS) {
          break;
        }
        await rm(file, { force: true });
      }
    }
    throw new InstallBusy(
      "Another window is installing Sirdab; wait until it is done and reload this window.",
    );
  }

  private pythonOf(home: string): string {
    return this.platform === "win32"
      ? path.join(home, "Scripts", "python.exe")
      : path.join(home, "bin", "python");
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) {
    return false;
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function remove(folder: string): Promise<void> {
  // On Windows the files of a running program stay; they go the next time.
  await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
}
